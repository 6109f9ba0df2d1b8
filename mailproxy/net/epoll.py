"""All connections in one trio task, from an epoll of their own. Linux only.

trio watches the epoll's file descriptor. Once something is ready the task stays with the epoll for as long as
there is traffic, with waits of at most `PATIENCE`, and returns to trio at least every `TURN`, so that its other
tasks go on.
"""

import select
import time
from types import TracebackType
from typing import Final, Self

import trio

from mailproxy.net.poll import Watched

PATIENCE: Final = 0.0005
TURN: Final = 0.01
_READY: Final = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_ROOM: Final = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR


class Epoll:
    """A poller over a nested epoll."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[Watched, int]] = {}
        self._nursery_manager = trio.open_nursery()

    async def __aenter__(self) -> Self:
        self._nursery = await self._nursery_manager.__aenter__()
        self._nursery.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._nursery.cancel_scope.cancel()
        try:
            return await self._nursery_manager.__aexit__(kind, value, trace)
        finally:
            self._epoll.close()

    def add(self, watched: Watched, read: bool, write: bool) -> None:
        """Begin to watch."""
        number = watched.sock.fileno()
        self._watched[number] = (watched, number)
        self._epoll.register(number, _mask(read, write))

    def want(self, watched: Watched, read: bool, write: bool) -> None:
        """Change what is wanted."""
        self._epoll.modify(watched.sock.fileno(), _mask(read, write))

    def remove(self, watched: Watched) -> None:
        """Watch no longer."""
        number = watched.sock.fileno()
        if self._watched.pop(number, None):
            self._epoll.unregister(number)

    async def _run(self) -> None:
        poll = self._epoll.poll
        number = self._epoll.fileno()
        while True:
            await trio.lowlevel.wait_readable(number)
            until = time.monotonic() + TURN
            while events := poll(PATIENCE, 256):
                self._tell(events)
                if time.monotonic() > until:
                    break

    def _tell(self, events: list[tuple[int, int]]) -> None:
        watched = self._watched
        for number, ready in events:
            if ready & _READY and (entry := watched.get(number)):
                entry[0].readable()
            if ready & _ROOM and (entry := watched.get(number)):
                entry[0].writable()


def _mask(read: bool, write: bool) -> int:
    return (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0)
