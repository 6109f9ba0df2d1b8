"""What a recorded client could wait for: where in the server's stream it stands, and what had been heard at a place."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Side
from mailproxy.talk.play.script import EARLY, GREETED, After


class Milestones:
    """All that the server said. `silent` is where its side is missing."""

    def __init__(self, exchanges: list[Exchange], silent: bool) -> None:
        self._heard = sorted(_milestones(exchanges), key=lambda each: each.end)
        self._ends = [each.end for each in self._heard]
        self._unasked = sorted(_unasked(exchanges))
        greets = any(Flag.GREETING in exchange.flags for exchange in exchanges)
        self._first = EARLY if greets or silent else GREETED

    def after(self, position: int) -> After:
        """What has been heard up to a position in the server's stream."""
        unasked = bisect_right(self._unasked, position)
        at = bisect_right(self._ends, position)
        begun = self._heard[at] if at < len(self._heard) else None
        if begun and begun.after.whole and begun.start < position:
            return begun.after._replace(whole=False, octets=position - begun.start, unasked=unasked)
        return self._heard[at - 1].after._replace(unasked=unasked) if at else self._first

    def within(self, position: int) -> bool:
        """Whether a content of the server is to come or goes on there."""
        at = bisect_right(self._ends, position)
        begun = self._heard[at] if at < len(self._heard) else None
        return begun is not None and begun.start <= position and bool(begun.after.whole or begun.after.octets)


class _Heard(NamedTuple):
    """Where in the server's stream something begins and ends that can be waited for."""

    start: int
    end: int
    after: After


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
