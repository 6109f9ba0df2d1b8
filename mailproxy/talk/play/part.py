"""The part of the recorded server: what it said to which command, and what it did that nobody had asked for.

A *piece* is what it said in one go: a reply, with all that followed up to the next one. A *step* is a piece or an
ending, and when it is due. Whatever nobody asked for follows what went before it in the record: a reply, a command
that was still unanswered, or so many octets of a message.
"""

from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from mailproxy.model.exchange import Content, Exchange, Flag
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Ending, How, Recording
from mailproxy.protocols.outcome import OURS
from mailproxy.talk.practice.conversation import Close, Reset

START: Final = -1
"""The number under which stands what a server does before it is asked anything."""
LEFT: Final = "closed by the client without "
SOON: Final = 5_000_000
"""A client that leaves within so many microseconds has not been waiting for a server that had fallen silent."""

_ENDINGS: Final[tuple[tuple[str, Close | Reset], ...]] = (
    ("closed by the server", Close()),
    ("reset by the server", Reset()),
    ("timed out waiting for the client", Close()),
)
_HOW: Final[dict[How, Close | Reset]] = {How.CLOSED: Close(), How.RESET: Reset()}


class When(Enum):
    """When a step is due: it is the server's move, at once behind what went before, or so much has been heard."""

    ASKED = 0
    AT_ONCE = 1
    HEARD = 2


class Piece(NamedTuple):
    """What the server said from `start` up to `end` of its stream, of which the reply goes up to `reply`."""

    start: int
    reply: int
    end: int
    greeting: bool = False


class Step(NamedTuple):
    """What is done, and when: HEARD is behind `octets` octets of a message. `pause` is in microseconds."""

    when: When
    what: Piece | bytes | Close | Reset
    octets: int = 0
    pause: int = 0


class Track:
    """The frames of the server, in clear, to be cut into pieces; each with the microseconds that it took."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self._frames: list[Frame] = []
        self._pauses: list[int] = []
        last = 0
        for entry in entries:
            if isinstance(entry, Frame):
                if entry.side is Side.SERVER and entry.length:
                    self._frames.append(entry)
                    self._pauses.append(max(entry.at - last, 0))
                last = entry.at
        self._starts = [frame.start for frame in self._frames]
        opaque = (frame.start for frame in self._frames if frame.kind is Kind.OPAQUE)
        self.end = next(opaque, self._frames[-1].end if self._frames else 0)
        """How far the server can be heard."""

    def cut(self, start: int, end: int) -> Iterator[tuple[Frame, int]]:
        """What stands there, frame by frame, and the pause before each."""
        for at in range(max(bisect_right(self._starts, start) - 1, 0), len(self._frames)):
            frame = self._frames[at]
            if frame.start >= end or frame.kind is Kind.OPAQUE:
                return
            since, until = max(start, frame.start), min(end, frame.end)
            if since < until:
                octets = frame.octets[since - frame.start : until - frame.start]
                piece = frame._replace(octets=octets, start=since, wire=until - since)
                yield piece, self._pauses[at] if since == frame.start else 0

    def octets(self, start: int, end: int) -> bytes:
        """What stands there, of what was kept."""
        return b"".join(frame.octets for frame, _ in self.cut(start, end))

    def secure_at(self, position: int) -> bool:
        """Whether what stands there was said under TLS."""
        return any(frame.secure for frame, _ in self.cut(position, position + 1))


class Part:
    """What the server of a recording does. `steps` are found by the number of the exchange that they belong to."""

    def __init__(self, recording: Recording, exchanges: tuple[Exchange, ...]) -> None:
        self.track = Track(recording.entries)
        self.steps: dict[int, list[Step]] = {}
        self.left = _cut(recording)
        """Whether the client left a server that, as far as is known, had gone on."""
        self.cut = _cut(recording)
        """Whether the record ends before the session did."""
        self.hesitates = False
        """Whether the client had spoken before the server did."""
        self.exchanges = sorted(exchanges, key=lambda exchange: exchange.number)
        _Walk(self, recording).go()

    def goes_on_behind(self, exchange: Exchange) -> bool:
        """Whether the server said anything behind its last answer to this one."""
        ends = [step.what.end for step in self.steps.get(exchange.number, []) if isinstance(step.what, Piece)]
        return bool(ends) and max(ends) < self.track.end


class _Said(NamedTuple):
    piece: Piece
    exchange: Exchange
    first: bool  # of its exchange
    last: bool


class _Anchor(NamedTuple):
    """What went last, which something that nobody asked for follows."""

    number: int
    when: When = When.AT_ONCE
    octets: int = 0


class _Walk:
    """Goes through a record in the order of events."""

    def __init__(self, part: Part, recording: Recording) -> None:
        self._part = part
        self._recording = recording
        self._said = _pieces(part)
        self._asked = [(exchange.command.start, exchange) for exchange in part.exchanges if exchange.command]
        self._asked.sort(key=lambda asked: asked[0])
        self._owed: dict[int, Exchange] = {}  # commands that have not got their last reply
        self._anchor = _Anchor(START)
        self._heard = 0  # of the client's stream
        self._at = 0
        self._greets = any(said.piece.greeting for said in self._said)
        self._greeted = False
        self._deserted = False  # by the client, before the server ended anything

    def go(self) -> None:
        self._said.reverse()
        self._asked.reverse()
        for entry in self._recording.entries:
            if isinstance(entry, Note):
                if (ending := _ending(entry)) is not None:
                    return self._end(ending, entry.at)
                if _by_client(entry) and not self._deserted:
                    self._deserted = True
                    self._part.left = 0 < entry.at < self._at + SOON
                if self._left(entry):
                    return
                continue
            if entry.side is Side.SERVER:
                self._server(entry)
            elif entry.length:
                self._client(entry)
            self._at = entry.at
        match self._recording.session.server.ending:
            case Ending(by=Side.SERVER, how=how, at=at) if how in _HOW and self._recording.entries:
                if not self._deserted:
                    self._end(_HOW[how], at)

    def _left(self, note: Note) -> bool:
        """Whether the client went without QUIT, all answered: so the server did not end of its own accord."""
        answered = self._anchor.when is When.AT_ONCE and self._anchor.number != START and not self._owed
        return answered and note.mark is Mark.TROUBLE and note.text.startswith(LEFT)

    def _end(self, ending: Close | Reset, at: int) -> None:
        number, when, octets = self._anchor
        self._put(number, Step(when, ending, octets, max(at - self._at, 0)))

    def _put(self, number: int, step: Step) -> None:
        self._part.steps.setdefault(number, []).append(step)

    def _server(self, frame: Frame) -> None:
        self._greeted |= frame.length > 0
        while self._said and self._said[-1].piece.start < frame.end:
            piece, exchange, first, last = self._said.pop()
            if exchange.command:
                self._put(exchange.number, self._due(piece, exchange, first))
                self._anchor = _Anchor(exchange.number)
                if last and _body_end(exchange) <= self._heard:
                    self._owed.pop(exchange.number, None)
            else:
                number, when, octets = _Anchor(START) if piece.greeting else self._anchor
                self._put(number, Step(when, piece, octets))
                self._anchor = _Anchor(number)

    def _due(self, piece: Piece, exchange: Exchange, first: bool) -> Step:
        """A reply is due when it is asked for, but for one that broke into the client's message."""
        content = exchange.content
        early = content and content.span.side is Side.CLIENT and not (first and content.announced is None)
        if content and early and Flag.ODD_END not in exchange.flags and self._within(content):
            return Step(When.HEARD, piece, self._heard - content.span.start)
        return Step(When.ASKED, piece)

    def _client(self, frame: Frame) -> None:
        self._heard = frame.end
        self._part.hesitates |= self._greets and not self._greeted
        while self._asked and self._asked[-1][0] < frame.end:
            _, exchange = self._asked.pop()
            self._owed[exchange.number] = exchange
        oldest = next(iter(self._owed.values()), None)
        if not oldest:
            if frame.kind is Kind.OPAQUE:
                self._anchor = _Anchor(START, When.HEARD)
            return
        content = oldest.content
        if content and content.span.side is Side.CLIENT and self._within(content):
            self._anchor = _Anchor(oldest.number, When.HEARD, frame.end - content.span.start)
        else:
            self._anchor = _Anchor(oldest.number, When.ASKED)

    def _within(self, content: Content) -> bool:
        """Whether the client is in the midst of a message."""
        start, end = content.span.start, content.span.end
        return start < self._heard and (self._heard < end or (self._heard == end and not content.ended))


