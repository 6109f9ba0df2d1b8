"""A transcript, read: sessions with every octet at its place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NoReturn

from mailproxy.formats.error import FormatError
from mailproxy.formats.talk_marks import COLUMNS, HEADER, Voice, folded_frame, noted_frame, speaks, split
from mailproxy.formats.talk_octets import FOLDS, heard
from mailproxy.formats.talk_session import again, answered, learn
from mailproxy.model.escape import escape_text
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side
from mailproxy.model.session import Leg, Recording, Session

_TIME = re.compile(r" *([0-9]{1,9}\.[0-9]{1,6}) ")
_ORIGIN = re.compile(r"(?:session ([0-9]{1,15}), )?([12][0-9]{3}-[-0-9]{5}T[0-9:.]{8,15}Z)(?:, client (\S+))?")
_PASS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) s pass(?:es)?\b")
_AGAIN = "the client connects again"
_MARKS = "' -> ' (client), '<-  ' (server), ' ~> ' and '<~  ' (under TLS), '=== ', '*** ', '... ' or '# '"


def recognise(text: str) -> bool:
    """Whether a text is a transcript, by its first lines."""
    lines = (_untimed(line) for line in _lines(text[:65536]))
    told = [line for line in lines if line.strip() and not line.startswith("#")][:2]
    header = HEADER.fullmatch(told[0].rstrip()) if told else None
    if not header:
        return False
    return bool(split(told[1]) or HEADER.fullmatch(told[1].rstrip())) if len(told) > 1 else bool(header[2])


def read(text: str, source: str = "", now: datetime | None = None) -> list[Recording]:
    """The sessions of a transcript, in its order; their exchanges are for a protocol's reader to find.

    A session began at `now` (aware; by default the present) where the transcript does not say when.
    `FormatError` says in which line of `source` something is wrong.
    """
    reading = _Reading(source, now or datetime.now(UTC))
    for column, lines in groupby(_lines(text), _column):
        reading.lines(column, lines)
    return reading.end()


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\r").split("\n")


def _column(line: str) -> str:
    """What lines that may be read together begin with: their time, if they tell it, and their mark; a message that is
    folded stands by itself."""
    found = _TIME.match(line)
    end = found.end() + COLUMNS if found else COLUMNS
    return "" if line.startswith(FOLDS, end) else line[:end].ljust(end)


def _untimed(line: str) -> str:
    found = _TIME.match(line)
    return line[found.end() :] if found else line


@dataclass(slots=True)
class _Draft:
    """One session as far as it is read. Its clock and its positions are where the next line stands."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    clock: int = 0
    secure: bool = False
    positions: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))

    def note(self, note: Note) -> None:
        self.entries.append(note)
        self.session = learn(self.session, note)
        if note.mark is Mark.FACT and (found := _PASS.match(note.text)):
            self.clock += round(float(found[1]) * 1_000_000)

    def frame(self, frame: Frame) -> None:
        frame = frame._replace(at=self.clock, start=self.positions[frame.side])
        self.positions[frame.side] = frame.end
        self.entries.append(frame)
        if frame.side is Side.SERVER and frame.kind is not Kind.TELNET:
            self.session = answered(self.session, frame.at)

    def speech(self, voice: Voice, lines: Iterable[bytes]) -> None:
        side, secure = voice
        start = begun = self.positions[side]
        for octets in filter(None, lines):
            end = start + len(octets)
            self.entries.append(Frame(side, octets, self.clock, start, end - start, Kind.SPEECH, Origin.PEER, secure))
            start = end
        self.positions[side] = start
        if side is Side.SERVER and start > begun:
            self.session = answered(self.session, self.clock)

    def recording(self) -> Recording:
        return Recording(replace(self.session, duration=self.clock), tuple(self.entries))


