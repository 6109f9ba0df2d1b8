"""`mailproxy demo` as a program of its own."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import LIMIT, Mailproxy, Ran, program

OUTCOMES = [
    ("smtp", "ok: 1 message sent"),
    ("pop3", "ok: 1 message fetched"),
    ("smtp", "failed: RCPT: 550 5.1.1 <nobody@example.org>: no such user here"),
    ("pop3", "failed: PASS: -ERR [AUTH] User name or password is wrong"),
]


@pytest.fixture
def shown() -> Ran:
    """The demonstration, shown."""
    ran = program("demo")
    assert (ran.code, ran.err) == (0, "")
    return ran


def test_four_sessions_are_shown_as_they_go_on(shown: Ran) -> None:
    said = iter(shown.lines)
    for number, (_, outcome) in enumerate(OUTCOMES, 1):
        said = itertools.dropwhile(lambda line: not line.startswith("==="), said)
        assert re.fullmatch(rf"=== session {number}: 127\.0\.0\.1 port \d+ to .*", next(said))
        assert next(said) == "=== connected to 127.0.0.1"
        talk = list(iter(said.__next__, f"--- session {number} {outcome}"))
        assert " -> QUIT" in talk
    assert "    why   The server does not accept the user name or the password. (auth, credentials)" in shown.lines
    assert any(line.endswith("2 of which failed:") for line in said)


def test_it_looks_well_on_a_terminal(shown: Ran, database: Path) -> None:
    """Only the name of the database may be long."""
    assert max(len(line.replace(str(database), "")) for line in shown.lines) <= 100


def test_no_secret_is_shown(shown: Ran) -> None:
    assert " -> PASS <secret: 11 characters>" in shown.lines
    assert " -> <secret: CRAM-MD5, user bob, digest>" in shown.lines
    assert "wrong horse" not in shown.out


def test_its_sessions_are_there(shown: Ran, mailproxy: Mailproxy) -> None:
    sessions = mailproxy("sessions", "--json").json["sessions"]
    assert [(session["protocol"], session["outcome"]) for session in reversed(sessions)] == OUTCOMES
    assert mailproxy("show", "last").out == mailproxy("show", "4").out
    assert mailproxy("export", "1", "-f", "eml").octets.endswith(
        b"\r\n\r\nShall we?\r\n\r\n.The dot at the start of this line is doubled on its way.\r\n"
    )


def test_the_commands_that_it_names_work(shown: Ran, mailproxy: Mailproxy) -> None:
    named = [found[1] for line in shown.lines if (found := re.match(r"  mailproxy (\S+(?: \S+)*)  ", line))]
    assert [words.split()[0] for words in named] == [
        "show",
        "show",
        "diff",
        "sessions",
        "export",
        "practice",
        "telnet",
        "record",
    ]
    outcomes = [mailproxy(*words.split()) for words in named[:5]]
    assert [ran.code for ran in outcomes] == [0, 0, 1, 0, 0]
    assert "# failed: RCPT: 550 5.1.1 <nobody@example.org>: no such user here" in outcomes[0].lines


def test_it_can_be_run_again(shown: Ran) -> None:
    again = program("demo")
    assert "  mailproxy show 7  " in again.out


def test_another_database_is_named_in_the_commands(tmp_path: Path, database: Path, mailproxy: Mailproxy) -> None:
    other = tmp_path / "other.sqlite"
    ran = program("demo", "--db", str(other))
    assert f"  mailproxy show last-failed --db {other}  " in ran.out
    assert f"4 sessions are recorded in {other}, 2 of which failed:" in ran.lines
    assert not database.exists()
    assert len(mailproxy("sessions", "--db", str(other)).lines) == 4


def test_it_is_told_to_programs() -> None:
    ran = program("demo", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [(session["protocol"], session["outcome"]) for session in ran.json["sessions"]] == OUTCOMES


def test_a_database_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = program("demo", "--db", str(tmp_path / "file" / "db.sqlite"))
    assert ran.code == 1
    assert "cannot be made" in ran.failure


UNRECORDED = """
from mailproxy.cli.main import main
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import RecordingStopped

numbers = iter([1])

def next_id(recorder):
    for number in numbers:
        return number
    raise RecordingStopped("the disk is full")

Recorder.next_id = next_id
main()
"""


def test_it_ends_where_nothing_can_be_recorded() -> None:
    ran = subprocess.run([sys.executable, "-c", UNRECORDED, "demo"], capture_output=True, timeout=LIMIT, check=False)
    assert ran.returncode == 1
    assert b"--- session 1 ok: 1 message sent" in ran.stdout
    assert ran.stderr.decode().splitlines() == [
        "mailproxy: NOTHING IS RECORDED any more: the disk is full; mailproxy stops",
        "mailproxy: the demonstration could not be recorded",
    ]
