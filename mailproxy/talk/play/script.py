"""The script of the recorded client: what it said, each part with what it had heard before it said it.

So pipelining is kept, and so is waiting. Where the record leaves off, leaves something out or cannot be read, the
script says so and ends.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum
from itertools import takewhile
from typing import Final, NamedTuple, TypeGuard

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import How, Recording
from mailproxy.protocols import named
from mailproxy.protocols.masking import USER
from mailproxy.protocols.outcome import DISTRUST
from mailproxy.protocols.turn import text

HIDDEN: Final = "what was said under TLS is not in the record"
ENDS: Final = "the record ends here"
_REFUSED: Final = re.compile(r"TLS failed with the client: (.*)|TLS failed: (alert \S+ from the client.*)", re.S)
_PASSWORD: Final = re.compile(rb"<secret: (?!EXTERNAL,|ANONYMOUS,)[^<>\r\n]*>")
_IN_CLEAR: Final = "it speaks in clear"
_SERVER_TLS: Final = "TLS failed with the server: "
_ENDINGS: Final = (
    ("closed by the client", Side.CLIENT, How.CLOSED),
    ("reset by the client", Side.CLIENT, How.RESET),
    ("timed out waiting for the server", Side.CLIENT, How.CLOSED),
    ("closed by the server", Side.SERVER, How.CLOSED),
    ("reset by the server", Side.SERVER, How.RESET),
    ("timed out waiting for the client", Side.SERVER, How.CLOSED),
)


class Role(Enum):
    """What a part is: a command line, a response in a SASL exchange, or a message behind a command."""

    COMMAND = 0
    RESPONSE = 1
    BODY = 2


class After(NamedTuple):
    """What had been heard: of the exchange of this number so many replies and, where its content had begun and not
    ended, so many octets of that; `whole` where it had ended. Number -1 is before the greeting. `unasked` counts what
    the server had said from the start that nobody had asked for."""

    number: int
    replies: int = 1
    octets: int = 0
    whole: bool = False
    unasked: int = 0


EARLY: Final = After(-1, 0)
GREETED: Final = After(0)


class Part(NamedTuple):
    """Something that the client said. `pause` is how many microseconds it took since it had heard what it waited for,
    or said what went before; `gap` is what the record says that is left out before it. `vain` tells that the server had
    ended the connection."""

    role: Role
    exchange: Exchange
    span: Span
    after: After
    pause: int = 0
    secure: bool = False
    gap: str = ""
    vain: bool = False


class End(NamedTuple):
    """How the session ended, by whom (None: that is not in the record), after what, and how long after it."""

    by: Side | None
    how: How
    after: After
    pause: int = 0


class Script(NamedTuple):
    """A recorded client's part.

    `why` says why it ends before the session did. `user` is who logged in, `masked` whether a password is masked.
    `timed` tells whether the times are known. `refusal` is how the client refused TLS, `in_clear` that it spoke in
    clear where TLS was expected, `distrusted` that the server's certificate was not trusted. `slip` is what had been
    heard when the client began TLS that nobody had granted and the server did not speak; None where it did not.
    """

    parts: tuple[Part, ...]
    end: End
    why: str
    user: str
    masked: bool
    timed: bool
    refusal: str = ""
    in_clear: bool = False
    distrusted: bool = False
    slip: After | None = None


class Words:
    """What the client said, to be cut as it was spoken: frame by frame."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        said = (entry for entry in entries if isinstance(entry, Frame) and entry.side is Side.CLIENT)
        self._frames = [frame for frame in said if frame.length]
        self._starts = [frame.start for frame in self._frames]

    def cut(self, span: Span) -> Iterator[bytes]:
        """The octets of a span that were kept, a piece for each frame."""
        for at in range(max(bisect_right(self._starts, span.start) - 1, 0), len(self._frames)):
            frame = self._frames[at]
            if frame.start >= span.end:
                return
            if frame.kind in {Kind.SPEECH, Kind.CONTENT}:
                yield frame.octets[max(span.start - frame.start, 0) : max(span.end - frame.start, 0)]

    def line(self, span: Span) -> bytes:
        """A line."""
        return b"".join(self.cut(span))


