"""`mailproxy diff` on the screen."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailproxy.app import diff
from mailproxy.app.diff_names import THEN_AND_NOW, renamed
from mailproxy.cli import render_diff
from tests.cli.command import Mailproxy

REPLAY = Path(__file__).parents[2] / "replay"
GOOD, BAD = (str(REPLAY / f"{name}.talk") for name in ("smtp-send-good", "smtp-recipient-unknown"))


def test_what_matters_comes_first(mailproxy: Mailproxy) -> None:
    ran = mailproxy("diff", GOOD, BAD)
    assert ran.code == 1
    assert ran.lines[ran.lines.index("") + 1 :][:2] == [
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
    assert renamed(told, THEN_AND_NOW) == shown


def of(good: str, bad: str, *words: str) -> tuple[str, ...]:
    return ("diff", *(str(REPLAY / f"{name}.talk") for name in (good, bad)), *words)


def test_good_and_bad_are_said_only_where_they_are_so(mailproxy: Mailproxy) -> None:
    ran = mailproxy(*of("smtp-send-good", "smtp-hello-good"))
    assert [line[:4] for line in ran.lines[:2]] == ["1st ", "2nd "]
    assert "  that  MAIL is missing in the second session." in ran.lines
    assert "good session" not in ran.out
    told = mailproxy(*of("smtp-send-good", "smtp-hello-good", "--json")).json
    assert told["deciding"]["told"] == "MAIL is missing in the second session."


def test_a_failed_session_named_first_is_what_matters_all_the_same(mailproxy: Mailproxy) -> None:
    ran = mailproxy(*of("smtp-recipient-unknown", "smtp-send-good"))
    assert "  that  RCPT was answered 250, and 550 in the first session." in ran.lines
    assert "  why   There is no such recipient. (rcpt, mailbox)" in ran.lines


def test_commands_that_one_session_lacks_are_told_in_one_sentence(mailproxy: Mailproxy) -> None:
    ran = mailproxy(*of("pop3-mpop-good", "pop3-mpop-wrong-password"))
    assert "      = STAT, LIST, UIDL, 3 RETR, 3 DELE, QUIT are missing in the bad session." in ran.lines


def test_only_the_lines_that_differ_are_marked(mailproxy: Mailproxy) -> None:
    ran = mailproxy(*of("smtp-starttls-good", "smtp-starttls-not-offered", "--unified"))
    start = ran.lines.index("   -> EHLO client.example")
    assert ran.lines[start : start + 8] == [
        "   -> EHLO client.example", "  <-  250-mail.example.org", "      … 4 lines alike", "- <-  250-STARTTLS",
        "  <-  250-ENHANCEDSTATUSCODES", "  <-  250-8BITMIME", "      … 3 lines alike",
        "      = STARTTLS is not offered.",
    ]  # fmt: skip


def test_what_is_volatile_is_not_marked(mailproxy: Mailproxy, tmp_path: Path) -> None:
    again = tmp_path / "again.talk"
    again.write_text(Path(GOOD).read_text().replace("ESMTP", "ESMTP 2026-01-31T12:00:00Z"))
    other = tmp_path / "other.talk"
    other.write_text(Path(GOOD).read_text().replace("ESMTP", "ESMTP 2026-01-31T12:00:05Z"))
    ran = mailproxy("diff", str(again), str(other), "--full")
    assert ran.code == 0
    assert "12:00:05Z" in ran.out
    assert "≠" not in ran.out


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_no_line_is_wider_than_the_screen(mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = mailproxy(*of("pop3-tls-good", "pop3-stls-unknown-ca"))
    assert max(map(len, ran.lines)) <= columns


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}], ids=["NO_COLOR", "dumb", "pipe"])
def test_nothing_depends_on_colours(
    mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = mailproxy("diff", GOOD, BAD)
    assert "\x1b" not in ran.out
    assert "≠" in ran.out


def test_a_reply_stands_as_it_was_said(mailproxy: Mailproxy) -> None:
    told = mailproxy(*of("pop2-session-good", "pop2-folders-good", "--json")).json
    said = [(each["good"], each["bad"]) for each in told["differences"] if each["verb"] == "HELO"]
    assert said == [("#3 messages", "#2 messages")]


LEGS = """smtp 25
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org ESMTP
 -> EHLO laptop.example.org
=== fault: EHLO answered 421 4.3.2 Later by mailproxy, the server was not asked (--fault "at EHLO answer 421")
<~  421 4.3.2 Later
"""


def test_legs_fit_a_narrow_screen(mailproxy: Mailproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    session = tmp_path / "session.talk"
    session.write_text(LEGS, encoding="utf-8")
    ran = mailproxy("diff", "--legs", str(session))
    assert "  fault: EHLO answered 421 4.3.2 Later by mailproxy, the" in ran.lines
    assert max(map(len, ran.lines[2:])) <= 60


def test_a_session_that_mailproxy_played_is_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    recording, found = diff.legs_of("", GOOD)
    render_diff.legs(replace(recording, session=replace(recording.session, replays="client of 7")), found)
    assert capsys.readouterr().out.splitlines()[-1] == "  mailproxy itself played the client of 7"


def test_what_only_one_session_has_on_purpose_is_not_called_alike(capsys: pytest.CaptureFixture[str]) -> None:
    [compared, chosen] = diff.pair("", [GOOD, BAD], False, False)
    rows = tuple(row if row.good and row.bad else row._replace(differences=()) for row in compared.rows)
    render_diff.comparison(diff.Compared(compared._replace(rows=rows), chosen), unified=True, folded=True)
    shown = capsys.readouterr().out
    assert "+ <-  550 5.1.1" in shown
    assert "in one session only, on purpose" in shown
    assert " -> QUIT" not in shown
