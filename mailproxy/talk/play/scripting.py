"""Writes the script of a recorded client. Where the record leaves off, leaves something out or cannot be read, the
script says so and ends."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final, TypeGuard

from mailproxy.model.escape import unescape
from mailproxy.model.exchange import Exchange
from mailproxy.model.mask import MARK
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import How, Recording
from mailproxy.protocols import named
from mailproxy.protocols.masking import USER
from mailproxy.protocols.outcome import DISTRUST
from mailproxy.protocols.turn import text
from mailproxy.talk.play.milestones import Milestones
from mailproxy.talk.play.script import GREETED, After, End, Part, Role, Script

HIDDEN: Final = "what was said under TLS is not in the record"
ENDS: Final = "the record ends"
_STRAY: Final = re.compile(r"dropped (\d+) octets? of the client behind \w+: (.*)", re.S)
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


def script(recording: Recording, exchanges: tuple[Exchange, ...]) -> Script:
    """The script of a recorded client; `exchanges` are those of the recording."""
    return _Walk(recording, sorted(exchanges, key=lambda exchange: exchange.number)).go()


class _Walk:
    """Goes through a record in the order of events."""

    def __init__(self, recording: Recording, exchanges: list[Exchange]) -> None:
        self._recording = recording
        self._exchanges = exchanges
        self._ended = False
        self._unspoken = sorted(_spoken(exchanges), key=lambda each: each[2].start, reverse=True)
        self._parts: list[Part] = []
        self._position = 0  # in the server's stream
        self._said = 0  # as far in the client's
        self._at = 0  # when anybody said anything last
        self._gap = ""
        self._silent = not any(isinstance(each, Frame) and each.side is Side.SERVER for each in recording.entries)
        self._milestones = Milestones(exchanges, self._silent)
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
            self._users(),
            any(_PASSWORD.search(each.octets) for each in self._recording.entries if _is_clients(each)),
            any(entry.at for entry in self._recording.entries),
            "" if in_clear else refusal,
            in_clear,
            any(note.mark is Mark.FACT and note.text.startswith(DISTRUST) for note in notes),
            self._slip,
            next(filter(None, map(_stray, notes)), b""),
            next((note.text.removeprefix(_SERVER_TLS) for note in notes if _is_unoffered(note)), ""),
        )

    def _note(self, note: Note) -> None:
        if note.mark is not Mark.GAP or self._milestones.within(self._position):
            return  # what is left out of the server's content the client need not know
        gap = note.text or "something"
        last = self._parts[-1] if self._parts else None
        if last and last.role is Role.BODY and self._said < last.span.end:
            self._parts[-1] = last._replace(gap=gap)
        else:
            self._gap = gap

    def _opaque(self, frame: Frame) -> None:
        """What nobody could read. Where the server speaks it too, TLS was granted, or there from the start."""
        opaque = (each for each in self._recording.entries if isinstance(each, Frame) and each.kind is frame.kind)
        if self._slip is None and not self._silent and all(each.side is Side.CLIENT for each in opaque):
            self._slip = self._after()

    def _frame(self, frame: Frame) -> None:
        if frame.side is Side.SERVER:
            self._position = frame.end
        else:
            self._said = frame.end
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
        return self._milestones.after(self._position)

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
        last = next((part.exchange.verb for part in reversed(self._parts)), "")
        return "" if end or last == "QUIT" else f"{ENDS} behind {last or 'what was said'}"

    def _users(self) -> tuple[str, ...]:
        """Who logged in, as far as a command or a mark tells."""
        by_command = named(self._recording.session.protocol).asking.user
        told = (by_command(exchange.verb, exchange.argument) for exchange in self._exchanges)
        users = (self._recording.session.user, *told, *self._marked())
        return tuple(user for user in users if user and user.isprintable())

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


def _is_unoffered(note: Note) -> bool:
    return note.mark is Mark.TROUBLE and note.text.startswith(f"{_SERVER_TLS}it offers no ")


def _stray(note: Note) -> bytes:
    """The octets of which a note tells that they stood behind a wish for TLS, where all of them are shown."""
    found = _STRAY.fullmatch(note.text) if note.mark is Mark.TROUBLE else None
    said = unescape(found[2]) if found else b""
    return said if found and len(said) == int(found[1]) and not MARK.search(said) else b""


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
