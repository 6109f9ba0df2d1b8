"""A comparison as JSON."""

import json
from collections.abc import Iterable
from typing import Final

from mailproxy.analysis.legs import Legs
from mailproxy.app.diagnose import Diagnosed
from mailproxy.app.diagnose import as_object as verdict_object
from mailproxy.app.diff import Compared
from mailproxy.app.diff_names import names, retold
from mailproxy.model.difference import Difference, Row
from mailproxy.model.finding import Evidence
from mailproxy.model.session import Recording, Session

VERSION: Final = 1


def document(found: Compared) -> str:
    """A comparison as JSON."""
    return json.dumps({"version": VERSION, **as_object(found)}, indent=2)


def as_object(found: Compared) -> dict[str, object]:
    """A comparison as an object of JSON."""
    comparison = retold(found.comparison, names(found.comparison))
    return {
        "equal": comparison.equal,
        "chosen": found.chosen,
        "good": _session(comparison.good.session),
        "bad": _session(comparison.bad.session),
        "deciding": comparison.deciding and _difference(comparison.deciding),
        "means": verdict_object(Diagnosed(comparison.bad, comparison.bad_verdict)),
        "differences": [_difference(each) for each in comparison.differences],
        "rows": [_row(row) for row in comparison.rows],
    }


def legs_document(recording: Recording, found: Legs) -> str:
    """What went from one leg to the other, as JSON."""
    carried = [{"side": side, "peer": peer, "proxy": proxy} for side, peer, proxy in found.carried]
    acts = [{"text": act.text, "evidence": _evidence(act.evidence)} for act in found.acts]
    return json.dumps(
        {"version": VERSION, "session": _session(recording.session), "carried": carried, "acts": acts}, indent=2
    )


def _session(session: Session) -> dict[str, object]:
    return {"id": session.id, "source": session.source, "protocol": session.protocol, "outcome": session.outcome}


def _difference(each: Difference) -> dict[str, object]:
    return {
        "what": each.what,
        "stage": each.stage,
        "verb": each.verb,
        "good": each.good,
        "bad": each.bad,
        "told": each.told,
        "good_evidence": _evidence(each.good_evidence),
        "bad_evidence": _evidence(each.bad_evidence),
    }


def _evidence(evidence: Iterable[Evidence]) -> list[dict[str, object]]:
    return [
        {"side": each.span.side, "start": each.span.start, "end": each.span.end} if each.span else {"note": each.note}
        for each in evidence
    ]


def _row(row: Row) -> dict[str, object]:
    return {
        "good": None if row.good is None else row.good.number,
        "bad": None if row.bad is None else row.bad.number,
        "differences": [_difference(each) for each in row.differences],
    }
