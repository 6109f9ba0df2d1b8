"""One session as it is recorded."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mailproxy.app.judging import Remembered
from mailproxy.app.plan import Plan
from mailproxy.app.routes import Route
from mailproxy.app.taking import concluded
from mailproxy.formats.talk_write import Writer
from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import Ending, How, Leg, Session
from mailproxy.model.tls import TlsFacts
from mailproxy.net.listen import Socket
from mailproxy.net.owner import Preface
from mailproxy.net.perform import Conversation
from mailproxy.net.reach import Address
from mailproxy.net.securing import Securing
from mailproxy.protocols import BLIND, named
from mailproxy.protocols.outcome import TURNED_AWAY, Tally
from mailproxy.store.recorder import Sheet
from mailproxy.store.trouble import RecordingStopped
from mailproxy.talk.bridge import Bridge
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.relay import CLEAR, Relay
from mailproxy.talk.ways import Ways

if TYPE_CHECKING:
    from mailproxy.app.studio import Studio


class Call(NamedTuple):
    """Somebody who wants to go a route: `address` is theirs, `own` the one they called.

    Where they `asked` for the server themselves, through SOCKS, the record says so in these words; `preface` makes the
    answer that they wait for, and `early` is what they said without waiting.
    """

    route: Route
    sock: Socket
    address: tuple[str, int]
    own: tuple[str, int]
    asked: str = ""
    preface: Preface | None = None
    early: bytes = b""


class Take:
    """One session as it is recorded."""

    __slots__ = (
        "_began",
        "_call",
        "_conversation",
        "_entered",
        "_live",
        "_relay",
        "_remembered",
        "_session",
        "_sheet",
        "_studio",
        "_tally",
        "_writer",
    )

    def __init__(self, studio: "Studio", number: int | None, call: Call) -> None:
        route, address = call.route, call.address
        own = call.own
        client = Leg(Side.CLIENT, address[0], address[0], address[1], own[0], own[1], 0)
        server = Leg(Side.SERVER, route.host, port=route.port)
        self._studio = studio
        self._call = call
        self._began = time.perf_counter_ns()
        part = route.playing.part if route.playing else ""
        self._session = Session(
            number or 0, route.protocol, datetime.now(UTC), route.upstream, client, server, replays=part
        )
        self._sheet: Sheet | None = studio.recorder.sheet(number) if number else None
        self._entered = False
        self._relay = _relay(route, studio.plan, own[0])
        self._tally = Tally()
        self._remembered = Remembered()
        self._live = studio.plan.live
        self._writer = Writer(fold=True)
        self._conversation: Conversation | None = None
        studio.screen.began(self._session)

    def start(self) -> None:
        """Begin."""
        studio, call = self._studio, self._call
        if call.asked:
            self.record([Note(Mark.FACT, call.asked, self._now())])
        server = _server(call.route, self._session.id, studio.plan.faults)
        securing = _securing(call.route, studio, call.own[0])
        self._conversation = Conversation(
            call.sock, server, self._relay, self, studio.surroundings, self._now, securing, call.preface, call.early
        )
        self._conversation.start()

    def turned_away(self, reason: str) -> None:
        """Take down a call that came to nothing."""
        self._relay.endings[Side.CLIENT] = Ending(None, How.FAILED, self._now())
        self.record([Note(Mark.TROUBLE, f"{TURNED_AWAY}: {reason}", self._now())])
        self.over()

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
        self._remembered.heard(entries)
        for entry in entries:
            if isinstance(entry, Note):
                self._tally.note(entry)

    def understood(self) -> None:
        """Take down what has been understood, now that it is on its way."""
        exchanges = self._relay.dialogue.exchanges
        if exchanges:
            for exchange in exchanges:
                self._tally.hear(exchange)
            self._remembered.understood(exchanges)
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
        ended = concluded(session, self._tally, self._remembered, endings, dialogue.user, dialogue.quit, self._now())
        self._session = ended.session
        if self._sheet:
            try:
                self._sheet.close(self._session)
            except RecordingStopped as stop:
                self._studio.recording_stopped(stop)
        if self._live and (lines := self._writer.finish()):
            self._studio.screen.said(session.id, lines)
        self._studio.screen.ended(self._session, ended.verdict, self._remembered)
        self._studio.done(self)

    def _now(self) -> int:
        return (time.perf_counter_ns() - self._began) // 1000


def _server(route: Route, number: int, faults: Faults | None) -> Address:
    spoiler = faults.session(route.protocol) if faults and route.protocol != BLIND.name else None
    return Address(route.host, route.port, route.playing.make(number) if route.playing else None, spoiler)


def _relay(route: Route, plan: Plan, own_address: str) -> Relay:
    protocol = named(route.protocol)
    apart = plan.tls.apart if route.apart is None else route.apart
    ways = Ways(route.client, route.server, True, route.verify or plan.tls.terms.verify) if apart else CLEAR
    dialogue = protocol.dialogue(plan.terms)
    if ways.bridged and protocol.upgrading:
        return Bridge(dialogue, ways, protocol.upgrading, own_address)
    return Relay(dialogue, ways)


def _securing(route: Route, studio: "Studio", own_address: str) -> Securing:
    terms = studio.plan.tls.terms
    if route.verify or route.tls_min:
        terms = terms._replace(verify=route.verify or terms.verify, tls_min=route.tls_min or terms.tls_min)
    names = dict.fromkeys((route.listen_host, own_address, "localhost", "127.0.0.1", "::1", route.host))
    return Securing(studio.office, terms, route.host, tuple(names))
