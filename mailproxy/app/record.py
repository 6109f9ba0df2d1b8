"""Record: stand between mail programs and servers, and take down what they say."""

import gc
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import trio
from sqlalchemy import Engine

from mailproxy.app.library import journal_of, open_library
from mailproxy.app.ready import announced
from mailproxy.app.routes import Route, place
from mailproxy.app.taking import concluded
from mailproxy.formats.talk_write import Writer
from mailproxy.model.line import Line
from mailproxy.model.octets import Entry, Note, Side
from mailproxy.model.session import Leg, Session
from mailproxy.net.listen import Port
from mailproxy.net.perform import Address, Conversation
from mailproxy.net.poll import Poller, open_poller
from mailproxy.protocols import named
from mailproxy.protocols.dialogue import Terms
from mailproxy.protocols.outcome import Tally
from mailproxy.store.engine import open_database
from mailproxy.store.recorder import Recorder, Sheet
from mailproxy.store.trouble import DatabaseBusy, RecordingStopped
from mailproxy.talk.relay import Relay

FLUSH_EVERY: Final = 0.25
REMIND_EVERY: Final = 60.0
PATIENCE: Final = 0.05
STEP: Final = 8 << 20  # octets of large frames that are flushed at once
QUIET: Final = 8  # so many times nothing to flush before SQLite's log is tidied up
LOG_PAGES: Final = 1 << 18  # a GiB


class WhenFull(StrEnum):
    """What to do while nothing can be recorded: refuse new sessions, go on unrecorded, or stop."""

    REFUSE = "refuse"
    RELAY = "relay"
    STOP = "stop"


class Listening(NamedTuple):
    """A route, and the real address that it listens on."""

    route: Route
    host: str
    port: int


class Screen(Protocol):
    """Who watches."""

    def listening(self, where: Sequence[Listening]) -> None:
        """All listeners are up."""

    def waiting(self, where: Sequence[Listening]) -> None:
        """No connection has been seen yet on these."""

    def began(self, session: Session) -> None:
        """A session has begun."""

    def said(self, number: int, lines: Sequence[Line]) -> None:
        """Lines of a session are whole."""

    def ended(self, session: Session) -> None:
        """A session is over."""

    def trouble(self, text: str) -> None:
        """Something is wrong that the user must know."""


class Plan(NamedTuple):
    """What to record, where and how."""

    routes: tuple[Route, ...]
    db: str
    terms: Terms = Terms()
    ready_file: Path | None = None
    when_full: WhenFull = WhenFull.REFUSE
    live: bool = True
    poller: str = ""


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
async def recording(plan: Plan, screen: Screen) -> AsyncIterator["Studio"]:
    """Record for as long as the block runs; sessions that go on then are cut off. Raises as `record` does."""
    _allow_many_sockets()
    _collect_rarely()
    engine = _open(plan.db)
    recorder = Recorder(engine, journal_of(engine))
    try:
        async with open_poller(plan.poller) as poller, trio.open_nursery() as nursery:
            studio = Studio(plan, screen, recorder, poller, nursery)
            try:
                with announced(plan.ready_file, studio.listen()):
                    nursery.start_soon(studio.flush_now_and_then, engine.dialect.name != "sqlite")
                    yield studio
            finally:
                studio.stop()
                nursery.cancel_scope.cancel()
    finally:
        if not recorder.close():
            screen.trouble("the database takes nothing now; the journal is kept and read at the next start")
        engine.dispose()


