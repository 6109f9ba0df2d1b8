"""What the client says, cut where a command or a message ends. Only what may be a command that is wanted is held."""

from collections.abc import Set
from enum import Enum
from typing import NamedTuple

from mailproxy.model.octets import Side
from mailproxy.protocols.turn import Move, Turn
from mailproxy.talk.faults.ear import Ear, Tail
from mailproxy.talk.faults.fault import HOLD_LIMIT


class Manner(Enum):
    """What octets of the client are."""

    COMMAND = 0  # a line, whole
    MESSAGE = 1
    OTHER = 2  # what belongs to the command before, or is part of a line that nobody wants


class Piece(NamedTuple):
    """Octets that belong together; `turn` is the command that they are, or that they belong to."""

    octets: bytes
    manner: Manner
    turn: Turn | None = None
    first: bool = False
    last: bool = False


class Asked:
    """Cuts the client's octets. `wanted` are the verbs of commands to be held until they are whole; with `careful`
    nothing goes on that may be a command or not, until the server has decided that."""

    def __init__(self, ear: Ear, wanted: Set[bytes], careful: bool) -> None:
        self._ear = ear
        self._wanted = wanted
        self._careful = careful
        self._held = b""
        self._begun = False  # of a line the first octets have gone on
        self._left = 0  # octets of a counted message that are still to come
        self._tail: Tail | None = None  # of the message at hand

    def add(self, octets: bytes) -> None:
        """Hear octets."""
        self._held += octets

    def anew(self) -> bytes:
        """Both sides speak anew: what was held, and goes on as it is."""
        octets, self._held = self._held, b""
        self._begun, self._left, self._tail = False, 0, None
        return octets

    def next(self, let_go: bool = False) -> Piece | None:
        """The next of the octets that belong together, None where more must come; with `let_go` nothing is held."""
        dialogue = self._ear.dialogue
        if not self._held:
            return None
        if not self._careful or self._ear.deaf:
            return self._other(len(self._held))
        let_go = let_go or len(self._held) >= HOLD_LIMIT
        latest = self._ear.latest
        if dialogue.commanding and not self._left:
            return self._command(let_go)
        if latest and (self._left or latest.open):
            return self._message(latest)
        if latest and latest.move is Move.WAITING and dialogue.waiting:
            return self._other(len(self._held)) if let_go else None
        return self._other(self._line() or len(self._held))

    def _line(self) -> int:
        return self._held.find(b"\n") + 1

    def _take(self, length: int) -> bytes:
        octets, self._held = self._held[:length], self._held[length:]
        return octets

    def _other(self, length: int) -> Piece:
        octets = self._take(length)
        self._ear.hear(Side.CLIENT, octets)
        return Piece(octets, Manner.OTHER, self._ear.latest)

    def _command(self, let_go: bool) -> Piece | None:
        length = self._line()
        if not length and not (let_go or self._begun or not self._may_be_wanted()):
            return None
        whole, self._begun = bool(length) and not self._begun, not length
        before = self._ear.latest
        octets = self._take(length or len(self._held))
        self._ear.hear(Side.CLIENT, octets)
        latest = self._ear.latest
        if latest is before or latest is None:
            return Piece(octets, Manner.OTHER, latest if latest and latest.open else None)
        self._left = self._ear.counted(latest)
        self._tail = None
        return Piece(octets, Manner.COMMAND if whole else Manner.OTHER, latest)

    def _may_be_wanted(self) -> bool:
        words = self._held.upper().split(None, 1)
        if not words:
            return bool(self._wanted)
        if len(words) == 1 and not self._held[-1:].isspace():
            return any(verb.startswith(words[0]) for verb in self._wanted)
        return words[0] in self._wanted

    def _message(self, turn: Turn) -> Piece:
        first = self._tail is None
        self._tail = self._tail or Tail()
        length = min(self._left, len(self._held)) if self._left else self._tail.length(self._held)
        octets = self._take(length)
        self._left = max(self._left - length, 0)
        self._ear.hear(Side.CLIENT, octets)
        last = not turn.open
        if last:
            self._left = 0
        return Piece(octets, Manner.MESSAGE, turn, first, last)