class _Reading:
    """A transcript as far as it is read."""

    def __init__(self, source: str, now: datetime) -> None:
        self._source = source
        self._now = now
        self._draft = self._blank()
        self._done: list[Recording] = []
        self.number = 0

    def lines(self, column: str, lines: Iterable[str]) -> None:
        """Read the next lines, which have no line ends and begin with the same column."""
        if voice := speaks(column):
            self._said(voice, len(column), list(lines))
            return
        for line in lines:
            self.number += 1
            self._line(self._timed(line))

    def _said(self, voice: Voice, column: int, lines: Sequence[str]) -> None:
        self.number += 1
        self._named(self._timed(lines[0]))
        self._draft.secure = voice.secure
        self._draft.speech(voice, [heard(line[column:]) for line in lines])
        self.number += len(lines) - 1

    def _timed(self, line: str) -> str:
        """The line without its time, which is the time from now on."""
        if found := _TIME.match(line):
            self._draft.clock = round(float(found[1]) * 1_000_000)
            return line[found.end() :]
        return line

    def _line(self, line: str) -> None:
        match split(line):
            case Voice() as voice, text:
                self._named(line)
                self._spoken(voice, text)
            case Mark.COMMENT, text:
                self._comment(text)
            case Mark() as mark, text:
                self._named(line)
                self._noted(mark, text)
            case _ if line.strip():
                self._header(line)

    def end(self) -> list[Recording]:
        """All sessions, once the last line is read."""
        if self._draft.session.protocol or not self._done:
            self._named("the end")
            self._done.append(self._draft.recording())
        return self._done

    def _spoken(self, voice: Voice, text: str) -> None:
        self._draft.secure = voice.secure
        if folded := folded_frame(voice, text):
            self._draft.frame(folded)
        else:
            self._draft.speech(voice, [heard(text)])

    def _noted(self, mark: Mark, text: str) -> None:
        if frame := noted_frame(mark, text):
            self._draft.frame(frame._replace(secure=self._draft.secure and frame.kind is not Kind.OPAQUE))
        elif mark is Mark.FACT and text.startswith(_AGAIN):
            self._again()
        else:
            self._draft.note(Note(mark, text, self._draft.clock))

    def _again(self) -> None:
        last = self._draft
        if last.entries:
            self._done.append(last.recording())
            started = last.session.started + timedelta(microseconds=last.clock)
            self._draft = _Draft(replace(again(last.session), started=started))

    def _comment(self, text: str) -> None:
        if found := _ORIGIN.fullmatch(text):
            self._begin()
            self._origin(found)
        else:
            self._draft.note(Note(Mark.COMMENT, text, self._draft.clock))

    def _origin(self, found: re.Match[str]) -> None:
        try:
            started = datetime.fromisoformat(found[2])
        except ValueError:
            self._wrong(found[2], "no such time; write it as 2026-01-31T12:00:00.000000Z")
        session = self._draft.session
        client = replace(session.client, host=found[3] or "")
        self._draft.session = replace(session, id=int(found[1] or 0), started=started, client=client)

    def _header(self, line: str) -> None:
        found = HEADER.fullmatch(line.rstrip())
        if not found:
            named = self._draft.session.protocol
            self._wrong(line, f"no mark; begin it with {_MARKS}" if named else "no protocol; write 'smtp 587' first")
        if (port := int(found[2] or 0)) > 65535:
            self._wrong(line, "no such port; write one up to 65535, or none")
        self._begin()
        session = self._draft.session
        self._draft.session = replace(session, protocol=found[1], server=Leg(Side.SERVER, port=port))

    def _begin(self) -> None:
        """A new session begins, unless the one at hand has no name yet."""
        if self._draft.session.protocol:
            self._done.append(self._draft.recording())
            self._draft = self._blank()

    def _blank(self) -> _Draft:
        return _Draft(Session(0, "", self._now, client=Leg(Side.CLIENT, connected=0), source=self._source))

    def _named(self, line: str) -> None:
        if not self._draft.session.protocol:
            self._wrong(line, "no protocol is named before it; write a line such as 'smtp 587' first")

    def _wrong(self, line: str, what: str) -> NoReturn:
        shown = escape_text(line if len(line) <= 40 else line[:39] + "…")
        raise FormatError(f"{self._source or 'transcript'}:{self.number}: '{shown}': {what}")
