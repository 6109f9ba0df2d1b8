"""What two compared sessions are called: good and bad only where that is what came of them."""

import re
from typing import Final, NamedTuple

from mailproxy.model.difference import Comparison, Difference
from mailproxy.model.finding import Outcome


class Names(NamedTuple):
    """What the sessions are called in front of a line, and within a sentence."""

    good: str
    bad: str
    in_good: str
    in_bad: str


GOOD_AND_BAD: Final = Names("good", "bad", "in the good session", "in the bad session")
FIRST_AND_SECOND: Final = Names("1st", "2nd", "in the first session", "in the second session")
THEN_AND_NOW: Final = Names("then", "now", "then", "now")
"""A recorded session, and its replay."""
WRITTEN: Final = re.compile(r"\b(?P<in>[Ii])n the (?P<which>good|bad) (?:session|one)\b")
"""How differences tell of them."""


def names(found: Comparison) -> Names:
    """Good and bad where the one went well and the other did not, else first and second."""
    good, bad = (each.outcome is Outcome.OK for each in (found.good_verdict, found.bad_verdict))
    return GOOD_AND_BAD if good and not bad else FIRST_AND_SECOND


def retold(found: Comparison, names: Names) -> Comparison:
    """The comparison in the words of these names."""
    if names == GOOD_AND_BAD:
        return found

    def again(each: Difference) -> Difference:
        return each._replace(told=renamed(each.told, names))

    rows = tuple(row._replace(differences=tuple(map(again, row.differences))) for row in found.rows)
    around = tuple(map(again, found.around))
    return found._replace(rows=rows, around=around, deciding=found.deciding and again(found.deciding))


def renamed(told: str, names: Names) -> str:
    """A sentence about the good and the bad session in the words of these names: now, not in the bad session."""

    def name(found: re.Match[str]) -> str:
        where = names.in_good if found["which"] == "good" else names.in_bad
        return where if found["in"] == "i" else where[0].upper() + where[1:]

    return WRITTEN.sub(name, told)
