"""All sessions that are being recorded at a time, and each of them."""

import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import trio

from mailproxy.app.flushing import Flusher
from mailproxy.app.routes import Route, place
from mailproxy.app.screen import Listening, Screen
from mailproxy.app.taking import concluded
from mailproxy.formats.talk_write import Writer
from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import Leg, Session
from mailproxy.model.tls import TlsFacts
from mailproxy.net.authority import Authority
from mailproxy.net.listen import Port
from mailproxy.net.patience import Patience
from mailproxy.net.perform import Address, Conversation, Surroundings
from mailproxy.net.poll import Poller
from mailproxy.net.securing import Office, Securing
from mailproxy.net.securing import Terms as TlsTerms
from mailproxy.net.trust import Trust
from mailproxy.protocols import named
from mailproxy.protocols.outcome import Tally
from mailproxy.protocols.turn import Terms
from mailproxy.store.recorder import Recorder, Sheet
from mailproxy.store.trouble import DatabaseBusy, RecordingStopped
from mailproxy.talk.bridge import Bridge
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Ways

REMIND_EVERY: Final = 60.0


class WhenFull(StrEnum):
    """What to do while nothing can be recorded: refuse new sessions, go on unrecorded, or stop."""

    REFUSE = "refuse"
    RELAY = "relay"
    STOP = "stop"


class TlsPlan(NamedTuple):
    """What is done about TLS, where a route says nothing else: taken `apart` or passed through, on which terms, with
    which roots besides the system's (PEM files), and in which folder our certificate authority is."""

    apart: bool = True
    terms: TlsTerms = TlsTerms()
    trust: tuple[Path, ...] = ()
    authority: Path = Path()


class Plan(NamedTuple):
    """What to record, where and how."""

    routes: tuple[Route, ...]
    db: str
    terms: Terms = Terms()
    ready_file: Path | None = None
    when_full: WhenFull = WhenFull.REFUSE
    live: bool = True
    poller: str = ""
    tls: TlsPlan = TlsPlan()


class Studio:
    """All sessions that are being recorded."""

    def __init__(self, plan: Plan, screen: Screen, recorder: Recorder, poller: Poller, nursery: trio.Nursery) -> None:
        self.stopping = trio.Event()
        self.plan = plan
        self.screen = screen
        self.recorder = recorder
        self.flusher = Flusher(recorder, screen)
        self.surroundings = Surroundings(poller, nursery, Patience())
        self.office = Office(lambda: Authority(plan.tls.authority), lambda: Trust(plan.tls.trust))
        self._poller = poller
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

    async def watch_time(self) -> None:
        """End what takes too long, for ever."""
        await self.surroundings.patience.run()

    async def remind(self) -> None:
        """Say which listeners nobody has called on yet."""
        while waiting := [each for each in self.open if each.route not in self._seen]:
            self.screen.waiting(waiting)
            await trio.sleep(REMIND_EVERY)

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
        take.start(sock)

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

    def try_held(self) -> None:
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
        "_securing",
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
        self._relay = _relay(route, studio.plan, own[0])
        self._securing = _securing(route, studio, own[0])
        self._tally = Tally()
        self._live = studio.plan.live
        self._writer = Writer(fold=True)
        self._conversation: Conversation | None = None
        studio.screen.began(self._session)

    def start(self, sock: socket.socket) -> None:
        """Begin."""
        server = Address(self._session.server.host, self._session.server.port)
        self._conversation = Conversation(
            sock, server, self._relay, self, self._studio.surroundings, self._now, self._securing
        )
        self._conversation.start()

    def stop(self) -> None:
        """Cut the session off."""
        if self._conversation:
            self._conversation.stop()

    def record(self, entries: list[Entry]) -> None:
        """Take down what was said, before it goes on."""
        sheet = self._sheet
        if sheet:
            self._studio.flusher.busy = True
            try:
                if not self._entered:
                    self._entered = True
                    sheet.revise(self._session)
                sheet.write(entries)
                if self._studio.recorder.full:
                    self._studio.flusher.flush()
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

    def secured(self, side: Side, facts: TlsFacts) -> None:
        """What is known of TLS on a leg."""
        session = self._session
        if side is Side.CLIENT:
            self._session = replace(session, client=replace(session.client, tls=facts))
        else:
            self._session = replace(session, server=replace(session.server, tls=facts))
        self._entered = False

    def failed(self, failure: Exception) -> None:
        """Tell of an error of our own, by its kind only: its text may hold what was said."""
        kind = type(failure).__name__
        self._studio.screen.trouble(f"session {self._session.id} was broken off by an error of mailproxy: {kind}")
        self._tally.note(Note(Mark.TROUBLE, f"reset by mailproxy, which failed: {kind}", self._now()))
        self._relay.dialogue.exchanges = []
        self.over()

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


def _relay(route: Route, plan: Plan, own_address: str) -> Relay:
    protocol = named(route.protocol)
    apart = plan.tls.apart if route.apart is None else route.apart
    ways = Ways(route.client, route.server, apart, route.verify or plan.tls.terms.verify)
    dialogue = protocol.dialogue(plan.terms)
    if ways.bridged and protocol.upgrading:
        return Bridge(dialogue, ways, protocol.upgrading, own_address)
    return Relay(dialogue, ways)


def _securing(route: Route, studio: Studio, own_address: str) -> Securing:
    terms = studio.plan.tls.terms
    if route.verify or route.tls_min:
        terms = terms._replace(verify=route.verify or terms.verify, tls_min=route.tls_min or terms.tls_min)
    names = dict.fromkeys((route.listen_host, own_address, "localhost", "127.0.0.1", "::1", route.host))
    return Securing(studio.office, terms, route.host, tuple(names))
