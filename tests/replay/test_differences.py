"""Each bad session of the corpus beside its good partners: the difference that matters is the one that README names.

`replay/differences.json` says for each pair what README's column says in words: the stage and the command, and a part
of what each session has there, empty where it has nothing.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from mailproxy.analysis.diff import compare
from mailproxy.app.library import read_file
from mailproxy.model.session import Recording

CORPUS: Final = Path(__file__).parent.parent.parent / "replay"
CASES: Final = Path(__file__).parent.parent.parent.parent / "shared" / "cases"
EXPECTED: Final[list[dict[str, Any]]] = json.loads((CORPUS / "differences.json").read_text(encoding="utf-8"))
ROW: Final = re.compile(r"^\| `(?P<name>[\w-]+)` \|[^|]*\|[^|]*\| (?P<partners>[^|]*) \|", re.M)
TALKS: Final = sorted(CORPUS.glob("*.talk"))


def recording(name: str) -> Recording:
    return read_file(str(CORPUS / f"{name}.talk"))[0]


def pairs() -> set[tuple[str, str]]:
    """The bad sessions that README lists, each with each of its good partners."""
    rows = ROW.finditer((CORPUS / "README.md").read_text(encoding="utf-8"))
    listed = {row["name"]: re.findall(r"`([\w-]+)`", row["partners"]) for row in rows}
    return {(name, partner) for name, found in listed.items() if not name.endswith("good") for partner in found}


def test_every_pair_has_its_difference() -> None:
    written = [(each["bad"], each["good"]) for each in EXPECTED]
    assert pairs() <= set(written)
    assert len(written) == len(set(written))


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda each: f"{each['bad']}:{each['good']}")
def test_the_difference_that_matters(expected: dict[str, Any]) -> None:
    found = compare(recording(expected["good"]), recording(expected["bad"]))
    chosen = found.deciding
    assert chosen, "nothing differs"
    assert (chosen.stage, chosen.verb) == (expected["stage"], expected["verb"])
    assert expected["good_says"] in chosen.good
    assert expected["bad_says"] in chosen.bad
    assert bool(chosen.good) is bool(expected["good_says"])
    assert bool(chosen.bad) is bool(expected["bad_says"])
    assert chosen in found.differences


@pytest.mark.parametrize("talk", [*TALKS, *sorted(CASES.glob("**/*.talk"))], ids=lambda path: path.stem)
def test_a_session_does_not_differ_from_itself(talk: Path) -> None:
    for each in read_file(str(talk)):
        found = compare(each, each, strict=True, timing=True)
        assert found.differences == ()
        assert found.deciding is None
        assert [row.good for row in found.rows] == [row.bad for row in found.rows]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda each: f"{each['bad']}:{each['good']}")
def test_each_exchange_stands_in_one_row(expected: dict[str, Any]) -> None:
    good, bad = recording(expected["good"]), recording(expected["bad"])
    found = compare(good, bad)
    assert [row.good for row in found.rows if row.good] == sorted(good.exchanges, key=lambda each: each.number)
    assert [row.bad for row in found.rows if row.bad] == sorted(bad.exchanges, key=lambda each: each.number)
