"""Compare two sessions: exchange by exchange, what differs, and which difference matters.

**What matters** is the first difference that leads to the other outcome. The diagnosis of the bad session tells where
it failed, and so how far one has to look; what is before that and is no mere matter of words is what led there. Where
both come to the same, the first difference of weight is named.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from mailproxy.analysis import deeds
from mailproxy.analysis.align import Key, align
from mailproxy.analysis.deciding import deciding
from mailproxy.analysis.differences import answers, surroundings
from mailproxy.analysis.differences.looking import Digest, Looked, command, evidence, reply
from mailproxy.analysis.differences.numbers import renumbered
from mailproxy.model.difference import Comparison, Difference, Row, What
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.session import Recording

__all__ = ["Digest", "Looked", "compare"]

ASKED_NOTHING: Final = (Flag.GREETING, Flag.UNASKED, Flag.UNPARSED)
SLOW: Final = 1_000_000  # microseconds
SLOWER: Final = 3  # times


def compare(
    good: Recording | Looked, bad: Recording | Looked, strict: bool = False, timing: bool = False
) -> Comparison:
    """Compare two sessions; `strict` takes nothing for volatile, `timing` looks at the time that answers took."""
    mine = good if isinstance(good, Looked) else Looked(good)
    yours = bad if isinstance(bad, Looked) else Looked(bad)
    mine, yours = renumbered(mine, yours)
    rows = tuple(_rows(mine, yours, strict, timing))
    around = tuple(surroundings.differences(mine, yours, strict))
    found = Comparison(mine.recording, yours.recording, rows, around, None, mine.verdict, yours.verdict)
    return deeds.of_differences(found._replace(deciding=deciding(found)))


def keys(looked: Looked) -> list[Key]:
    """What makes exchanges of a session like those of another."""
    return [_key(looked, each) for each in looked.steps]


def _key(looked: Looked, exchange: Exchange) -> Key:
    if exchange.verb:
        kind, about = looked.course.kind(exchange), looked.course.about(looked.meant(exchange))
        return Key((kind, about) if looked.is_of_a_thing(exchange) else kind, about)
    return Key(next((flag.value for flag in ASKED_NOTHING if flag in exchange.flags), ""))


def _rows(good: Looked, bad: Looked, strict: bool, timing: bool) -> Iterator[Row]:
    pairs = align(keys(good), keys(bad))
    for place, (one, other) in enumerate(pairs):
        mine = None if one is None else good.steps[one]
        yours = None if other is None else bad.steps[other]
        if mine and yours:
            found = [*answers.differences(good, bad, mine, yours, strict)]
            yield Row(mine, yours, (*found, *(_slower(bad, mine, yours) if timing else ())))
        elif mine:
            yield Row(mine, None, tuple(_missing(good, bad, mine, _around(pairs, place, 1, bad.steps))))
        elif yours:
            yield Row(None, yours, tuple(_additional(good, bad, yours, _around(pairs, place, 0, good.steps))))


def _around(
    pairs: Sequence[tuple[int | None, int | None]], place: int, side: int, steps: Sequence[Exchange]
) -> tuple[Exchange | None, Exchange | None]:
    """The exchanges of the other session before and behind a row in which it has none."""
    before = next((pair[side] for pair in reversed(pairs[max(0, place - 100) : place]) if pair[side] is not None), None)
    behind = next((pair[side] for pair in pairs[place + 1 : place + 101] if pair[side] is not None), None)
    return (
        None if before is None else steps[before],
        None if behind is None else steps[behind],
    )


Neighbours = tuple[Exchange | None, Exchange | None]


def _missing(good: Looked, bad: Looked, one: Exchange, neighbours: Neighbours) -> Iterator[Difference]:
    if not bad.missing_between(*neighbours):
        told = f"{_named(one)} is missing in the bad session."
        said = _both(good, one)
        yield Difference(What.MISSING, good.stage(one), one.verb, said, "", told, evidence(one), ())


def _additional(good: Looked, bad: Looked, other: Exchange, neighbours: Neighbours) -> Iterator[Difference]:
    if not good.missing_between(*neighbours):
        again = _retried(bad, other)
        told = f"{_named(other)} is {'said once more' if again else 'in the bad session only'}."
        what = What.RETRIED if again else What.ADDITIONAL
        yield Difference(what, bad.stage(other), other.verb, "", _both(bad, other), told, (), evidence(other))


def _named(exchange: Exchange) -> str:
    if exchange.verb:
        return exchange.verb
    if Flag.GREETING in exchange.flags:
        return "The greeting"
    return "A line that is no command" if exchange.command else "A reply"


def _retried(looked: Looked, exchange: Exchange) -> bool:
    """Whether the same was asked just before."""
    if not exchange.verb:
        return False
    place = looked.places[exchange.number]
    key = _key(looked, exchange)
    return any(_key(looked, each) == key for each in looked.steps[max(0, place - 3) : place])


def _both(looked: Looked, exchange: Exchange) -> str:
    """Command and reply, as one line."""
    return " | ".join(filter(None, (command(looked, exchange), reply(looked, exchange.reply))))


def _slower(bad: Looked, one: Exchange, other: Exchange) -> Iterator[Difference]:
    """An answer that took much longer in one of the sessions."""
    if one.latency is None or other.latency is None:
        return
    short, long = sorted((one.latency, other.latency))
    if long >= SLOW and long >= SLOWER * max(short, 1):
        said = f"{one.latency / 1e6:.3f} s", f"{other.latency / 1e6:.3f} s"
        told = f"The answer to {other.verb or 'the connection'} took {said[1]}, and {said[0]} in the good session."
        yield answers.unlike(What.TIME, bad, one, other, said, told)
