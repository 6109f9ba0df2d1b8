"""Things that go by another number in the other session: the first message of the one is the second of the other."""

from collections.abc import Mapping
from dataclasses import replace

from mailproxy.analysis.differences.looking import Looked


def renumbered(good: Looked, bad: Looked) -> tuple[Looked, Looked]:
    """Both sessions with the numbers that their things have in the bad one, where these differ."""
    numbers = _numbers(good, bad)
    if not numbers:
        return good, bad
    own = {number: number for named in _things(bad) for number in named}
    return replace(good, numbers=numbers), replace(bad, numbers=own)


def _numbers(good: Looked, bad: Looked) -> Mapping[str, str]:
    """The numbers in the bad session of what is in the good one, in brackets where it has none there.

    Empty where they are the same, or nothing is known.
    """
    for mine, yours in zip(_things(good), _things(bad), strict=True):
        there = {name: number for number, name in yours.items()}
        moved = {number: there[name] for number, name in mine.items() if name in there}
        if moved and _in_order(moved) and 2 * len(moved) >= min(len(mine), len(yours)):
            same = all(number == other for number, other in moved.items())
            return {} if same else {number: moved.get(number, f"({number})") for number in mine}
    return {}


def _things(looked: Looked) -> list[Mapping[str, str]]:
    return list(looked.course.things(looked.steps, looked.streams.octets))


def _in_order(moved: Mapping[str, str]) -> bool:
    """Whether things stand in the same order in both sessions: else it is chance that some are named alike."""
    return list(moved.values()) == sorted(moved.values(), key=int)
