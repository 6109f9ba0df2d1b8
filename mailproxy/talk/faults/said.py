"""What the server says, cut where one unit ends and the next begins."""

from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side
from mailproxy.protocols.turn import Turn
from mailproxy.talk.faults.ear import Ear, Tail
from mailproxy.talk.faults.fault import Sort, Unit


class Piece(NamedTuple):
    """Octets of one unit, None where nobody can tell what they are.

    `told` are the exchanges that they ended, `code` that of the reply they are the last of.
    """

    octets: bytes
    unit: Unit | None
    first: bool = False
    last: bool = False
    told: tuple[Exchange, ...] = ()
    code: str = ""


class Said:
    """Cuts the server's octets."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self.unit: Unit | None = None
        """What the server is in the midst of."""
        self._turn: Turn | None = None
        self._replies = 0
        self._content = False
        self._greeting = False
        self._tail = Tail()

    def next(self, octets: bytes) -> Piece:
        """The first of the octets that belong together. What comes is known by its first octet."""
        if self._ear.deaf:
            self.unit = None
            return Piece(octets, None)
        first = self.unit is None
        if first:
            self._begin()
        piece = octets[: self._length(octets, first)]
        told, message = self._ear.hear(Side.SERVER, piece)
        if self.unit is None:
            self._content = self._content or message
            self.unit = self._named(message)
        unit, last = self.unit, self._ended(told)
        if last:
            self.unit = None
        return Piece(piece, unit, first, last, tuple(told), self._code(told) if last else "")

    def _begin(self) -> None:
        dialogue = self._ear.dialogue
        self._turn = self._ear.head
        self._greeting = not dialogue.greeted
        self._replies = len(self._turn.replies) if self._turn else 0
        self._content = bool(self._turn and self._turn.open and dialogue.commanding)
        self._tail = Tail()

    def _length(self, octets: bytes, first: bool) -> int:
        if self._content and self._replies:
            return self._tail.length(octets[:1] if first else octets)
        return 1 if first else (octets.find(b"\n") + 1 or len(octets))

    def _named(self, message: bool) -> Unit:
        turn = self._turn
        if turn is None:
            return Unit(Side.SERVER, Sort.GREETING if self._greeting else Sort.REPLY)
        sort = Sort.REPLY
        if self._content:
            sort = Sort.MESSAGE if message else Sort.LISTING
        answers = bool(turn.content and turn.content.span.side is Side.CLIENT and turn.verb)
        number = self._ear.new_message(turn) if message else self._ear.messages_of.get(turn.number, 0)
        verb = turn.verb if turn.verb.encode() in self._ear.dialogue.known else ""
        return Unit(Side.SERVER, sort, verb, self._ear.number_of(turn), number, answers)

    def _ended(self, told: list[Exchange]) -> bool:
        if self._content:
            return self._turn is None or not self._turn.open
        return bool(told) or (self._turn is not None and len(self._turn.replies) > self._replies)

    def _code(self, told: list[Exchange]) -> str:
        replies = self._turn.replies if self._turn else [reply for each in told for reply in each.replies]
        return replies[-1].code if replies else ""
