"""What a benchmark found: samples by way, the goal they are held against, and whether it was met."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import NamedTuple

DIRECT = "direct"
MAILPROXY = "mailproxy"


class Verdict(StrEnum):
    """How the figure of mailproxy stands to its goal."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "not measured"


class Goal(NamedTuple):
    """A bound on the figure of mailproxy, or on its ratio to that of the way `beside` if `relative`."""

    bound: float
    relative: bool = False
    least: bool = False
    beside: str = DIRECT

    def judge(self, value: float | None) -> Verdict:
        """Whether `value` (a ratio if the goal is relative) keeps to the bound."""
        if value is None:
            return Verdict.UNKNOWN
        kept = value >= self.bound if self.least else value <= self.bound
        return Verdict.MET if kept else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `samples` holds one number a round for each way, in `unit`.

    The rounds of all ways are interleaved, so the n-th samples of two ways were taken side by side.
    """

    what: str
    unit: str
    goal: Goal
    samples: Mapping[str, list[float]]
    troubles: Mapping[str, str] = field(default_factory=dict)

    def middle(self, way: str) -> float | None:
        """The median of the samples of a way, None where there are none."""
        samples = self.samples.get(way)
        return median(samples) if samples else None

    def ratio(self, way: str = MAILPROXY, to: str = DIRECT) -> float | None:
        """The median over the rounds of this way's sample by the one of the way `to`."""
        pairs = zip(self.samples.get(way, ()), self.samples.get(to, ()), strict=False)
        ratios = [through / other for through, other in pairs if other]
        return median(ratios) if ratios else None

    @property
    def verdict(self) -> Verdict:
        """Whether mailproxy meets the goal."""
        return self.goal.judge(self.ratio(to=self.goal.beside) if self.goal.relative else self.middle(MAILPROXY))