def script(recording: Recording, exchanges: tuple[Exchange, ...]) -> Script:
    """The script of a recorded client; `exchanges` are those of the recording."""
    return _Walk(recording, sorted(exchanges, key=lambda exchange: exchange.number)).go()


class _Heard(NamedTuple):
    """Where in the server's stream something begins and ends that can be waited for."""

    start: int
    end: int
    after: After


class _Walk:
    """Goes through a record in the order of events."""

    def __init__(self, recording: Recording, exchanges: list[Exchange]) -> None:
        self._recording = recording
        self._exchanges = exchanges
        self._heard = sorted(_milestones(exchanges), key=lambda each: each.end)
        self._ends = [each.end for each in self._heard]
        self._unasked = sorted(_unasked(exchanges))
        self._ended = False
        self._unspoken = sorted(_spoken(exchanges), key=lambda each: each[2].start, reverse=True)
        self._parts: list[Part] = []
        self._position = 0  # in the server's stream
        self._at = 0  # when anybody said anything last
        self._gap = ""
        self._greeting = any(Flag.GREETING in exchange.flags for exchange in exchanges)
        self._silent = not any(isinstance(each, Frame) and each.side is Side.SERVER for each in recording.entries)
        self._last: Exchange | None = None
        self._slip: After | None = None

    def go(self) -> Script:
        end: End | None = None
        why = ""
        for entry in self._recording.entries:
            if isinstance(entry, Note):
                self._note(entry)
                end = end or self._end(entry)
                self._ended = end is not None and end.by is Side.SERVER
            elif entry.kind is Kind.OPAQUE:
                self._opaque(entry)
                why = why or HIDDEN
            elif not why or (self._slip and entry.side is Side.SERVER):
                self._frame(entry)
        notes = [entry for entry in self._recording.entries if isinstance(entry, Note)]
        refusal = _refusal(notes)
        in_clear = refusal == _IN_CLEAR
        return Script(
            tuple(self._parts),
            end or End(None, How.CUT, self._after()),
            why or self._why(end, notes),
            self._user(),
            any(_PASSWORD.search(each.octets) for each in self._recording.entries if _is_clients(each)),
            any(entry.at for entry in self._recording.entries),
            "" if in_clear else refusal,
            in_clear,
            any(note.mark is Mark.FACT and note.text.startswith(DISTRUST) for note in notes),
            self._slip,
        )

    def _note(self, note: Note) -> None:
        if note.mark is Mark.GAP:
            self._gap = note.text or "something"

    def _opaque(self, frame: Frame) -> None:
        """What nobody could read. Where the server speaks it too, TLS was granted, or there from the start."""
        opaque = (each for each in self._recording.entries if isinstance(each, Frame) and each.kind is frame.kind)
        if self._slip is None and not self._silent and all(each.side is Side.CLIENT for each in opaque):
            self._slip = self._after()

    def _frame(self, frame: Frame) -> None:
        if frame.side is Side.SERVER:
            self._position = frame.end
        else:
            pause = max(frame.at - self._at, 0)
            while self._unspoken and self._unspoken[-1][2].start < frame.end:
                role, exchange, span = self._unspoken.pop()
                due = self._due()
                self._parts.append(Part(role, exchange, span, due, pause, frame.secure, self._gap, self._ended))
                self._gap = ""
                self._last = exchange
                pause = 0
        self._at = frame.at

    def _end(self, note: Note) -> End | None:
        if note.mark is not Mark.TROUBLE:
            return None
        for words, by, how in _ENDINGS:
            if note.text.startswith(words):
                return End(by, how, self._after(), max(note.at - self._at, 0))
        return None

    def _after(self) -> After:
        """What has been heard up to now."""
        unasked = bisect_right(self._unasked, self._position)
        at = bisect_right(self._ends, self._position)
        begun = self._heard[at] if at < len(self._heard) else None
        if begun and begun.after.whole and begun.start < self._position:
            return begun.after._replace(whole=False, octets=self._position - begun.start, unasked=unasked)
        if at:
            return self._heard[at - 1].after._replace(unasked=unasked)
        return EARLY if self._greeting or self._silent else GREETED

    def _due(self) -> After:
        """What has been heard before a part. Where the server's side is missing, a client speaks in its turn."""
        if not self._silent or len(self._exchanges) < 2:
            return self._after()
        if self._last is None:
            return GREETED
        said = takewhile(lambda part: part.exchange is self._last, reversed(self._parts))
        return After(self._last.number, len(list(said)))

    def _why(self, end: End | None, notes: list[Note]) -> str:
        """Why the record is no whole session."""
        if any(note.mark is Mark.TROUBLE and note.text.startswith(_SERVER_TLS) for note in notes):
            return "TLS failed with the recorded server"
        if not self._parts and end is None:
            return "the record has no word of the client"
        if self._gap:
            return f"the record leaves out what follows: {self._gap}"
        quit = any(part.exchange.verb == "QUIT" for part in self._parts[-1:])
        return "" if end or quit else ENDS

    def _user(self) -> str:
        """Who logged in, as far as a command or a mark tells."""
        by_command = named(self._recording.session.protocol).asking.user
        told = (by_command(exchange.verb, exchange.argument) for exchange in self._exchanges)
        users = (self._recording.session.user, *told, *self._marked())
        return next((user for user in users if user and user.isprintable()), "")

    def _marked(self) -> Iterator[str]:
        """The users whom marks name."""
        for entry in self._recording.entries:
            if _is_clients(entry) and (found := USER.search(text(entry.octets))):
                yield found[1]


