"""The verdicts on the corpus stand beside it in labels.json. Real sessions are judged as well, where they lie."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app.library import read_file
from mailproxy.model.finding import Outcome, Stage
from mailproxy.protocols.turn import Terms
from tests.score import GOALS, judge, shares

CORPUS: Final = Path(__file__).parents[2] / "replay"
CASES: Final = Path(__file__).parents[3] / "shared" / "cases"
LABELS: Final[list[dict[str, Any]]] = json.loads((CORPUS / "labels.json").read_text(encoding="utf-8"))


def test_every_session_has_a_label() -> None:
    assert [label["id"] for label in LABELS] == [file.stem for file in sorted(CORPUS.glob("*.talk"))]


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["id"])
def test_a_verdict(label: dict[str, Any]) -> None:
    verdict = diagnose(read_file(str(CORPUS / f"{label['id']}.talk"), "", Terms())[-1])
    found = {"outcome": verdict.outcome, "stage": verdict.stage, "blame": verdict.blame, "rule": verdict.rule}
    assert found == {name: label[name] for name in found}


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["id"])
def test_it_is_whole(label: dict[str, Any]) -> None:
    """A bad verdict has a proof, a remedy and a sentence; a good one blames nobody."""
    verdict = diagnose(read_file(str(CORPUS / f"{label['id']}.talk"), "", Terms())[-1])
    bad = verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    assert bad is (verdict.stage is not Stage.NONE)
    assert bool(verdict.evidence) is bad
    assert bool(verdict.remedy) is bad
    assert verdict.summary.endswith(".")
    assert len(verdict.also_possible) <= 2
    assert verdict.blame not in {other.blame for other in verdict.also_possible}


def test_the_good_ones_are_called_good() -> None:
    assert [each["id"] for each in LABELS if each["id"].endswith("-good") and each["outcome"] != "ok"] == []


@pytest.mark.skipif(not CASES.is_dir(), reason="the real sessions are not here")
def test_real_sessions() -> None:
    judged = judge(CASES)
    assert [each.label["id"] for each in judged if each.slandered] == []
    for name, (right, all_of) in shares(judged).items():
        assert right / all_of >= GOALS[name], name
