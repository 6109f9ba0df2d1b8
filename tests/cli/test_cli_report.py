"""`mailproxy report`, and `mailproxy diagnose --server-log`, on recordings that were imported."""

import gzip
from pathlib import Path

import pytest

from tests.cli.command import Mailproxy, program
from tests.cli.test_cli_library import REFUSED, SENT

LOG = """\
2026-11-21T07:00:00Z mail postfix/smtpd[7]: connect from unknown[198.51.100.8]
2026-11-21T08:00:00Z mail postfix/smtpd[8]: connect from unknown[198.51.100.9]
2026-11-21T08:00:00Z mail postfix/smtpd[8]: NOQUEUE: reject: RCPT from unknown[198.51.100.9]: 554 5.7.1 \
<bob@example.net>: Relay access denied; from=<alice@example.org> to=<bob@example.net> proto=ESMTP
2026-11-21T08:00:00Z mail postfix/smtpd[8]: disconnect from unknown[198.51.100.9] ehlo=1 mail=1 rcpt=0/1 quit=1 \
commands=3/4
"""
RELAYS = "The server relays for this client only after a login."


@pytest.fixture(autouse=True)
def imported(tmp_path: Path, mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has two sessions: sent and refused; what is written goes into a folder of the test."""
    for number, talk in enumerate((SENT, REFUSED), 1):
        (tmp_path / f"{number}.talk").write_text(talk, encoding="utf-8")
        assert mailproxy("import", str(tmp_path / f"{number}.talk")).code == 0
    (tmp_path / "mail.log").write_text(LOG, encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_a_page_and_a_sheet_are_written(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("report", "last-failed")
    assert ran.code == 0
    assert [line.removeprefix("wrote ") for line in ran.lines] == ["mailproxy-report-2.html", "mailproxy-report-2.txt"]
    sheet = (tmp_path / "here" / "mailproxy-report-2.txt").read_text(encoding="utf-8")
    assert sheet.startswith("SMTP session: failed at rcpt\n")
    assert "<bob@example.net>: Relay access denied" in sheet
    assert "<!DOCTYPE html>" in (tmp_path / "here" / "mailproxy-report-2.html").read_text(encoding="utf-8")


def test_the_names_of_the_files_are_told_to_programs(mailproxy: Mailproxy) -> None:
    assert mailproxy("report", "2", "--json", "--output", "told.html").json["files"] == ["told.html", "told.txt"]


def test_a_sheet_goes_to_standard_output(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("report", "2", "--format", "text", "--output", "-", "--anonymous")
    assert ran.lines[0] == "SMTP session: failed at rcpt"
    assert "bob" not in ran.out
    assert list((tmp_path / "here").iterdir()) == []


def test_both_to_standard_output_are_one_too_many(mailproxy: Mailproxy) -> None:
    ran = mailproxy("report", "2", "--output", "-")
    assert (ran.code, "--format" in ran.failure) == (2, True)


def test_a_session_that_is_not_there(mailproxy: Mailproxy) -> None:
    ran = mailproxy("report", "99")
    assert (ran.code, ran.failure) == (1, "there is no session 99")


def test_a_report_tells_what_the_server_logged(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("report", "2", "-f", "text", "-o", "-", "--anonymous", "--server-log", str(tmp_path / "mail.log"))
    assert f"  = {RELAYS}" in ran.lines
    assert "198.51.100.9" not in ran.out
    assert "example.net" not in ran.out


def test_a_line_of_the_log_stands_under_its_exchange(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("diagnose", "2", "--server-log", str(tmp_path / "mail.log"))
    assert ran.code == 16
    lines = [line.strip() for line in ran.lines]
    logged = next(at for at, line in enumerate(lines) if "NOQUEUE: reject" in line)
    assert lines[logged - 2 : logged] == [
        "-> RCPT TO:<bob@example.net>",
        "<-  554 5.7.1 <bob@example.net>: Relay access denied",
    ]
    assert f"=     {RELAYS}" in lines
    assert "198.51.100.8" not in ran.out


@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_the_log_are_findings(mailproxy: Mailproxy, tmp_path: Path, packed: bool) -> None:
    log = tmp_path / "mail.log.1.gz"
    log.write_bytes(gzip.compress(LOG.encode()) if packed else LOG.encode())
    (session,) = mailproxy("diagnose", "2", "--json", "--server-log", str(log)).json["sessions"]
    findings = [each for each in session["verdict"]["findings"] if each["rule"].startswith("server-log")]
    assert [each["summary"] for each in findings if each["rule"] == "server-log"] == LOG.splitlines()[1:]
    assert RELAYS in [each["summary"] for each in findings if each["rule"] == "server-log-means"]
    (reject,) = [each for each in findings if "NOQUEUE" in each["summary"]]
    assert reject["evidence"][0]["lines"] == [" -> RCPT TO:<bob@example.net>"]


def test_a_log_comes_from_standard_input(mailproxy: Mailproxy) -> None:
    ran = mailproxy("diagnose", "2", "--json", "--server-log", "-", typed=LOG.encode())
    assert RELAYS in ran.out


def test_a_log_of_another_zone(mailproxy: Mailproxy, tmp_path: Path) -> None:
    log = tmp_path / "zone.log"
    log.write_text(LOG.replace("2026-11-21T08:00:00Z", "Nov 21 19:30:00"), encoding="utf-8")
    assert RELAYS in mailproxy("diagnose", "2", "--json", "--server-log", str(log)).out


def test_a_log_of_another_day_says_so(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("diagnose", "1", "--server-log", str(tmp_path / "mail.log"))
    assert "No line of the log is of this session" in ran.out


@pytest.mark.parametrize(
    ("octets", "message"), [(None, "No such file or directory"), (gzip.compress(LOG.encode())[:-20], "damaged")]
)
def test_a_log_that_cannot_be_read(mailproxy: Mailproxy, tmp_path: Path, octets: bytes | None, message: str) -> None:
    log = tmp_path / "other.log.gz"
    if octets:
        log.write_bytes(octets)
    ran = mailproxy("diagnose", "2", "--server-log", str(log))
    assert ran.code == 1
    assert str(log) in ran.failure
    assert message in ran.failure


def test_a_log_of_any_octets(mailproxy: Mailproxy, tmp_path: Path) -> None:
    log = tmp_path / "any.log"
    log.write_bytes(bytes(range(256)) + LOG.encode().replace(b"unknown", b"\xff\x1b[31m"))
    ran = mailproxy("diagnose", "2", "--server-log", str(log))
    assert ran.code == 16
    assert "\x1b" not in ran.out


def test_it_runs_as_a_program() -> None:
    assert "--anonymous" in program("report", "--help").out
