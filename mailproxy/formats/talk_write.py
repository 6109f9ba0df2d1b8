"""A session as a transcript, entry by entry as it comes or all at once."""

from collections.abc import Iterator
from datetime import UTC
from typing import Final
from urllib.parse import urlsplit

from mailproxy.formats.talk_marks import NOTED, telnet
from mailproxy.formats.talk_parts import Counted, Folded, Part, Passed, Spoken, voice, whole
from mailproxy.model.escape import escape_text
from mailproxy.model.line import Line
from mailproxy.model.octets import Entry, Frame, Kind, Note, Side
from mailproxy.model.session import Recording, Session

_SPEECH: Final = frozenset({Kind.SPEECH})
_ALL: Final = frozenset({Kind.SPEECH, Kind.CONTENT})


class Writer:
    """Makes lines of one session's entries, which come in the order of their arrival.

    A line comes out once its LF is heard, or as an open line when anything else comes between. Octets that
    are only counted (left out, not in clear) come out together, once anything else follows. With `fold`,
    so does a message, or as soon as its end is seen; its octets are not held.
    """

    def __init__(self, fold: bool = False) -> None:
        self._spoken = _SPEECH if fold else _ALL
        self._fold = fold
        self._part: Part | None = None
        self._before = {Side.CLIENT: "", Side.SERVER: ""}

    def entry(self, entry: Entry) -> list[Line]:
        """The lines that this entry makes whole."""
        match entry:
            case Note(mark, text, at):
                return [*self.finish(), Line(NOTED[mark], _harmless(text), at)]
            case Frame(kind=Kind.TELNET):
                return [*self.finish(), telnet(entry)]
            case Frame() if entry.length:
                return self._heard(entry)
            case _:
                return []  # a secret that was withheld

    def finish(self) -> list[Line]:
        """What is left when nothing more comes."""
        part, self._part = self._part, None
        return part.close() if part else []

    def _heard(self, frame: Frame) -> list[Line]:
        part = self._part
        left = [] if part is None or part.takes(frame) else self.finish()
        if self._part is None and frame.kind in self._spoken and (line := whole(frame)):
            lines = [line]  # most frames are one line, of which no part is left to be closed
        else:
            self._part = part = self._part or self._begin(frame)
            lines = part.add(frame)
        if lines:
            self._before[frame.side] = lines[-1].text
        return left + lines

    def _begin(self, frame: Frame) -> Part:
        match frame.kind:
            case Kind.CONTENT | Kind.OMITTED if self._fold:
                return Folded(voice(frame), self._before[frame.side])
            case Kind.OPAQUE if self._fold:
                return Passed()
            case Kind.OMITTED | Kind.OPAQUE:
                return Counted(frame.side, frame.kind)
            case _:
                return Spoken(voice(frame), self._spoken)


def text(line: Line, timing: bool = False) -> str:
    """One line of a transcript, without a line end; with `timing` behind a column of seconds."""
    column = f"{line.at / 1_000_000:8.3f} " if timing else ""
    return column + (line.mark + line.text if line.text else line.mark.rstrip())


def write(recording: Recording, *, timing: bool = False, fold: bool = False) -> Iterator[str]:
    """The lines of the transcript of a recording, without line ends."""
    yield f"# {_origin(recording.session)}"
    yield _header(recording.session)
    writer = Writer(fold)
    for entry in recording.entries:
        for line in writer.entry(entry):
            yield text(line, timing)
    for line in writer.finish():
        yield text(line, timing)


def _origin(session: Session) -> str:
    """Which session this is, in words that the reader knows again."""
    number = f"session {session.id}, " if session.id else ""
    started = session.started.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    client = session.client.host or session.client.address
    return f"{number}{started}" + (f", client {escape_text(client)}" if client else "")


def _header(session: Session) -> str:
    port = session.server.port or _port(session.upstream)
    return f"{session.protocol} {port}" if port else session.protocol


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0


def _harmless(text: str) -> str:
    """A note's text is escaped already, so its backslashes stand; this is for what none should hold."""
    return escape_text(text).replace("\\\\", "\\")
