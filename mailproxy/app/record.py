"""Record: stand between mail programs and servers, and take down what they say."""

import gc
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio
from sqlalchemy import Engine

from mailproxy.app.library import journal_of, make_library
from mailproxy.app.plan import Plan, TlsPlan, UnusableOption, WhenFull
from mailproxy.app.ready import announced
from mailproxy.app.screen import Listening, Screen
from mailproxy.app.studio import Studio
from mailproxy.model.tls import Verify
from mailproxy.net.poll import open_poller
from mailproxy.net.securing import Terms as TlsTerms
from mailproxy.protocols.turn import Keep, Terms
from mailproxy.store.engine import open_database
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import DatabaseBusy

__all__ = [
    "Keep",
    "Listening",
    "Plan",
    "Screen",
    "Terms",
    "TlsPlan",
    "TlsTerms",
    "UnusableOption",
    "Verify",
    "WhenFull",
    "record",
    "recording",
]

PATIENCE: Final = 0.05
LOG_PAGES: Final = 1 << 18  # a GiB


async def record(plan: Plan, screen: Screen) -> None:
    """Record until SIGINT or SIGTERM.

    Raises StoreError where the database cannot be opened and OSError where an address cannot be listened on.
    """
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with recording(plan, screen) as studio, trio.open_nursery() as nursery:
            nursery.start_soon(studio.remind)
            nursery.start_soon(_until, signals, studio.stopping)
            await studio.stopping.wait()
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def recording(plan: Plan, screen: Screen) -> AsyncIterator[Studio]:
    """Record for as long as the block runs; sessions that go on then are cut off. Raises as `record` does."""
    _allow_many_sockets()
    _collect_rarely()
    engine = _open(plan.db)
    recorder = Recorder(engine, journal_of(engine))
    with suppress(DatabaseBusy):
        recorder.reserve()
    try:
        async with open_poller(plan.poller) as poller, trio.open_nursery() as nursery:
            studio = Studio(plan, screen, recorder, poller, nursery)
            try:
                with announced(plan.ready_file, studio.listen()):
                    far = engine.dialect.name != "sqlite"
                    nursery.start_soon(studio.watch_time)
                    nursery.start_soon(studio.flusher.run, far, studio.try_held, studio.recording_stopped)
                    yield studio
            finally:
                studio.stop()
                nursery.cancel_scope.cancel()
    finally:
        if not recorder.close():
            screen.trouble("the database takes nothing now; the journal is kept and read at the next start")
        engine.dispose()


def _open(db: str) -> Engine:
    """The database, brought up to date; from here on a lock is not waited for, for everybody would wait."""
    make_library(db).dispose()
    return open_database(db, patience=PATIENCE, log_pages=LOG_PAGES)


async def _until(signals: AsyncIterator[int], stopping: trio.Event) -> None:
    async for _ in signals:
        stopping.set()


def _collect_rarely() -> None:
    """What waits to be written is young for long and no garbage: looking through it again and again costs a tenth."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _allow_many_sockets() -> None:
    """Each session takes two; the soft limit is for programs that do not know what they do."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard and hard != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
