"""Connections to a server: by address at once, by name through Happy Eyeballs (RFC 8305)."""

import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import trio

from mailproxy.model.session import How
from mailproxy.net.poll import Poller

TIMEOUT: Final = 60.0
_HOW: Final = {
    errno.ECONNREFUSED: How.REFUSED,
    errno.ETIMEDOUT: How.TIMED_OUT,
    errno.EHOSTUNREACH: How.NO_ROUTE,
    errno.ENETUNREACH: How.NO_ROUTE,
    errno.EADDRNOTAVAIL: How.NO_ROUTE,
}


class Failure(NamedTuple):
    """No connection: how, and what there is to say besides."""

    how: How
    reason: str = ""


Outcome = Callable[[socket.socket | Failure], None]


@lru_cache(64)
def family(address: str) -> socket.AddressFamily | None:
    """The family of a numeric address; None where it is a name."""
    try:
        version = ipaddress.ip_address(address.partition("%")[0]).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


class Attempt:
    """A connection to a numeric address, under way; `outcome` is told once."""

    __slots__ = ("_outcome", "_poller", "sock")

    def __init__(self, address: str, port: int, kind: socket.AddressFamily, poller: Poller, outcome: Outcome) -> None:
        self._poller = poller
        self._outcome = outcome
        self.sock = socket.socket(kind, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        try:
            self.sock.connect((address, port))
        except (BlockingIOError, InterruptedError):
            if _is_connected(self.sock):  # on loopback, at once
                outcome(self.sock)
            else:
                poller.add(self, False, True)
        except OSError as error:
            self.sock.close()
            outcome(failure(error))
        else:
            outcome(self.sock)

    def readable(self) -> None:
        """An error shows as this too."""
        self.writable()

    def writable(self) -> None:
        """The attempt has come to an end."""
        if self.sock.fileno() < 0:
            return
        self._poller.remove(self)
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.sock.close()
            self._outcome(failure(OSError(number, "")))
        else:
            self._outcome(self.sock)

    def abandon(self) -> None:
        """Give up."""
        if self.sock.fileno() >= 0:
            self._poller.remove(self)
            self.sock.close()


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


async def by_name(host: str, port: int, outcome: Outcome) -> None:
    """Resolve a name, try all its addresses, and tell the outcome."""
    try:
        with trio.fail_after(TIMEOUT):
            stream = await trio.open_tcp_stream(host, port)
    except trio.TooSlowError:
        outcome(Failure(How.TIMED_OUT))
    except OSError as error:
        outcome(failure(error))
    except UnicodeError:
        outcome(Failure(How.NO_NAME, "that is no host name"))
    else:
        sock = socket.socket(fileno=stream.socket.detach())
        sock.setblocking(False)
        outcome(sock)


def failure(error: OSError) -> Failure:
    """What an error means."""
    found = list(_causes(error))
    for each in found:
        if isinstance(each, socket.gaierror):
            return Failure(How.NO_NAME)
    for each in found:
        if isinstance(each, OSError) and each.errno in _HOW:
            return Failure(_HOW[each.errno])
    return Failure(How.FAILED, error.strerror or str(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it stands for."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    elif error.__cause__ is not None:
        yield from _causes(error.__cause__)
