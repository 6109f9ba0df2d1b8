"""Run the practice server: SMTP, LMTP, POP3 and POP2 before one post office."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import format_datetime, localtime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import trio

from mailproxy.app.practice_spoiled import spoiled
from mailproxy.app.ready import announced
from mailproxy.net.serve import Address, listen, serve
from mailproxy.talk import practice as servers
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.practice.accounts import ACCOUNTS, DOMAIN, PASSWORD
from mailproxy.talk.practice.conversation import Party
from mailproxy.talk.practice.office import PostOffice

__all__ = ["ACCOUNT_TABLE", "PASSWORD", "Addresses", "Ports", "practice", "practice_server"]

LOOPBACK: Final = "127.0.0.1"
MAKERS: Final = (servers.smtp, servers.lmtp, servers.pop3, servers.pop2)
ACCOUNT_TABLE: Final = tuple((f"{account.name}@{DOMAIN}", account.does) for account in ACCOUNTS)
"""Each account's address, and in one line what the server does with it."""


class Ports(NamedTuple):
    """Where to listen; 0 is any free port."""

    smtp: int = 0
    lmtp: int = 0
    pop3: int = 0
    pop2: int = 0


ANY: Final = Ports()


class Addresses(NamedTuple):
    """Where the servers listen."""

    smtp: Address
    lmtp: Address
    pop3: Address
    pop2: Address

    def listeners(self) -> dict[str, object]:
        """What the ready file says."""
        each = [{"protocol": name, **address._asdict()} for name, address in self._asdict().items()]
        return {"version": 1, "listeners": each}


@asynccontextmanager
async def practice_server(
    host: str = LOOPBACK, ports: Ports = ANY, faults: Faults | None = None
) -> AsyncIterator[Addresses]:
    """The servers with a new post office, for as long as the block runs, and with faults where some are wanted.

    A host with several addresses is listened for on all of them, with faults on the first alone, which is given. Raises
    OSError where a port is taken; what the block raises comes out in an ExceptionGroup, as from a nursery.
    """
    office = PostOffice(date=lambda: format_datetime(localtime()))
    makers = [partial(make, office) for make in MAKERS]
    named = list(zip(Addresses._fields, makers, strict=True))
    async with spoiled(host, ports, named, faults) if faults else _served(host, ports, makers) as addresses:
        yield Addresses(*addresses)


@asynccontextmanager
async def _served(host: str, ports: Ports, makers: list[partial[Party]]) -> AsyncIterator[list[Address]]:
    async with AsyncExitStack() as stack:
        listening = [await stack.enter_async_context(listen(host, port)) for port in ports]
        nursery = await stack.enter_async_context(trio.open_nursery())
        for make, sockets in zip(makers, listening, strict=True):
            nursery.start_soon(serve, make, sockets)
        yield [sockets.addresses[0] for sockets in listening]
        nursery.cancel_scope.cancel()


async def practice(
    host: str,
    ports: Ports,
    ready: Callable[[Addresses], None],
    ready_file: Path | None = None,
    faults: Faults | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once all servers listen; so is the ready file written.

    Raises OSError where a port is taken, and an ExceptionGroup with it where the file cannot be written.
    """
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with practice_server(host, ports, faults) as addresses:
            with announced(ready_file, addresses.listeners()):
                ready(addresses)
                await anext(aiter(signals))
