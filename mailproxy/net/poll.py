"""Which sockets are ready: one seam, two ways.

`epoll.py` serves all connections from one trio task with plain callbacks, which is what makes a recording
proxy fast; it is Linux's. `tasks.py` gives each socket its own trio tasks and works wherever trio does.
The same tests run on both.
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import trio


class Watched(Protocol):
    """Something with a socket that wants to hear when it is ready."""

    sock: socket.socket

    def readable(self) -> None:
        """There is something to read, or the end."""

    def writable(self) -> None:
        """There is room to write, or an error."""


class Poller(Protocol):
    """Tells each watched object when its socket is ready for what it wants."""

    def add(self, watched: Watched, read: bool, write: bool) -> None:
        """Begin to watch."""

    def want(self, watched: Watched, read: bool, write: bool) -> None:
        """Change what is wanted."""

    def remove(self, watched: Watched) -> None:
        """Watch no longer; to be called before the socket is closed."""


def backends() -> dict[str, type[AbstractAsyncContextManager[Poller]]]:
    """The pollers of this system by name, the best one first."""
    from mailproxy.net.tasks import Tasks

    if sys.platform != "linux":
        return {"tasks": Tasks}
    from mailproxy.net.epoll import Epoll

    return {"epoll": Epoll, "tasks": Tasks}


@asynccontextmanager
async def open_poller(name: str = "") -> AsyncIterator[Poller]:
    """Run a poller; by default the best one that this system has."""
    known = backends()
    async with known[name or next(iter(known))]() as poller:
        yield poller
        await trio.lowlevel.checkpoint()
