"""What came of a session: its verdict, and the line that lists show."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from mailproxy.analysis.diagnose import diagnose
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Outcome, Verdict
from mailproxy.model.octets import Entry, Frame, Kind, Note
from mailproxy.model.session import Recording, Session
from mailproxy.protocols.outcome import Tally

HEAD: Final = 1000
TAIL: Final = 1000
MOST: Final = 262_144  # octets of a session, from which on long frames are only counted
SHORT: Final = 1024


class Remembered:
    """As much of a session as a verdict needs: its beginning and its end, messages without their octets."""

    __slots__ = ("_exchanges", "_head", "_last", "_octets", "_tail")

    def __init__(self) -> None:
        self._head: list[Entry] = []
        self._octets = 0
        self._tail: deque[Entry] | None = None
        self._exchanges: list[Exchange] = []
        self._last: deque[Exchange] | None = None

    def heard(self, entries: Iterable[Entry]) -> None:
        """Remember what was said."""
        for entry in entries:
            if isinstance(entry, Frame):
                if entry.kind is Kind.TELNET:
                    continue  # it has no place in a stream
                self._octets += len(entry.octets)
                if entry.kind is Kind.CONTENT or (len(entry.octets) > SHORT and self._octets > MOST):
                    entry = entry._replace(octets=b"", kind=Kind.OMITTED, wire=entry.length)
            if len(self._head) < HEAD:
                self._head.append(entry)
            else:
                self._tail = self._tail or deque(maxlen=TAIL)
                self._tail.append(entry)

    def understood(self, exchanges: Iterable[Exchange]) -> None:
        """Remember what it meant."""
        for exchange in exchanges:
            if len(self._exchanges) < HEAD:
                self._exchanges.append(exchange)
            else:
                self._last = self._last or deque(maxlen=TAIL)
                self._last.append(exchange)

    def recording(self, session: Session) -> Recording:
        """The session, as far as it is remembered."""
        return Recording(session, (*self._head, *(self._tail or ())), (*self._exchanges, *(self._last or ())))


def verdict_on(recording: Recording) -> Verdict | None:
    """The verdict; None where a rule fails: a bug of ours must end neither a recording nor a list."""
    try:
        return diagnose(recording)
    except Exception:
        return None


def judged(recording: Recording, tally: Tally, quit: bool) -> tuple[Session, Verdict | None]:
    """The session with its outcome, and the verdict behind that."""
    failed, outcome = tally.conclude(quit)
    verdict = verdict_on(recording)
    session = recording.session
    if verdict is None or verdict.outcome is Outcome.UNFINISHED:
        return replace(session, outcome=outcome, failed=failed), verdict
    _, _, told = outcome.partition(": ")
    bad = verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    if bad is not failed:
        told = verdict.summary.rstrip(".") if bad else told
    return replace(session, outcome=f"{verdict.outcome}: {told}", failed=bad), verdict


def judge(recording: Recording) -> tuple[str, bool]:
    """What came of a session, in one line, and whether that is a failure."""
    session, _ = concluded(recording)
    return session.outcome, session.failed


def concluded(recording: Recording) -> tuple[Session, Verdict | None]:
    """The session with its outcome, and the verdict behind that, of a recording that is whole."""
    tally = Tally()
    for exchange in recording.exchanges:
        tally.hear(exchange)
    for entry in recording.entries:
        if isinstance(entry, Note):
            tally.note(entry)
    return judged(recording, tally, any(exchange.verb == "QUIT" for exchange in recording.exchanges))
