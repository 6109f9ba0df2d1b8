"""What the player has asked for, and what has come of it so far."""

from collections import deque
from collections.abc import Iterable

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Move, Turn
from mailproxy.talk.play.login import Responses


class Asked:
    """A command that was said. `recorded` is what it stands for, None where it is the player's own.

    `turn` is what is known while it goes on, `exchange` once it has ended. `since` is where the server's stream stood.
    """

    __slots__ = ("body", "essential", "exchange", "line", "recorded", "responses", "since", "turn", "verb")

    def __init__(self, verb: str, line: bytes, recorded: Exchange | None, since: int) -> None:
        self.verb = verb
        self.line = line
        self.recorded = recorded
        self.since = since
        self.body = True  # what follows it in the record is said too
        self.essential = recorded is None
        self.responses: Responses | None = None
        self.turn: Turn | None = None
        self.exchange: Exchange | None = None

    @property
    def replies(self) -> int:
        """How many replies it has got."""
        if self.exchange:
            return len(self.exchange.replies)
        return len(self.turn.replies) if self.turn else 0

    @property
    def may_go_on(self) -> bool:
        """Whether it is the client's move: a message or a response is due."""
        return self.exchange is None and self.turn is not None and (self.turn.move is Move.CLIENT or self.turn.open)

    @property
    def granted(self) -> bool:
        """Whether it has ended well: what has no reply but a content has."""
        return self.exchange is not None and granted(self.exchange)


def granted(exchange: Exchange) -> bool:
    """Whether what was asked was granted."""
    return exchange.reply.positive if exchange.reply else exchange.content is not None and exchange.content.ended


class Ledger:
    """Finds to each command that was said the turn of the dialogue that it has opened.

    Commands open turns in their order, but not at once where they wait for the answer to another.
    """

    def __init__(self) -> None:
        self._unopened: deque[Asked] = deque()
        self._open: dict[int, Asked] = {}
        self._last = 0  # number of the last turn that was found

    @property
    def idle(self) -> bool:
        """Whether all that was said has been answered."""
        return not self._unopened and not self._open

    @property
    def oldest(self) -> Asked | None:
        """The first that has not been answered."""
        return next(iter(self._open.values()), self._unopened[0] if self._unopened else None)

    def say(self, asked: Asked) -> None:
        """A command is being said."""
        self._unopened.append(asked)

    def look(self, dialogue: Dialogue, told: Iterable[Exchange]) -> list[Asked]:
        """Hear what the dialogue tells; returns what has ended."""
        ended = [exchange for exchange in told if exchange.command]
        opened: list[Turn | Exchange] = [each for each in ended if each.number > self._last]
        for turn in reversed(dialogue.pending):
            if turn.number <= self._last:
                break
            if turn.command:
                opened.append(turn)
        for each in sorted(opened, key=lambda each: each.number):
            self._last = each.number
            if self._unopened and self._may_be(self._unopened[0], each, dialogue):
                asked = self._open[each.number] = self._unopened.popleft()
                asked.turn = each if isinstance(each, Turn) else None
        return [self._end(each) for each in ended if each.number in self._open]

    @staticmethod
    def _may_be(asked: Asked, found: Turn | Exchange, dialogue: Dialogue) -> bool:
        """Not so, where lines of a message are heard as commands. What is no command is heard as it is masked."""
        return asked.verb == found.verb or asked.verb.encode() not in dialogue.known

    def _end(self, exchange: Exchange) -> Asked:
        asked = self._open.pop(exchange.number)
        asked.turn, asked.exchange = None, exchange
        return asked
