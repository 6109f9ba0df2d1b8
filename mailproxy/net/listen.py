"""Listening sockets, and who calls there."""

import errno
import socket
from collections.abc import Callable
from typing import Final

from mailproxy.net.poll import Poller

BACKLOG: Final = 1024
BATCH: Final = 64
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Socket = socket.socket
Accepted = Callable[[Socket, tuple[str, int]], None]
Trouble = Callable[[OSError], None]


class Port:
    """A listening socket. `accepted` is told of every connection, `trouble` where none can be taken."""

    __slots__ = ("_accepted", "_poller", "_trouble", "host", "number", "sock")

    def __init__(self, host: str, port: int, poller: Poller, accepted: Accepted, trouble: Trouble) -> None:
        """Bind; raises OSError where that fails."""
        self.sock = _bind(host, port)
        self._poller = poller
        self._accepted = accepted
        self._trouble = trouble
        self.host, self.number = self.sock.getsockname()[:2]
        poller.add(self, True, False)

    def readable(self) -> None:
        """Take the connections that wait."""
        for _ in range(BATCH):
            try:
                sock, address = self.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._trouble(error)
                return
            sock.setblocking(False)
            self._accepted(sock, address[:2])

    def writable(self) -> None:
        """A listening socket never is."""

    def pause(self, paused: bool) -> None:
        """Let callers wait, or go on."""
        self._poller.want(self, not paused, False)

    def close(self) -> None:
        """Listen no longer."""
        self._poller.remove(self)
        self.sock.close()


def _bind(host: str, port: int) -> socket.socket:
    kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(kind, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
