"""Which recorded exchange answers a command: by meaning, and each once, as long as there are any."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.answering import Answering, Meaning


class Likeness(Enum):
    """How much an exchange is like what was asked: the same or about something else, of another verb, used before."""

    SAME = 0
    KIN = 1
    AGAIN = 2


class Chosen(NamedTuple):
    """An exchange that answers a command."""

    exchange: Exchange
    likeness: Likeness


class Choice:
    """The commands of a record that nobody has asked yet, and those that were asked already.

    `place` is where the session is: what stands at it or behind it is preferred to what was skipped.
    """

    def __init__(self, exchanges: Sequence[Exchange], answering: Answering) -> None:
        self._answering = answering
        self._exchanges = [exchange for exchange in exchanges if exchange.command]
        self._unused: dict[str, list[int]] = {}
        self._about: dict[tuple[str, str], list[int]] = {}
        self._used: dict[str, int] = {}
        self._used_about: dict[tuple[str, str], int] = {}
        self._meaning = answering.meaning()  # of the session that is played
        self.place = 0
        self._keys = list(self._recorded_keys())
        for at, key in enumerate(self._keys):
            self._unused.setdefault(key[0], []).append(at)
            self._about.setdefault(key, []).append(at)

    def fresh(self, verb: str, argument: str) -> Chosen | None:
        """An exchange that has not been used, and now is."""
        key = self._key(verb, argument, self._meaning)
        found = self._next(self._about.get(key, []))
        if found is None and key in self._about:
            return None  # the record knows it, and it has been asked
        if found is None and verb not in self._answering.particular:
            found = self._next(self._unused.get(verb, []))
        if found is not None:
            return self._take(found, verb, argument, Likeness.SAME)
        for kin in self._answering.kin(verb, argument):
            if (found := self._deciding(kin)) is not None:
                return self._take(found, verb, argument, Likeness.KIN)
        return None

    def again(self, verb: str, argument: str) -> Chosen | None:
        """The exchange that answered the like of it last."""
        found = self._used_about.get(self._key(verb, argument, self._meaning))
        if found is None and verb not in self._answering.particular:
            found = self._used.get(verb)
        for kin in self._answering.kin(verb, argument):
            found = self._used.get(kin) if found is None else found
        return None if found is None else Chosen(self._exchanges[found], Likeness.AGAIN)

    def skip_to(self, number: int) -> None:
        """Go on at the first exchange of this number or a higher one."""
        numbers = [exchange.number for exchange in self._exchanges]
        self.place = max(self.place, bisect_left(numbers, number))

    def heard(self, exchange: Exchange) -> None:
        """Learn what has been asked and answered."""
        self._meaning.heard(exchange)

    def _recorded_keys(self) -> Iterator[tuple[str, str]]:
        meaning = self._answering.meaning()
        for exchange in self._exchanges:
            yield self._key(exchange.verb, exchange.argument, meaning)
            meaning.heard(exchange)

    def _key(self, verb: str, argument: str, meaning: Meaning) -> tuple[str, str]:
        return verb, self._answering.about(verb, meaning.meant(verb, argument))

    def _next(self, places: list[int]) -> int | None:
        at = bisect_left(places, self.place)
        return places[at] if at < len(places) else places[0] if places else None

    def _deciding(self, verb: str) -> int | None:
        places = self._unused.get(verb, [])
        at = bisect_left(places, self.place)
        for place in (*places[at:], *places[:at]):
            if self._answering.decides(self._exchanges[place]):
                return place
        return None

    def _take(self, found: int, verb: str, argument: str, likeness: Likeness) -> Chosen:
        exchange, key = self._exchanges[found], self._keys[found]
        _remove(self._unused[exchange.verb], found)
        _remove(self._about[key], found)
        self._used[exchange.verb] = self._used[verb] = found
        self._used_about[key] = self._used_about[self._key(verb, argument, self._meaning)] = found
        self.place = max(self.place, found + 1)
        return Chosen(exchange, likeness)


def _remove(places: list[int], place: int) -> None:
    del places[bisect_left(places, place)]
