"""Run the practice server: SMTP, LMTP, POP3 and POP2 before one post office."""

import ipaddress
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from email.utils import format_datetime, localtime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import trio

from mailproxy.net.serve import Address, listen, serve
from mailproxy.talk import practice as servers
from mailproxy.talk.practice.accounts import ACCOUNTS, DOMAIN, PASSWORD
from mailproxy.talk.practice.office import PostOffice

LOOPBACK: Final = "127.0.0.1"
MAKERS: Final = (servers.smtp, servers.lmtp, servers.pop3, servers.pop2)
ACCOUNT_TABLE: Final = tuple((f"{account.name}@{DOMAIN}", account.does) for account in ACCOUNTS)
"""Each account's address and what the server does with it, in one line."""

__all__ = ["ACCOUNT_TABLE", "DOMAIN", "PASSWORD", "Address", "Addresses", "Ports", "is_loopback", "practice"]


class Ports(NamedTuple):
    """Where to listen; 0 is any free port."""

    smtp: int = 0
    lmtp: int = 0
    pop3: int = 0
    pop2: int = 0


class Addresses(NamedTuple):
    """Where the servers listen."""

    smtp: Address
    lmtp: Address
    pop3: Address
    pop2: Address

    def as_dict(self) -> dict[str, dict[str, str | int]]:
        """For JSON: `{"smtp": {"host": …, "port": …}, …}`."""
        return {name: address._asdict() for name, address in self._asdict().items()}


def is_loopback(host: str) -> bool:
    """Whether nobody but this computer can reach it; a name other than localhost may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@asynccontextmanager
async def practice_server(host: str = LOOPBACK, ports: Ports = Ports()) -> AsyncIterator[Addresses]:  # noqa: B008
    """The servers with a new post office, for as long as the block runs.

    A host with several addresses is listened for on all of them, and the first is given. Raises OSError where a port
    is taken; what the block raises comes out in an ExceptionGroup, as from a nursery.
    """
    office = PostOffice(date=lambda: format_datetime(localtime()))
    async with AsyncExitStack() as stack:
        listening = [await stack.enter_async_context(listen(host, port)) for port in ports]
        nursery = await stack.enter_async_context(trio.open_nursery())
        for make, sockets in zip(MAKERS, listening, strict=True):
            nursery.start_soon(serve, partial(make, office), sockets)
        yield Addresses(*(sockets.addresses[0] for sockets in listening))
        nursery.cancel_scope.cancel()


async def practice(
    host: str = LOOPBACK,
    ports: Ports = Ports(),  # noqa: B008
    *,
    ready: Callable[[Addresses], None],
    ready_file: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once all servers listen.

    `ready_file`, where there is one, holds the addresses in JSON from then on until the end.
    Raises OSError where a port is taken, and an ExceptionGroup with it where the file cannot be written.
    """
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with practice_server(host, ports) as addresses:
            with announced(ready_file, addresses):
                ready(addresses)
                async for _ in signals:
                    break


@contextmanager
def announced(path: Path | None, addresses: Addresses) -> Iterator[None]:
    """Have the addresses in a file, which appears whole and goes at the end."""
    if path is None:
        yield
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(addresses.as_dict()) + "\n")
    Path(name).replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
