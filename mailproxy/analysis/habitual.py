"""One session against many good ones: what only it has."""

from collections.abc import Iterable, Sequence

from mailproxy.analysis.deciding import deciding
from mailproxy.analysis.diff import Looked, compare
from mailproxy.model.difference import Comparison, Difference

Sign = tuple[str, ...]


def against(goods: Sequence[Looked], bad: Looked, strict: bool = False) -> Comparison:
    """Compare with the good session that is most like it, and keep the differences that it has from each of them.

    Raises ValueError where there is no good session.
    """
    if not goods:
        raise ValueError("there is no good session")
    each = [compare(good, bad, strict) for good in goods]
    everywhere = set.intersection(*(_signs(bad, found.differences) for found in each))
    nearest = min(each, key=lambda found: len(found.differences))
    rows = tuple(row._replace(differences=_kept(bad, row.differences, everywhere)) for row in nearest.rows)
    found = nearest._replace(rows=rows, around=_kept(bad, nearest.around, everywhere), deciding=None)
    return found._replace(deciding=deciding(found))


def _kept(bad: Looked, differences: Iterable[Difference], everywhere: set[Sign]) -> tuple[Difference, ...]:
    return tuple(each for each in differences if _sign(bad, each) in everywhere)


def _signs(bad: Looked, differences: Iterable[Difference]) -> set[Sign]:
    return {_sign(bad, each) for each in differences}


def _sign(bad: Looked, each: Difference) -> Sign:
    """What makes a difference the same as one from another good session: what the bad one has, or lacks."""
    plain = bad.course.plain
    has = plain(each.bad) if each.bad else each.good.split(" ", 1)[0]
    return each.what, each.stage, each.verb, has
