"""The verdict for the client at hand: what this very program makes of it, and what to do in it."""

from collections.abc import Sequence

from mailproxy.analysis.clients import thunderbird
from mailproxy.analysis.clients.behaviour import Behaviour
from mailproxy.analysis.clients.patience import gave_up
from mailproxy.analysis.clients.recognise import recognise
from mailproxy.analysis.view import View
from mailproxy.model.finding import Blame, Confidence, Evidence, Finding, Other, Outcome, Stage, Verdict

Shown = Sequence[tuple[Behaviour, tuple[Evidence, ...]]]


def at_hand(view: View, verdict: Verdict) -> Verdict:
    """The verdict, with what the client shows its user, and with a remedy of its own where it has one."""
    verdict = _impatient(view, verdict)
    shown = thunderbird.shown(view.recording) if recognise(view.recording) == "Thunderbird" else []
    if not shown:
        return verdict
    found = tuple(Finding(each.id, _told(each), proof) for each, proof in shown)
    verdict = verdict._replace(findings=(*verdict.findings, *found))
    if verdict.outcome is Outcome.OK and not (view.sent or view.fetched):
        return _only_there(view, verdict, shown)
    mine = next((each for each, proof in shown if set(proof) & set(verdict.evidence)), None)
    return verdict._replace(remedy=mine.remedy) if mine and verdict.remedy else verdict


def _impatient(view: View, verdict: Verdict) -> Verdict:
    """Where the program's own timeout ended the session, the remedy is where that is set."""
    left = gave_up(view) if verdict.rule == "broken-off" else None
    return verdict._replace(remedy=left.remedy) if left else verdict


def _told(behaviour: Behaviour) -> str:
    return f'Thunderbird shows "{behaviour.shows}": {behaviour.means}' if behaviour.shows else behaviour.means


def _only_there(view: View, verdict: Verdict, shown: Shown) -> Verdict:
    """On the wire nothing is wrong, and the program fails all the same."""
    behaviour, proof = shown[0]
    spans = {each.span for each in proof}
    index = next((at for at, each in enumerate(view.steps) if each.command in spans), None)
    stage = Stage.CONNECT if index is None else view.stage(index)
    also = (Other(Blame.SERVER_FAULT, "The server does it in an unusual way, which other programs accept."),)
    return verdict._replace(
        outcome=Outcome.FAILED, stage=stage, blame=Blame.CLIENT_PROGRAM, also_possible=also,
        confidence=Confidence.MEDIUM, rule=behaviour.id, summary=behaviour.means, evidence=proof,
        remedy=behaviour.remedy,
    )  # fmt: skip
