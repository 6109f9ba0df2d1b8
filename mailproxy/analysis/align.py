"""Two sequences side by side: what is the same on both sides stands in one row.

The ends that are the same are taken off first; what is once on each side and in the same order parts the rest
(patience); the gaps between are aligned by their worth where they are small, and by looking ahead where they are not.
So two sessions of ten thousand exchanges are aligned in linear time or little more, whatever they are.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from typing import Final, NamedTuple

MOST: Final = 40_000
"""Cells of a table of costs: 200 exchanges on each side."""
AHEAD: Final = 50
SAME: Final = 4
ALIKE: Final = 2


class Key(NamedTuple):
    """What makes two things the same, and what makes them alike: the verb alone, where they are about others."""

    kind: Hashable
    about: Hashable = ""


Pair = tuple[int | None, int | None]


def align(left: Sequence[Key], right: Sequence[Key]) -> list[Pair]:
    """The indices side by side, in order; None where one side has nothing."""
    return list(_aligned(left, right, 0, len(left), 0, len(right)))


def _aligned(
    left: Sequence[Key], right: Sequence[Key], start: int, end: int, other_start: int, other_end: int
) -> Iterator[Pair]:
    while start < end and other_start < other_end and left[start] == right[other_start]:
        yield start, other_start
        start, other_start = start + 1, other_start + 1
    behind: deque[Pair] = deque()
    while start < end and other_start < other_end and left[end - 1] == right[other_end - 1]:
        end, other_end = end - 1, other_end - 1
        behind.appendleft((end, other_end))
    for place, other in [*_anchors(left, right, start, end, other_start, other_end), (end, other_end)]:
        yield from _gap(left, right, start, place, other_start, other)
        if place < end:
            yield place, other
        start, other_start = place + 1, other + 1
    yield from behind


def _anchors(
    left: Sequence[Key], right: Sequence[Key], start: int, end: int, other_start: int, other_end: int
) -> list[tuple[int, int]]:
    """What is there once on each side, as far as it is in the same order on both."""
    here = Counter(left[start:end])
    there = {key: index for index, key in enumerate(right[other_start:other_end], other_start)}
    again = Counter(right[other_start:other_end])
    once = [
        (index, there[left[index]]) for index in range(start, end) if here[left[index]] == 1 and again[left[index]] == 1
    ]
    return _rising(once)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest choice of pairs in which both indices rise, by patience sorting."""
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        at = bisect_left(tops, other)
        before.append(piles[at - 1] if at else -1)
        tops[at : at + 1] = [other]
        piles[at : at + 1] = [number]
    found: deque[tuple[int, int]] = deque()
    number = piles[-1] if piles else -1
    while number >= 0:
        found.appendleft(pairs[number])
        number = before[number]
    return list(found)


def _gap(
    left: Sequence[Key], right: Sequence[Key], start: int, end: int, other_start: int, other_end: int
) -> Iterator[Pair]:
    if (end - start) * (other_end - other_start) <= MOST:
        return _by_worth(left, right, start, end, other_start, other_end)
    return _by_looking_ahead(left, right, start, end, other_start, other_end)


def _worth(left: Key, right: Key) -> int:
    if left == right:
        return SAME
    return ALIKE if left.kind == right.kind else 0


def _by_worth(
    left: Sequence[Key], right: Sequence[Key], start: int, end: int, other_start: int, other_end: int
) -> Iterator[Pair]:
    """The alignment that is worth most (Needleman and Wunsch)."""
    rows, columns = end - start, other_end - other_start
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            worth = _worth(left[start + row], right[other_start + column])
            paired = worth + best[row + 1][column + 1] if worth else 0
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    row = column = 0
    while row < rows and column < columns:
        worth = _worth(left[start + row], right[other_start + column])
        if worth and best[row][column] == worth + best[row + 1][column + 1]:
            yield start + row, other_start + column
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            yield start + row, None
            row += 1
        else:
            yield None, other_start + column
            column += 1
    yield from ((start + each, None) for each in range(row, rows))
    yield from ((None, other_start + each) for each in range(column, columns))


def _by_looking_ahead(
    left: Sequence[Key], right: Sequence[Key], start: int, end: int, other_start: int, other_end: int
) -> Iterator[Pair]:
    """Pair what is alike, and skip on the side where its like is nearer."""
    while start < end and other_start < other_end:
        if left[start] == right[other_start]:
            skip = other_skip = 0
        else:
            skip, other_skip = _nearest(
                left[start : min(end, start + AHEAD)], right[other_start : min(other_end, other_start + AHEAD)]
            )
        yield from ((start + each, None) for each in range(skip))
        yield from ((None, other_start + each) for each in range(other_skip))
        start, other_start = start + skip, other_start + other_skip
        if start < end and other_start < other_end:
            yield start, other_start
            start, other_start = start + 1, other_start + 1
    yield from ((each, None) for each in range(start, end))
    yield from ((None, each) for each in range(other_start, other_end))


def _nearest(left: Sequence[Key], right: Sequence[Key]) -> tuple[int, int]:
    """How many to skip on each side until what follows is the same, else until it is alike; all where neither is."""
    kinds, others = [key.kind for key in left], [key.kind for key in right]
    return _first(left, right) or _first(kinds, others) or (len(left), len(right))


def _first(left: Sequence[Hashable], right: Sequence[Hashable]) -> tuple[int, int] | None:
    """The nearest places at which both sides have the same."""
    there: dict[Hashable, int] = {}
    for place, each in enumerate(right):
        there.setdefault(each, place)
    found = [(at + there[each], at, there[each]) for at, each in enumerate(left) if each in there]
    return min(found)[1:] if found else None
