"""Sessions made of another tool's output, line by line: what all importers share.

An importer reads `lines(text)`, tells a `Paste` what each one was, and hands over `recordings()`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from mailproxy.formats import hidden
from mailproxy.formats.clean import apart, clean, lines, timed
from mailproxy.formats.error import FormatError
from mailproxy.formats.errors import in_words
from mailproxy.formats.guess import guessed
from mailproxy.formats.talk_session import again, answered, learn
from mailproxy.model.escape import escape_text
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Leg, Recording, Session

__all__ = ["Paste", "Tell", "clean", "head", "lines", "tell_all"]

SHOWN: Final = 200
"""Of lines that were not understood, so many are kept; the rest is counted."""
_LONGEST: Final = 500
_DAYS: Final = 10**15  # µs; a clock that is wrong must not end in a number that nothing can hold
_TLS: Final = frozenset({465, 995})

Tell = Callable[["Paste", str], bool]
"""Tells a paste what a line is; where it does not understand it, it says so and has told nothing."""


@dataclass(slots=True)
class _Draft:
    """One session as far as it is read."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    clock: int = 0
    positions: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    started: datetime | time | None = None
    secure: bool = False
    verb: str = ""  # of the command said last
    content: bool = False  # what the client says now is a message
    asked: bool = False  # and now a response in a SASL exchange
    unasked: bool = False  # and now one to an AUTH that the text has lost
    granted: bool = False  # and now under TLS
    odd: int = 0


class Paste:
    """Builds recordings of what an importer understands of a text.

    `protocol` is guessed of what was said where it is empty, `port` is 0 where it is not known. A session began now
    where no `clock` tells when. With `quiet` the tool does not say when TLS begins: it has where the client goes on
    once STARTTLS or STLS was granted, and from the start on a port for TLS.
    """

    def __init__(self, source: str = "", protocol: str = "", port: int = 0, quiet: bool = False) -> None:
        self._source = source
        self._protocol = protocol
        self._port = port
        self._quiet = quiet
        self._secrets: set[bytes] = set()
        self._done: list[_Draft] = []
        self._draft = self._blank()

    def said(self, side: Side, text: str | bytes, secure: bool | None = None) -> None:
        """Add a line that `side` said: a text without its CRLF, or octets with their line ends as they are.

        `secure` says whether under TLS; by default, whether `secured` was called.
        """
        if self._quiet and not self.secure and self._silently(side):
            self.secured()
        octets = text if isinstance(text, bytes) else _octets(text) + b"\r\n"
        if side is Side.CLIENT:
            octets = b"".join(map(self._commanded, octets.splitlines(keepends=True)))
        else:
            self._replied(octets)
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

    def clock(self, moment: datetime | time) -> None:
        """Tell what time it was when the next thing happened; a time of day alone tells only what passes.

        Without a zone it is taken as UTC. A clock that goes back stands still.
        """
        if isinstance(moment, datetime) and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if self._draft.started is None or type(self._draft.started) is not type(moment):
            self._draft.started = moment
            if isinstance(moment, datetime):
                self._draft.session = replace(self._draft.session, started=moment.astimezone(UTC))
        self._draft.clock = min(_DAYS, max(self._draft.clock, _between(self._draft.started, moment)))

    def passes(self, seconds: float) -> None:
        """Tell that time passes before the next thing happens."""
        self._draft.clock = min(_DAYS, self._draft.clock + max(0, round(min(seconds, 1e9) * 1_000_000)))

    def failed(self, error: str) -> None:
        """Tell of an error of the client's, of the socket or of TLS, in its own words."""
        self.note(Mark.TROUBLE, in_words(error, self._draft.session.server.connected is not None))

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

    def _silently(self, side: Side) -> bool:
        begun = Side.SERVER in self.sides
        return (self._draft.granted and side is Side.CLIENT) or (self._draft.session.server.port in _TLS and not begun)

    def _commanded(self, line: bytes) -> bytes:
        """A line of the client's, with marks for what a tool has hidden."""
        draft, end = self._draft, line[len(line.rstrip(b"\r\n")) :]
        text = line.removesuffix(end).decode("utf-8", "surrogateescape")
        if draft.content:
            draft.content = text != "."
            return line
        lost = draft.unasked or not (draft.asked or hidden.is_open(text))
        text = hidden.response(text) if lost else hidden.hidden(text, draft.asked)
        said = _octets(text)
        self._secrets |= hidden.said(b"PASS " + said if draft.asked else said)
        draft.verb = text.split(" ", 1)[0].strip().upper()
        draft.asked = draft.verb == "AUTH" or draft.asked
        draft.granted = False
        return said + end

    def _replied(self, line: bytes) -> None:
        draft = self._draft
        asks = line.startswith(b"334") or (line[:1] == b"+" and line[:3].upper() != b"+OK")
        draft.content = draft.content or (draft.verb == "DATA" and line.startswith(b"354"))
        draft.unasked = asks and not draft.asked
        draft.asked = asks and draft.asked
        draft.granted = (draft.verb == "STARTTLS" and line.startswith(b"220")) or (
            draft.verb == "STLS" and line[:3].upper() == b"+OK"
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


@lru_cache(maxsize=2)
def head(text: str) -> tuple[str, ...]:
    """The cleaned lines of a text's first 64 KiB, for recognisers, each of which asks for them."""
    return tuple(lines(text[:65536]))


def tell_all(paste: Paste, text: str, tell: Tell, mark: re.Pattern[str] | None = None) -> list[Recording]:
    """Read a text whose every line says by a mark what it is, with or without a time in front of it.

    Lines that were joined are broken before each `mark`.
    """
    split = lines(text, times=True)
    for line in apart(split, mark) if mark else split:
        moment, rest = timed(line)
        if moment is not None:
            paste.clock(moment)
        if not (tell(paste, rest) or (moment is not None and tell(paste, line))):
            paste.odd(line)
    return paste.recordings()


def _between(start: datetime | time, moment: datetime | time) -> int:
    if isinstance(start, datetime) and isinstance(moment, datetime):
        return round((moment - start).total_seconds() * 1_000_000)
    if isinstance(start, time) and isinstance(moment, time):
        first, last = (datetime.combine(datetime.min, each.replace(tzinfo=None)) for each in (start, moment))
        return round(((last - first) % timedelta(days=1)).total_seconds() * 1_000_000)
    return 0


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _port(port: int) -> int:
    return port if 0 < port < 65536 else 0


def _tells(entry: Entry) -> bool:
    return entry.mark is Mark.TROUBLE if isinstance(entry, Note) else entry.length > 0
