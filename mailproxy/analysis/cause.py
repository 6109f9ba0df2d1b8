"""What a rule says: that something in a session may have decided it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mailproxy.analysis.view import View
from mailproxy.model.finding import Blame, Confidence, Evidence, Other, Outcome, Stage


class Cause(NamedTuple):
    """A cause of failure: at which step (the number of steps for the end of the session), and how special the rule is:
    of causes at one step the most special wins. `outcome` overrides what the messages that went through tell."""

    at: int
    special: int
    stage: Stage
    blame: Blame
    summary: str
    remedy: str
    evidence: tuple[Evidence, ...] = ()
    also: tuple[Other, ...] = ()
    confidence: Confidence = Confidence.HIGH
    outcome: Outcome | None = None
    rule: str = ""


class Rule(NamedTuple):
    """A rule: what it is called, what it knows in one line, and how it looks at a session."""

    name: str
    knows: str
    look: Callable[[View], Iterable[Cause]]
