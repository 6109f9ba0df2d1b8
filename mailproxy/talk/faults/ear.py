"""Hears what the client says and what the server says, and what is said in the server's place."""

import re
from collections import Counter
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Terms, Turn
from mailproxy.wire import dots

CLEAR: Final = Terms(secrets=True)
_SIZE: Final = re.compile(r"\d{1,15}(?= |$)")


class Ear:
    """A dialogue that hears the server as it is, before anything is spoiled, and counts commands and messages."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol: Final = protocol
        self.dialogue: Dialogue = protocol.dialogue(CLEAR)
        self.latest: Turn | None = None
        """The last command of the client."""
        self.numbers: dict[int, int] = {}
        """Which of its verb a command is, by the number of its turn."""
        self.messages_of: dict[int, int] = {}
        """Which message a turn carries."""
        self.messages = 0
        self.at = 0
        self._verbs: Counter[str] = Counter()

    def hear(self, side: Side, octets: bytes) -> tuple[list[Exchange], bool]:
        """Hear octets: the exchanges that have ended with them, and whether they are of a message."""
        heard = self.dialogue.feed(side, octets, self.at)
        message = any(isinstance(e, Frame) and e.side is side and e.kind is Kind.CONTENT for e in heard.entries)
        told, self.dialogue.exchanges = self.dialogue.exchanges, []
        self._learn()
        return told, message

    def forget(self, turn: Turn) -> None:
        """A command will get no reply."""
        self.dialogue.end(turn)
        self.dialogue.decided = True
        self.hear(Side.SERVER, b"")

    def stand_in(self, turn: Turn, reply: bytes) -> list[Exchange]:
        """Hear a reply that is given to a command in the server's place. A listing that it begins ends with it."""
        before = len(turn.replies)
        told, _ = self.hear(Side.SERVER, reply)
        if turn.open and self.dialogue.commanding:
            told += self.hear(Side.SERVER, b".\r\n")[0]
        if len(turn.replies) == before:
            self.forget(turn)
        return told

    def secured(self) -> None:
        """Both sides speak anew, under TLS."""
        greeted = self.dialogue.greeted
        self.dialogue = self.protocol.dialogue(CLEAR)
        self.dialogue.greeted = greeted
        self.dialogue.from_start = not greeted
        for side in Side:
            self.dialogue.secured(side)
        self.latest = None
        self.numbers.clear()
        self.messages_of.clear()

    @property
    def deaf(self) -> bool:
        """Whether what is said cannot be heard."""
        return self.dialogue.hidden

    @property
    def head(self) -> Turn | None:
        """The command that the server's next reply belongs to."""
        return self.dialogue.pending[0] if self.dialogue.greeted and self.dialogue.pending else None

    def counted(self, turn: Turn) -> int:
        """How many octets follow a command at once, which say nothing of their end (BDAT)."""
        size = _SIZE.match(turn.argument)
        at_once = turn.open and not self.dialogue.commanding and not self.dialogue.waiting
        return int(size[0]) if size and at_once else 0

    def number_of(self, turn: Turn) -> int:
        """Which of its verb a command is, from 1; 0 where that is not known."""
        return self.numbers.get(turn.number, 0)

    def new_message(self, turn: Turn) -> int:
        """Count a message."""
        self.messages += 1
        self.messages_of[turn.number] = self.messages
        return self.messages

    def done(self, exchange: Exchange) -> int:
        """Which of its verb an exchange was that has ended; it is not asked for again."""
        self.messages_of.pop(exchange.number, None)
        return self.numbers.pop(exchange.number, 0)

    def _learn(self) -> None:
        fresh: list[Turn] = []
        for turn in reversed(self.dialogue.pending):
            if self.latest and turn.number <= self.latest.number:
                break
            if turn.command:
                fresh.append(turn)
        for turn in reversed(fresh):
            self._verbs[turn.verb] += 1
            self.numbers[turn.number] = self._verbs[turn.verb]
            self.latest = turn


class Tail:
    """Looks for the end of a content that may be torn."""

    def __init__(self) -> None:
        self._seen = b""
        self._begun = False

    def length(self, octets: bytes) -> int:
        """How many of the octets, which come next, belong to the content: up to its end, else all."""
        end = dots.find_end(self._seen + octets, not self._begun)
        length = end - len(self._seen) if end >= 0 else len(octets)
        self._begun = self._begun or len(self._seen) + length > dots.TAIL
        self._seen = (self._seen + octets[:length])[-dots.TAIL :]
        return length
