"""Sessions that are easily misread: excerpts, good ones that look bad, servers of another protocol, odd words."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app.library import read_file
from mailproxy.model.finding import Verdict
from mailproxy.protocols.turn import Terms
from tests.score import judge

HARD: Final = Path(__file__).parent / "hard"
LABELS: Final[list[dict[str, Any]]] = json.loads((HARD / "labels.json").read_text(encoding="utf-8"))


def test_every_session_has_a_label() -> None:
    assert [label["id"] for label in LABELS] == [file.stem for file in sorted(HARD.glob("*.talk"))]


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["id"])
def test_a_verdict(label: dict[str, Any]) -> None:
    verdict = _verdict(label["id"])
    found = {"outcome": verdict.outcome, "stage": verdict.stage, "blame": verdict.blame, "rule": verdict.rule}
    assert found == {name: label[name] for name in found}


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["id"])
def test_what_is_bad_has_a_proof_and_a_remedy(label: dict[str, Any]) -> None:
    verdict = _verdict(label["id"])
    bad = label["outcome"] != "ok"
    assert (bool(verdict.evidence), bool(verdict.remedy)) == (bad, bad)


def test_no_good_one_is_called_bad() -> None:
    assert [each.label["id"] for each in judge(HARD) if each.slandered] == []


def _verdict(name: str) -> Verdict:
    return diagnose(read_file(str(HARD / f"{name}.talk"), "", Terms())[-1])