class Studio:
    """All sessions that are being recorded."""

    def __init__(self, plan: Plan, screen: Screen, recorder: Recorder, poller: Poller, nursery: trio.Nursery) -> None:
        self.stopping = trio.Event()
        self.plan = plan
        self.screen = screen
        self.recorder = recorder
        self.busy = False
        self._poller = poller
        self._nursery = nursery
        self.open: list[Listening] = []
        self._ports: list[Port] = []
        self._takes: set[Take] = set()
        self._held: list[tuple[Route, socket.socket, tuple[str, int]]] = []
        self._seen: set[Route] = set()
        self._stopped = ""
        self._exhausted = False

    def listen(self) -> dict[str, object]:
        """Listen on all routes; returns what the ready file says. Raises OSError, with the address as its filename."""
        for route in self.plan.routes:
            port = self._open(route)
            self._ports.append(port)
            self.open.append(Listening(route, port.host, port.number))
        self.screen.listening(self.open)
        listeners = [
            {"protocol": route.protocol, "host": host, "port": port, "upstream": route.upstream}
            for route, host, port in self.open
        ]
        return {"version": 1, "listeners": listeners}

    def stop(self) -> None:
        """Cut all sessions off and listen no longer."""
        for port in self._ports:
            port.close()
        for _, sock, _ in self._held:
            sock.close()
        for take in list(self._takes):
            take.stop()

    async def remind(self) -> None:
        """Say which listeners nobody has called on yet."""
        while waiting := [each for each in self.open if each.route not in self._seen]:
            self.screen.waiting(waiting)
            await trio.sleep(REMIND_EVERY)

    async def flush_now_and_then(self, in_thread: bool) -> None:
        """Write what was recorded to the database, while nothing else is to do."""
        quiet = 0
        while True:
            await trio.sleep(FLUSH_EVERY)
            self._try_held()
            quiet = 0 if self.busy else quiet + 1
            self.busy = False
            if quiet == QUIET:
                self.recorder.tidy()
            try:
                if in_thread and self.recorder.due:
                    await trio.to_thread.run_sync(self.recorder.flush)
                elif not in_thread:
                    await self._flush_by_and_by(quiet > 0)
            except RecordingStopped as stop:
                self.recording_stopped(stop)

    async def _flush_by_and_by(self, quiet: bool) -> None:
        """Large frames can wait in the journal until there is time, and then go in steps, so that nobody waits long."""
        while self.recorder.due and (quiet or not self.recorder.laden):
            if not self.flush() or not self.recorder.laden:
                return
            await trio.lowlevel.checkpoint()
            quiet = not self.busy

    def flush(self) -> bool:
        """Write what was recorded to the database; returns whether that went well. Raises RecordingStopped."""
        before = self.recorder.trouble
        well = self.recorder.flush(STEP)
        if not well and not before:
            self.screen.trouble(f"{self.recorder.trouble}; what is said is kept in the journal meanwhile")
        return well

    def recording_stopped(self, stop: RecordingStopped) -> None:
        """Nothing can be recorded: say so, and do what the user wants then."""
        if not self._stopped:
            self._stopped = str(stop)
            then = {
                WhenFull.REFUSE: "new connections are refused until mailproxy is started again",
                WhenFull.RELAY: "sessions go on UNRECORDED",
                WhenFull.STOP: "mailproxy stops",
            }[self.plan.when_full]
            self.screen.trouble(f"NOTHING IS RECORDED any more: {stop}; {then}")
        if self.plan.when_full is WhenFull.STOP:
            self.stopping.set()

    def _open(self, route: Route) -> Port:
        try:
            return Port(
                route.listen_host, route.listen_port, self._poller, partial(self._accepted, route), self._trouble
            )
        except OSError as error:
            where = place(route.listen_host, route.listen_port)
            raise OSError(error.errno, error.strerror or str(error), where) from error

    def _accepted(self, route: Route, sock: socket.socket, address: tuple[str, int]) -> None:
        self._seen.add(route)
        try:
            number = self._number()
        except DatabaseBusy as trouble:
            if not self._held:
                self.screen.trouble(f"{trouble}; new connections wait")
            self._held.append((route, sock, address))
            return
        if number is None and self.plan.when_full is not WhenFull.RELAY:
            sock.close()
            return
        take = Take(self, number, route, sock, address)
        self._takes.add(take)
        take.start(sock, self._poller, self._nursery)

    def _number(self) -> int | None:
        """The number of the next session, None where it cannot be recorded. Raises DatabaseBusy."""
        if self._stopped:
            return None
        try:
            return self.recorder.next_id()
        except DatabaseBusy:
            raise
        except RecordingStopped as stop:
            self.recording_stopped(stop)
            return None

    def _try_held(self) -> None:
        """Take the connections that had to wait for the database."""
        held, self._held = self._held, []
        for each in held:
            self._accepted(*each)

    def done(self, take: "Take") -> None:
        """A session is over."""
        self._takes.discard(take)
        if self._exhausted:
            self._exhausted = False
            for port in self._ports:
                port.pause(False)

    def _trouble(self, error: OSError) -> None:
        if not self._exhausted:
            self.screen.trouble(f"no more connections can be taken: {error.strerror}; callers wait until one ends")
        self._exhausted = True
        for port in self._ports:
            port.pause(True)


