"""One session against many good ones: what only it has."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mailproxy.analysis.deciding import deciding
from mailproxy.analysis.diff import Looked, compare
from mailproxy.model.difference import Comparison, Difference, Row

Sign = tuple[str, ...]


def against(goods: Sequence[Looked], bad: Looked, strict: bool = False) -> Comparison:
    """Compare with the good session that is most like it, and keep the differences that it has from each of them.

    Raises ValueError where there is no good session.
    """
    if not goods:
        raise ValueError("there is no good session")
    each = [compare(good, bad, strict) for good in goods]
    nearest = min(each, key=lambda found: (len(_alone(found)), len(found.differences)))
    beside = [_Beside(_signs(bad, found.differences), _alone(found)) for found in each]
    rows = tuple(row._replace(differences=_kept(bad, row, beside)) for row in nearest.rows)
    around = _kept(bad, Row(None, None, nearest.around), beside)
    found = nearest._replace(rows=rows, around=around, deciding=None)
    return found._replace(deciding=deciding(found))


class _Beside(NamedTuple):
    """What the bad session has that one good session has not: differences, and whole exchanges by their numbers."""

    signs: frozenset[Sign]
    alone: frozenset[int]


def _alone(found: Comparison) -> frozenset[int]:
    return frozenset(row.bad.number for row in found.rows if row.bad and not row.good)


def _kept(bad: Looked, row: Row, beside: Sequence[_Beside]) -> tuple[Difference, ...]:
    """The differences of a row that are there beside each of the good sessions; what is said in an exchange that one of
    them has not at all, that one has not either."""
    asked = [each.signs for each in beside if not row.bad or not row.good or row.bad.number not in each.alone]
    return tuple(each for each in row.differences if all(_sign(bad, each) in signs for signs in asked))


def _signs(bad: Looked, differences: Iterable[Difference]) -> frozenset[Sign]:
    return frozenset(_sign(bad, each) for each in differences)


def _sign(bad: Looked, each: Difference) -> Sign:
    """What makes a difference the same as one from another good session: what the bad one has, or lacks."""
    plain = bad.course.plain
    has = plain(each.bad) if each.bad else each.good.split(" ", 1)[0]
    return each.what, each.stage, each.verb, has
