"""What differs because it was meant to: a message that was not delivered, a mailbox that was left as it was."""

from collections.abc import Sequence, Set

from mailproxy.analysis.deciding import deciding
from mailproxy.model.difference import Comparison, Difference, Row, What


def as_meant(found: Comparison, otherwise: Set[int], elsewhere: bool) -> Comparison:
    """The comparison without the differences at recorded exchanges that were said `otherwise`, by their numbers, and
    without what was said in their place; behind the first of them, and with another server (`elsewhere`), without those
    of mere words, which may follow from it."""
    if not otherwise and not elsewhere:
        return found
    meant = [_meant(found.rows, place, otherwise) for place in range(len(found.rows))]
    first = 0 if elsewhere else meant.index(True) if True in meant else len(meant)
    rows = tuple(
        row._replace(differences=() if meant[place] else _kept(row, place >= first))
        for place, row in enumerate(found.rows)
    )
    found = found._replace(rows=rows, deciding=None)
    return found._replace(deciding=deciding(found))


def _kept(row: Row, wordless: bool) -> tuple[Difference, ...]:
    return tuple(each for each in row.differences if not (wordless and each.what is What.WORDS))


def _meant(rows: Sequence[Row], place: int, otherwise: Set[int]) -> bool:
    row = rows[place]
    if row.good is not None:
        return row.good.number in otherwise
    beside = rows[max(0, place - 1) : place + 2]
    return any(each.good is not None and each.good.number in otherwise for each in beside)