class Take:
    """One session as it is recorded."""

    __slots__ = (
        "_began",
        "_conversation",
        "_entered",
        "_live",
        "_relay",
        "_session",
        "_sheet",
        "_studio",
        "_tally",
        "_writer",
    )

    def __init__(
        self, studio: Studio, number: int | None, route: Route, sock: socket.socket, address: tuple[str, int]
    ) -> None:
        own = sock.getsockname()
        client = Leg(Side.CLIENT, address[0], address[0], address[1], own[0], own[1], 0)
        server = Leg(Side.SERVER, route.host, port=route.port)
        self._studio = studio
        self._began = time.perf_counter_ns()
        self._session = Session(number or 0, route.protocol, datetime.now(UTC), route.upstream, client, server)
        self._sheet: Sheet | None = studio.recorder.sheet(number) if number else None
        self._entered = False
        self._relay = Relay(named(route.protocol).dialogue(studio.plan.terms))
        self._tally = Tally()
        self._live = studio.plan.live
        self._writer = Writer(fold=True)
        self._conversation: Conversation | None = None
        studio.screen.began(self._session)

    def start(self, sock: socket.socket, poller: Poller, nursery: trio.Nursery) -> None:
        """Begin."""
        server = Address(self._session.server.host, self._session.server.port)
        self._conversation = Conversation(sock, server, self._relay, self, poller, nursery, self._now)
        self._conversation.start()

    def stop(self) -> None:
        """Cut the session off."""
        if self._conversation:
            self._conversation.stop()

    def record(self, entries: list[Entry]) -> None:
        """Take down what was said, before it goes on."""
        sheet = self._sheet
        if sheet:
            self._studio.busy = True
            try:
                if not self._entered:
                    self._entered = True
                    sheet.revise(self._session)
                sheet.write(entries)
                if self._studio.recorder.full:
                    self._studio.flush()
            except RecordingStopped as stop:
                self._sheet = None
                self._studio.recording_stopped(stop)
        if self._live:
            for entry in entries:
                if lines := self._writer.entry(entry):
                    self._studio.screen.said(self._session.id, lines)
        for entry in entries:
            if isinstance(entry, Note):
                self._tally.note(entry)

    def understood(self) -> None:
        """Take down what has been understood, now that it is on its way."""
        exchanges = self._relay.dialogue.exchanges
        if exchanges:
            for exchange in exchanges:
                self._tally.hear(exchange)
            if self._sheet:
                self._sheet.exchanges(exchanges)
            self._relay.dialogue.exchanges = []

    def connected(self, server: Leg) -> None:
        """The server has taken the connection."""
        self._session = replace(self._session, server=server)
        self._entered = False

    def over(self) -> None:
        """Say what came of it."""
        self.understood()
        dialogue, endings = self._relay.dialogue, self._relay.endings
        session = self._session
        self._session = concluded(session, self._tally, endings, dialogue.user, dialogue.quit, self._now())
        if self._sheet:
            try:
                self._sheet.close(self._session)
            except RecordingStopped as stop:
                self._studio.recording_stopped(stop)
        if self._live and (lines := self._writer.finish()):
            self._studio.screen.said(session.id, lines)
        self._studio.screen.ended(self._session)
        self._studio.done(self)

    def _now(self) -> int:
        return (time.perf_counter_ns() - self._began) // 1000


def _open(db: str) -> Engine:
    """The database, brought up to date; from here on a lock is not waited for, for everybody would wait."""
    open_library(db).dispose()
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
