"""Sessions made of another tool's output, line by line: what all importers share.

An importer reads `lines(text)`, tells a `Paste` what each one was, and hands over `recordings()`.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from mailproxy.formats import hidden
from mailproxy.formats.clean import clean, lines
from mailproxy.formats.error import FormatError
from mailproxy.formats.guess import guessed
from mailproxy.formats.talk_session import again, answered, learn
from mailproxy.model.escape import escape_text
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Leg, Recording, Session

__all__ = ["Paste", "clean", "lines"]

SHOWN: Final = 200
"""Of lines that were not understood, so many are kept; the rest is counted."""
_LONGEST: Final = 500
_DAYS: Final = 10**15  # µs; a clock that is wrong must not end in a number that nothing can hold


@dataclass(slots=True)
class _Draft:
    """One session as far as it is read."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    clock: int = 0
    positions: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    started: datetime | None = None
    secure: bool = False
    verb: str = ""  # of the command said last
    content: bool = False  # what the client says now is a message
    asked: bool = False  # and now a response in a SASL exchange
    odd: int = 0


class Paste:
    """Builds recordings of what an importer understands of a text.

    `protocol` is guessed of what was said where it is empty, `port` is 0 where it is not known. A session began now
    where no `clock` tells when.
    """

    def __init__(self, source: str = "", protocol: str = "", port: int = 0) -> None:
        self._source = source
        self._protocol = protocol
        self._port = port
        self._secrets: set[bytes] = set()
        self._done: list[_Draft] = []
        self._draft = self._blank()

    def said(self, side: Side, text: str | bytes, secure: bool | None = None) -> None:
        """Add a line that `side` said: a text without its CRLF, or octets with their line ends as they are.

        `secure` says whether under TLS; by default, whether `secured` was called.
        """
        if side is Side.CLIENT:
            text = self._commanded(text) if isinstance(text, str) else text
        else:
            self._replied(text)
        octets = text if isinstance(text, bytes) else _octets(text) + b"\r\n"
        if side is Side.CLIENT and not self._draft.content:
            self._secrets |= hidden.said(octets)
        self._frame(Frame(side, octets, 0, 0, len(octets), secure=self.secure if secure is None else secure))

    def left_out(self, side: Side, octets: int, secure: bool | None = None) -> None:
        """Count octets of a message that the tool does not show, but the number of."""
        secure = self.secure if secure is None else secure
        self._frame(Frame(side, b"", 0, 0, max(0, octets), Kind.OMITTED, secure=secure))

    def note(self, mark: Mark, text: str) -> None:
        """Add what no peer said. Facts and trouble in the words of a transcript tell of the session's legs."""
        note = Note(mark, escape_text(" ".join(text.split())), self._draft.clock)
        self._draft.entries.append(note)
        self._draft.session = learn(self._draft.session, note)

    def connected(self, host: str = "", address: str = "", port: int = 0) -> None:
        """Tell that the client has connected, to whom as far as that is known."""
        where = host or address
        where = f"[{where}]" if ":" in where else where
        self._draft.session = replace(
            self._draft.session, server=replace(self._draft.session.server, port=_port(port) or self._port)
        )
        to = f" to {where}" + (f":{_port(port)}" if _port(port) else "") if where else ""
        self.note(Mark.FACT, f"connected{to}" + (f" ({address})" if address and host and address != host else ""))

    def secured(self, what: str = "") -> None:
        """Tell that TLS has begun (`what`: `TLSv1.3, TLS_AES_256_GCM_SHA384` …): what is said now is secure."""
        self._draft.secure = True
        self.note(Mark.FACT, "TLS with the server" + (f": {what}" if what else ": established"))

    def clock(self, moment: datetime) -> None:
        """Tell what time it was when the next thing happened; without a zone it is taken as UTC."""
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        if self._draft.started is None:
            self._draft.started = moment
            self._draft.session = replace(self._draft.session, started=moment.astimezone(UTC))
        passed = round((moment - self._draft.started).total_seconds() * 1_000_000)
        self._draft.clock = min(_DAYS, max(self._draft.clock, passed))

    def again(self) -> None:
        """Tell that another connection begins. The client is the same, and so is the server unless it is told."""
        if self._draft.entries:
            self._done.append(self._draft)
            self._draft = _Draft(again(self._draft.session))

    def odd(self, line: str) -> None:
        """Keep a line that was not understood as a comment, what looks like a secret in it masked; count it."""
        if not line.strip():
            return
        self._draft.odd += 1
        if self._draft.odd <= SHOWN:
            shown = line.strip() if len(line) <= _LONGEST else line[:_LONGEST] + "…"
            self.note(Mark.COMMENT, "not understood: " + (hidden.HIDDEN if self._draft.asked else hidden.veiled(shown)))

    def recordings(self) -> list[Recording]:
        """The sessions, in their order. Raises FormatError where nothing was said in any, and no trouble told."""
        told = [draft for draft in (*self._done, self._draft) if any(map(_tells, draft.entries))]
        if not told:
            raise FormatError(f"{self._source or 'text'}: nothing is in it that a client or a server said")
        return [self._recording(draft) for draft in told]

    @property
    def sides(self) -> set[Side]:
        """Who has said anything in the session at hand."""
        return {entry.side for entry in self._draft.entries if isinstance(entry, Frame)}

    @property
    def secure(self) -> bool:
        """Whether TLS has begun."""
        return self._draft.secure

    @property
    def content(self) -> bool:
        """Whether what the client says now is a message (RFC 5321 section 4.1.1.4), not a command."""
        return self._draft.content

    def _blank(self) -> _Draft:
        server = Leg(Side.SERVER, port=_port(self._port))
        return _Draft(
            Session(0, "", datetime.now(UTC), client=Leg(Side.CLIENT, connected=0), server=server, source=self._source)
        )

    def _commanded(self, text: str) -> str:
        if self._draft.content:
            self._draft.content = text != "."
            return text
        said = hidden.hidden(text, self._draft.asked)
        if self._draft.asked:
            self._secrets |= hidden.said(b"PASS " + _octets(said))
        self._draft.verb = text.split(" ", 1)[0].strip().upper()
        self._draft.asked = self._draft.verb == "AUTH" or self._draft.asked
        return said

    def _replied(self, text: str | bytes) -> None:
        start = text[:4] if isinstance(text, str) else text[:4].decode("ascii", "replace")
        self._draft.content = self._draft.content or (self._draft.verb == "DATA" and start.startswith("354"))
        self._draft.asked = self._draft.asked and (
            start.startswith("334") or (start.startswith("+") and start[:3] != "+OK")
        )

    def _frame(self, frame: Frame) -> None:
        draft = self._draft
        frame = frame._replace(at=draft.clock, start=draft.positions[frame.side])
        draft.positions[frame.side] = frame.end
        draft.entries.append(frame)
        if frame.side is Side.SERVER:
            draft.session = answered(draft.session, frame.at)

    def _recording(self, draft: _Draft) -> Recording:
        entries = [entry if isinstance(entry, Frame) else self._without(entry) for entry in draft.entries]
        if draft.odd:
            count = f"{draft.odd} line{'s' * (draft.odd != 1)} {'were' if draft.odd != 1 else 'was'} not understood"
            entries.append(Note(Mark.GAP, count, draft.clock))
        protocol = self._protocol or guessed(entries, draft.session.server.port)
        session = replace(draft.session, protocol=protocol, duration=draft.clock)
        if "://" in session.upstream:
            session = replace(session, upstream=f"{protocol}://{session.upstream.partition('://')[2]}")
        return Recording(session, tuple(entries))

    def _without(self, note: Note) -> Note:
        return note._replace(text=hidden.without(note.text, self._secrets))


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _port(port: int) -> int:
    return port if 0 < port < 65536 else 0


def _tells(entry: Entry) -> bool:
    return entry.mark is Mark.TROUBLE if isinstance(entry, Note) else entry.length > 0
