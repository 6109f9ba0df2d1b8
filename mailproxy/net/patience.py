"""Waits that nearly always end before their time: one task for all of them."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final

import trio

GRANULARITY: Final = 0.25


class Wait:
    """A wait that can be cancelled."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Wait no longer."""
        self._call = None

    def over(self) -> None:
        """The time has come."""
        call, self._call = self._call, None
        if call:
            call()


class Patience:
    """Calls back after a time, within `GRANULARITY` seconds."""

    def __init__(self) -> None:
        self._waits: list[tuple[float, int, Wait]] = []
        self._numbers = count()

    def after(self, seconds: float, call: Callable[[], None]) -> Wait:
        """Call after so many seconds, unless it is cancelled."""
        wait = Wait(call)
        heapq.heappush(self._waits, (trio.current_time() + seconds, next(self._numbers), wait))
        return wait

    async def run(self) -> None:
        """Look at the clock for ever."""
        while True:
            await trio.sleep(GRANULARITY)
            while self._waits and self._waits[0][0] <= trio.current_time():
                heapq.heappop(self._waits)[2].over()
