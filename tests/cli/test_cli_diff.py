"""`mailproxy diff` on the screen."""

from pathlib import Path

import pytest

from mailproxy.cli import render_diff
from tests.cli.command import Mailproxy

REPLAY = Path(__file__).parents[2] / "replay"
GOOD, BAD = (str(REPLAY / f"{name}.talk") for name in ("smtp-send-good", "smtp-recipient-unknown"))


def test_what_matters_comes_first(mailproxy: Mailproxy) -> None:
    ran = mailproxy("diff", GOOD, BAD)
    assert ran.code == 1
    assert ran.lines[3:5] == [
        "what matters, at rcpt",
        "  that  RCPT was answered 550, and 250 in the good session.",
    ]


def test_nothing_differs(mailproxy: Mailproxy) -> None:
    ran = mailproxy("diff", GOOD, GOOD)
    assert (ran.code, ran.lines[-1]) == (0, "nothing differs")


def test_a_narrow_screen_has_one_below_the_other(mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    ran = mailproxy("diff", GOOD, BAD)
    assert "-  -> RCPT TO:<alice@example.org>" in ran.lines
    assert ran.lines == mailproxy("diff", GOOD, BAD, "--unified").lines


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((GOOD, BAD, BAD), "two sessions are compared, GOOD and BAD"),
        (("--legs", GOOD, BAD), "one session is looked at here"),
        (("--legs", "--against-good", BAD), "only --json goes with it"),
        (("--legs", "--strict", BAD), "only --json goes with it"),
        (("--against-good", "--timing", BAD), "times are compared between two sessions alone"),
    ],
)
def test_words_that_do_not_go_together(mailproxy: Mailproxy, words: tuple[str, ...], told: str) -> None:
    ran = mailproxy("diff", *words)
    assert ran.code == 2
    assert told in ran.failure


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("QUIT is missing in the bad session.", "QUIT is missing now."),
        ("In the bad session: TLS failed; in the good one: TLSv1.3.", "Now: TLS failed; then: TLSv1.3."),
        ("In the good session a NUL is in it.", "Then a NUL is in it."),
    ],
)
def test_a_replay_is_compared_in_words_of_its_own(told: str, shown: str) -> None:
    assert render_diff.renamed(told, render_diff.THEN_AND_NOW) == shown
