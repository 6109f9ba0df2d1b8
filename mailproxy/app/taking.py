"""Taking a session down, by whichever way it came about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from mailproxy.app.by_hand import Over, Target
from mailproxy.app.judging import Remembered, judged
from mailproxy.app.library import journal_of, make_library
from mailproxy.app.routes import place, scheme
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Verdict
from mailproxy.model.octets import Entry, Note, Side
from mailproxy.model.session import Ending, Leg, Session
from mailproxy.model.tls import TlsFacts
from mailproxy.protocols.outcome import Tally
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import RecordingStopped

BY_HAND: Final = "by hand"
GREETING_AND_QUIT: Final = 2  # exchanges of a session in which nothing was asked


class Concluded(NamedTuple):
    """A session once it is over, and the verdict on it; None where all went plainly well."""

    session: Session
    verdict: Verdict | None


def over(session: Session, endings: Mapping[Side, Ending], user: str, at: int, conclusion: tuple[bool, str]) -> Session:
    """The session once it is over, with what its tally concludes."""
    failed, outcome = conclusion
    return replace(
        session,
        client=replace(session.client, ending=endings.get(Side.CLIENT)),
        server=replace(session.server, ending=endings.get(Side.SERVER)),
        duration=at,
        user=user,
        outcome=outcome,
        failed=failed,
    )


def concluded(
    session: Session,
    tally: Tally,
    remembered: Remembered,
    endings: Mapping[Side, Ending],
    user: str,
    quit: bool,
    at: int,
) -> Concluded:
    """The session once it is over."""
    failed, outcome = tally.conclude(quit)
    session = over(session, endings, user, at, (failed, outcome))
    plain = tally.sent or tally.fetched or tally.exchanges <= GREETING_AND_QUIT
    if not failed and quit and plain:
        return Concluded(session, None)
    return Concluded(*judged(remembered.recording(session), tally, quit))


class Notebook:
    """Takes down a session in which mailproxy is the client, by hand or as a player of what was recorded (`replays`).

    `trouble` says why it could not, where it could not: the talk goes on.
    """

    def __init__(self, recorder: Recorder, target: Target, client_name: str = BY_HAND, replays: str = "") -> None:
        self.trouble = ""
        upstream = f"{scheme(target.protocol, target.security)}://{place(target.host, target.port)}"
        client = Leg(Side.CLIENT, client_name, connected=0)
        server = Leg(Side.SERVER, target.host, port=target.port)
        now = datetime.now(UTC)
        number = recorder.next_id()
        self.session = Session(number, target.protocol, now, upstream, client, server, replays=replays)
        self._security = target.security
        self._tally = Tally()
        self._remembered = Remembered()
        self._recorder = recorder
        self._sheet = recorder.open(self.session)

    def connected(self, server: Leg) -> None:
        """The server has taken the connection."""
        self._revise(server)

    def secured(self, facts: TlsFacts) -> None:
        """What is known of TLS with the server."""
        self._revise(replace(self.session.server, tls=facts))

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Take down what was said and understood; it is in the database at once."""
        self._remembered.heard(entries)
        self._remembered.understood(exchanges)
        for exchange in exchanges:
            self._tally.hear(exchange)
        for entry in entries:
            if isinstance(entry, Note):
                self._tally.note(entry)
        self._try(lambda: self._sheet.write(entries), lambda: self._sheet.exchanges(exchanges), self._recorder.flush)

    def ended(self, ending: Over) -> None:
        """Take down what came of it."""
        where = place(self.session.server.host, self.session.server.port)
        upstream = f"{scheme(ending.protocol, self._security)}://{where}"
        session = replace(self.session, protocol=ending.protocol, upstream=upstream)
        ended = concluded(session, self._tally, self._remembered, ending.endings, ending.user, ending.quit, ending.at)
        self.session = ended.session
        self._try(lambda: self._sheet.close(self.session), self._recorder.flush)

    def _revise(self, server: Leg) -> None:
        self.session = replace(self.session, server=server)
        self._try(lambda: self._sheet.revise(self.session))

    def _try(self, *steps: Callable[[], object]) -> None:
        if self.trouble:
            return
        try:
            for step in steps:
                step()
        except RecordingStopped as stop:
            self.trouble = str(stop)


@contextmanager
def notebook(db: str, target: Target) -> Iterator[Notebook]:
    """Something to take a session by hand down on. Raises StoreError and RecordingStopped where there can be none."""
    engine = make_library(db)
    recorder = Recorder(engine, journal_of(engine))
    try:
        yield Notebook(recorder, target)
    finally:
        recorder.close()
        engine.dispose()
