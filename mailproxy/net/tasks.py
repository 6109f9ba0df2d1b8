"""Each socket with its own trio tasks: the poller for every system that trio runs on."""

import socket
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import trio

from mailproxy.net.poll import Watched


class _Watch:
    """What is wanted of one socket, and the scope of the two tasks that wait for it."""

    __slots__ = ("read", "scope", "write")

    def __init__(self) -> None:
        self.read = trio.Event()
        self.write = trio.Event()
        self.scope = trio.CancelScope()

    def want(self, read: bool, write: bool) -> None:
        self.read = _asked(self.read, read)
        self.write = _asked(self.write, write)


def _asked(event: trio.Event, wanted: bool) -> trio.Event:
    if wanted:
        event.set()
        return event
    return trio.Event() if event.is_set() else event


class Tasks:
    """A poller of trio tasks."""

    def __init__(self) -> None:
        self._watches: dict[int, _Watch] = {}
        self._nursery_manager = trio.open_nursery()

    async def __aenter__(self) -> Self:
        self._nursery = await self._nursery_manager.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._nursery.cancel_scope.cancel()
        return await self._nursery_manager.__aexit__(kind, value, trace)

    def add(self, watched: Watched, read: bool, write: bool) -> None:
        """Begin to watch."""
        watch = self._watches[id(watched)] = _Watch()
        watch.want(read, write)
        self._nursery.start_soon(self._watch, watched, watch)

    def want(self, watched: Watched, read: bool, write: bool) -> None:
        """Change what is wanted."""
        self._watches[id(watched)].want(read, write)

    def remove(self, watched: Watched) -> None:
        """Watch no longer."""
        if watch := self._watches.pop(id(watched), None):
            watch.scope.cancel()
            trio.lowlevel.notify_closing(watched.sock)

    async def _watch(self, watched: Watched, watch: _Watch) -> None:
        with watch.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(
                    _wait, watched.sock, lambda: watch.read, trio.lowlevel.wait_readable, watched.readable
                )
                nursery.start_soon(
                    _wait, watched.sock, lambda: watch.write, trio.lowlevel.wait_writable, watched.writable
                )


async def _wait(
    sock: socket.socket,
    wanted: Callable[[], trio.Event],
    ready: Callable[[socket.socket], Awaitable[None]],
    tell: Callable[[], None],
) -> None:
    while True:
        await wanted().wait()
        if sock.fileno() < 0:  # closed by a callback, after this task was woken and before it ran
            return
        try:
            await ready(sock)
        except (trio.ClosedResourceError, OSError):
            return
        if wanted().is_set():
            tell()
