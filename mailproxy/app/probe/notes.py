"""A session with a server that is probed, as it is taken down."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from mailproxy.app.probe.target import Target
from mailproxy.app.routes import place, scheme
from mailproxy.app.taking import over
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Note, Side
from mailproxy.model.session import Leg, Session
from mailproxy.model.tls import TlsFacts
from mailproxy.protocols.outcome import Tally
from mailproxy.store.recorder import Recorder, Sheet
from mailproxy.store.trouble import RecordingStopped
from mailproxy.talk.probe import Probe

CLIENT: str = "probe"
"""What stands for the client in the record."""


class Notes:
    """Takes one session down. `trouble` says why it could not, where it could not: the asking goes on.

    A usual port that nobody asked for is worth a session only once somebody answers there.
    """

    def __init__(self, recorder: Recorder | None, target: Target, started: datetime) -> None:
        """Without a `recorder` nothing is kept."""
        self.trouble = ""
        self.session = _session(target, started)
        self._recorder = recorder
        self._sheet: Sheet | None = None
        self._tally = Tally()
        if not target.usual:
            self._begin()

    def connected(self, server: Leg) -> None:
        """The server has taken the connection."""
        if self._sheet is None:
            self._begin()
        self._revise(replace(server, tls=self.session.server.tls))

    def secured(self, facts: TlsFacts) -> None:
        """What is known of TLS."""
        self._revise(replace(self.session.server, tls=facts))

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Take down what was said and understood."""
        for exchange in exchanges:
            self._tally.hear(exchange)
        for entry in entries:
            if isinstance(entry, Note):
                self._tally.note(entry)
        if sheet := self._sheet:
            self._try(lambda: sheet.write(entries), lambda: sheet.exchanges(exchanges))

    def ended(self, party: Probe, at: int) -> None:
        """Take down what came of it, after so many microseconds."""
        dialogue = party.relay.dialogue
        session = replace(self.session, protocol=party.protocol.name, upstream=self.upstream(party))
        endings = party.relay.endings
        self.session = over(session, endings, dialogue.user, at, self._tally.conclude(dialogue.quit))
        if (sheet := self._sheet) and (recorder := self._recorder):
            self._try(lambda: sheet.close(self.session), recorder.flush)

    def upstream(self, party: Probe) -> str:
        """The URL of the server, as it turned out to be."""
        server = self.session.server
        return f"{scheme(party.protocol.name, party.security)}://{place(server.host, server.port)}"

    def _begin(self) -> None:
        if recorder := self._recorder:
            self._try(lambda: self._open(recorder))

    def _open(self, recorder: Recorder) -> None:
        self.session = replace(self.session, id=recorder.next_id())
        self._sheet = recorder.open(self.session)

    def _revise(self, server: Leg) -> None:
        self.session = replace(self.session, server=server)
        if sheet := self._sheet:
            self._try(lambda: sheet.revise(self.session))

    def _try(self, *steps: Callable[[], object]) -> None:
        if self.trouble:
            return
        try:
            for step in steps:
                step()
        except RecordingStopped as stop:
            self.trouble = str(stop)


def _session(target: Target, started: datetime) -> Session:
    protocol = target.protocol.name if target.protocol else "smtp"
    server = Leg(Side.SERVER, target.host, port=target.port)
    return Session(0, protocol, started, str(target), Leg(Side.CLIENT, CLIENT, connected=0), server)