def _ending(note: Note) -> Close | Reset | None:
    if note.mark is Mark.TROUBLE:
        return next((what for text, what in _ENDINGS if note.text.startswith(text)), None)
    return None


def _cut(recording: Recording) -> bool:
    """Whether nothing tells how the session ended."""
    session = recording.session
    notes = (entry for entry in recording.entries if isinstance(entry, Note) and entry.mark is Mark.TROUBLE)
    known = session.client.ending or session.server.ending
    return not known and all(note.text.startswith(OURS) for note in notes)


def _by_client(note: Note) -> bool:
    return note.mark is Mark.TROUBLE and note.text.startswith(("closed by the client", "reset by the client"))


def _body_end(exchange: Exchange) -> int:
    """Up to where the client's own part of an exchange goes."""
    spans = [*exchange.extra, *([exchange.content.span] if exchange.content else [])]
    return max((span.end for span in spans if span.side is Side.CLIENT), default=0)


def _pieces(part: Part) -> list[_Said]:
    """All that the server said, in order, each octet in one piece."""
    begun = [(*place, at, each) for each in part.exchanges for at, place in enumerate(_starts(each))]
    begun = sorted((each for each in begun if each[0] < part.track.end), key=lambda each: each[0])
    ends = [start for start, *_ in begun[1:]] + [part.track.end]
    return [
        _Said(Piece(start, reply, end, Flag.GREETING in each.flags), each, at == 0, at + 1 == len(_starts(each)))
        for (start, reply, at, each), end in zip(begun, ends, strict=False)
    ]


def _starts(exchange: Exchange) -> list[tuple[int, int]]:
    """Where each reply begins and ends; or the content, where there is nothing else."""
    if exchange.replies:
        return [(reply.span.start, reply.span.end) for reply in exchange.replies]
    content = exchange.content
    return [(content.span.start, content.span.start)] if content and content.span.side is Side.SERVER else []