def _is_clients(entry: Entry) -> TypeGuard[Frame]:
    return isinstance(entry, Frame) and entry.side is Side.CLIENT


def _spoken(exchanges: list[Exchange]) -> Iterator[tuple[Role, Exchange, Span]]:
    for exchange in exchanges:
        if exchange.command:
            yield Role.COMMAND, exchange, exchange.command
        for span in exchange.extra:
            yield Role.RESPONSE, exchange, span
        if exchange.content and exchange.content.span.side is Side.CLIENT and exchange.content.span.length:
            yield Role.BODY, exchange, exchange.content.span


def _milestones(exchanges: list[Exchange]) -> Iterator[_Heard]:
    """All that the server said and that was asked for, or greets."""
    for exchange in exchanges:
        if exchange.command is None and Flag.GREETING not in exchange.flags:
            continue
        number = exchange.number if exchange.command else 0
        for count, reply in enumerate(exchange.replies, 1):
            yield _Heard(reply.span.start, reply.span.end, After(number, count))
        content = exchange.content
        if content and content.span.side is Side.SERVER and content.span.length:
            count = len(exchange.replies)
            whole = After(number, count, whole=True)
            broken = After(number, count, content.span.length)
            yield _Heard(content.span.start, content.span.end, whole if content.ended else broken)


def _unasked(exchanges: list[Exchange]) -> Iterator[int]:
    """Where in the server's stream that ends which nobody had asked for."""
    for exchange in exchanges:
        if exchange.command is None and Flag.GREETING not in exchange.flags:
            yield from (reply.span.end for reply in exchange.replies)


def _refusal(notes: list[Note]) -> str:
    """How the client refused TLS, empty where it did not."""
    for note in notes:
        if note.mark is Mark.TROUBLE and (found := _REFUSED.match(note.text)):
            return found[1] or found[2]
    return ""


def by_proxy(recording: Recording, exchanges: tuple[Exchange, ...]) -> frozenset[int]:
    """The numbers of the commands that mailproxy answered itself, which the server never heard."""
    places = {
        entry.start for entry in recording.entries
        if isinstance(entry, Frame) and entry.side is Side.SERVER and entry.origin is Origin.PROXY and entry.length
    }  # fmt: skip
    return frozenset(
        exchange.number for exchange in exchanges
        if exchange.command and exchange.replies and exchange.replies[0].span.start in places
    )  # fmt: skip
