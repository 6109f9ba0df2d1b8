"""What was recorded, on its way to the database while nothing else is to do."""

from collections.abc import Callable
from typing import Final

import trio

from mailproxy.app.screen import Screen
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import RecordingStopped

EVERY: Final = 0.25
STEP: Final = 8 << 20  # octets of large frames that are flushed at once
QUIET: Final = 8  # so many times nothing to do before SQLite's log is tidied up


class Flusher:
    """Flushes a recorder now and then. `busy` is set by whoever records, and says that there are sessions to serve."""

    def __init__(self, recorder: Recorder, screen: Screen) -> None:
        self.busy = False
        self._recorder = recorder
        self._screen = screen

    async def run(
        self, in_thread: bool, each_time: Callable[[], None], stopped: Callable[[RecordingStopped], None]
    ) -> None:
        """Flush for ever; `in_thread` where the database is far and would make sessions wait."""
        quiet = 0
        while True:
            await trio.sleep(EVERY)
            each_time()
            quiet = 0 if self.busy else quiet + 1
            self.busy = False
            if quiet == QUIET:
                self._recorder.tidy()
            try:
                await (self._flush_far() if in_thread else self._flush_near(quiet > 0))
            except RecordingStopped as stop:
                stopped(stop)

    def flush(self) -> bool:
        """Write a step of what was recorded; returns whether that went well. Raises RecordingStopped."""
        before = self._recorder.trouble
        return self._told(before, self._recorder.flush(STEP))

    async def _flush_near(self, quiet: bool) -> None:
        """Large frames can wait in the journal until there is time, and then go in steps, so that nobody waits long."""
        while self._recorder.due and (quiet or not self._recorder.laden):
            if not self.flush() or not self._recorder.laden:
                return
            await trio.lowlevel.checkpoint()
            quiet = not self.busy

    async def _flush_far(self) -> None:
        if self._recorder.due:
            before = self._recorder.trouble
            self._told(before, await trio.to_thread.run_sync(self._recorder.flush))

    def _told(self, before: str, well: bool) -> bool:
        if not well and not before:
            self._screen.trouble(f"{self._recorder.trouble}; what is said is kept in the journal meanwhile")
        return well
