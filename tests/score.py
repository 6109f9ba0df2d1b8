"""How often the diagnosis is right: `python -m tests.score FOLDER` with transcripts and a `labels.json` beside them.

A label holds `id` (a file without its ending), `outcome`, `stage`, `blame`, and lists of what is right too; where
`settled` is false only the stage counts.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app.library import read_file
from mailproxy.model.finding import Outcome, Stage, Verdict
from mailproxy.protocols.turn import Terms

GOALS: Final = {"outcome": 0.97, "stage": 0.95, "blame": 0.85, "blame among three": 0.97}


class Judged(NamedTuple):
    """A labelled session, and what the diagnosis says."""

    label: dict[str, Any]
    verdict: Verdict

    @property
    def right(self) -> dict[str, bool]:
        """What is right; what does not count is left out."""
        label, verdict = self.label, self.verdict
        outcome = verdict.outcome in {label["outcome"], *label["also_outcome"]}
        found = {"stage": verdict.stage in {label["stage"], *label["also_stage"]}}
        if not label["settled"]:
            return found
        named = {verdict.blame, *(other.blame for other in verdict.also_possible)}
        known = {label["blame"], *label["also_blame"]}
        first = verdict.blame == label["blame"] or (verdict.stage is Stage.NONE and label["blame"] == "none")
        return {
            "outcome": outcome,
            **found,
            "blame": first,
            "blame among three": label["blame"] in named or verdict.blame in known,
        }

    @property
    def slandered(self) -> bool:
        """A good session that is called bad."""
        return self.label["outcome"] == "ok" and self.verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}


def judge(folder: Path) -> list[Judged]:
    """Diagnose every labelled session; of several in a file the worst counts."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [Judged(label, _verdict(folder / f"{label['id']}.talk")) for label in labels]


def _verdict(file: Path) -> Verdict:
    verdicts = [diagnose(recording) for recording in read_file(str(file), "", Terms())]
    bad = [verdict for verdict in verdicts[-1:] if verdict.outcome is not Outcome.OK]
    return (bad or verdicts)[-1]


def shares(judged: list[Judged]) -> dict[str, tuple[int, int]]:
    """Of how many each is right, and in how many it counts."""
    found = {}
    for name in GOALS:
        counted = [each.right[name] for each in judged if name in each.right]
        found[name] = sum(counted), len(counted)
    return found


def _told(each: Judged) -> str:
    verdict, label = each.verdict, each.label
    wrong = ", ".join(name for name, right in each.right.items() if not right)
    also = ",".join(other.blame for other in verdict.also_possible)
    said = f"{verdict.outcome} {verdict.stage} {verdict.blame} ({also}) by {verdict.rule}"
    meant = f"{label['outcome']} {label['stage']} {label['blame']} ({','.join(label['also_blame'])})"
    return f"{label['id']}: {wrong}\n    said   {said}\n    label  {meant}"


def main(folder: str) -> int:
    """Print what is wrong, and the shares; returns 1 where a goal is missed."""
    judged = judge(Path(folder))
    for each in judged:
        if not all(each.right.values()):
            print(_told(each))
    missed = [each.label["id"] for each in judged if each.slandered]
    for name, (right, all_of) in shares(judged).items():
        goal = GOALS[name]
        print(f"{name:<18} {right:>4} of {all_of:<4} {right / all_of:6.1%}  goal {goal:.0%}")
        missed += [name] if right / all_of < goal else []
    print(f"good sessions called bad: {sum(each.slandered for each in judged)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
