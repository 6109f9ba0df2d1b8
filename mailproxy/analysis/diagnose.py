"""The verdict of a session: all rules look at it, and the first cause decides.

A rule names a step, and how special it is. Of all causes the one at the earliest step wins, for what comes later
follows from it; of several at one step the most special. Messages that went through make a failure partial.
"""

from typing import Final

from mailproxy.analysis import deeds
from mailproxy.analysis.at_hand import at_hand
from mailproxy.analysis.cause import Cause
from mailproxy.analysis.rules import LINTS, RULES
from mailproxy.analysis.step import accepted, complete, is_message
from mailproxy.analysis.view import View
from mailproxy.model.finding import Blame, Confidence, Finding, Outcome, Stage, Verdict
from mailproxy.model.session import Recording

OURS: Final = ("cut off", "the proxy was killed")


def diagnose(recording: Recording) -> Verdict:
    """What a session's failure means. The recording is one that was read (its exchanges are there)."""
    return diagnosed(View(recording))


def diagnosed(view: View) -> Verdict:
    """The same, of a recording that is looked at already."""
    causes = [cause._replace(rule=cause.rule or rule.name) for rule in RULES for cause in rule.look(view)]
    findings = tuple(Finding(lint.name, found.summary, found.evidence) for lint in LINTS for found in lint.look(view))
    first = min(causes, key=lambda cause: (cause.at, -cause.special), default=None)
    if first is None or (first.at >= len(view.steps) and _cut(view)):
        return deeds.of_verdict(view, at_hand(view, _well(view, findings)))
    verdict = Verdict(
        _outcome(view, first), first.stage, first.blame, first.also[:2], first.confidence, first.rule,
        first.summary, first.evidence, first.remedy, findings,
    )  # fmt: skip
    return deeds.of_verdict(view, at_hand(view, verdict))


def _outcome(view: View, cause: Cause) -> Outcome:
    if cause.outcome:
        return cause.outcome
    return Outcome.PARTIAL if view.sent or view.fetched else Outcome.FAILED


def _well(view: View, findings: tuple[Finding, ...]) -> Verdict:
    outcome, summary = Outcome.OK, _achieved(view)
    if _cut(view):
        outcome, summary = Outcome.UNFINISHED, "The recording was cut off before the session ended."
    elif _breaks_off(view):
        outcome, summary = Outcome.UNFINISHED, "The recording ends in the middle of a message or of a listing."
    return Verdict(outcome, Stage.NONE, Blame.NONE, (), Confidence.HIGH, "ok", summary, (), "", findings)


def _cut(view: View) -> bool:
    """Whether mailproxy itself ended the recording before the client took its leave."""
    return view.quit is None and any(text.startswith(OURS) for _, text in view.troubles)


def _breaks_off(view: View) -> bool:
    """Whether the last that was said is a part of a message or of a listing, and nothing was left out there."""
    each = next(reversed(view.steps), None)
    if each is None or each.content is None or complete(each) or view.said.torn(each.content.span):
        return False
    return not view.ends_with_gap and (not is_message(each) or not accepted(each))


def _achieved(view: View) -> str:
    counts = [(view.sent, "sent"), (view.fetched, "fetched")]
    done = [f"{n} message{'s were' if n != 1 else ' was'} {what}" for n, what in counts if n]
    return (", ".join(done).capitalize() or "Nothing went wrong") + "."
