"""What two sessions differ in."""

from enum import StrEnum
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Evidence, Stage, Verdict
from mailproxy.model.session import Recording


class What(StrEnum):
    """What kind of difference it is.

    MISSING and ADDITIONAL commands are those of the good session and of the bad one alone; RETRIED are additional ones
    that were said before. A REPLY differs in its code; WORDS do where the code is the same.
    """

    MISSING = "missing"
    ADDITIONAL = "additional"
    RETRIED = "retried"
    COMMAND = "command"
    REPLY = "reply"
    WORDS = "words"
    OFFER = "offer"
    CONTENT = "content"
    MANNER = "manner"
    TLS = "tls"
    ENDING = "ending"
    TIME = "time"


class Difference(NamedTuple):
    """One difference. `good` and `bad` are what each side has, one line each, empty where it has nothing.

    `verb` is that of the command at hand, empty where none was asked; `told` says it in one sentence. Evidence of the
    good session points into the good one, of the bad session into the bad one.
    """

    what: What
    stage: Stage
    verb: str
    good: str
    bad: str
    told: str
    good_evidence: tuple[Evidence, ...] = ()
    bad_evidence: tuple[Evidence, ...] = ()


class Row(NamedTuple):
    """An exchange of each session, side by side; None where one has none. `differences` are those between them."""

    good: Exchange | None
    bad: Exchange | None
    differences: tuple[Difference, ...] = ()


class Comparison(NamedTuple):
    """Two sessions side by side.

    `rows` are their exchanges in order. `around` are the differences that belong to none: of the connections, of TLS,
    of the endings. `deciding` is the first that leads to another outcome, or what comes nearest to that; None where
    there is none. The verdicts are those on each session.
    """

    good: Recording
    bad: Recording
    rows: tuple[Row, ...]
    around: tuple[Difference, ...]
    deciding: Difference | None
    good_verdict: Verdict
    bad_verdict: Verdict

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All of them, those of the exchanges in their order."""
        return (*(each for row in self.rows for each in row.differences), *self.around)

    @property
    def equal(self) -> bool:
        """Whether nothing differs but the time that things took."""
        return all(each.what is What.TIME for each in self.differences)
