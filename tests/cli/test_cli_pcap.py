"""Captures on the command line: exported, shown, imported."""

from pathlib import Path

import pytest

from .command import Mailproxy

LOGIN = """smtp 25
=== connected to 192.0.2.25
<-  220 mail.example.org ESMTP
 -> AUTH PLAIN AGFsaWNlAHNlY3JldA==
<-  235 welcome
 -> QUIT
<-  221 bye
*** closed by the server
"""


@pytest.fixture
def captured(mailproxy: Mailproxy, tmp_path: Path) -> Path:
    talk = tmp_path / "login.talk"
    talk.write_text(LOGIN)
    path = tmp_path / "login.pcap"
    assert mailproxy("export", str(talk), "--format", "pcap", "--output", str(path)).err == f"mailproxy: wrote {path}\n"
    return path


def test_a_capture_is_shown_like_any_recording(mailproxy: Mailproxy, captured: Path) -> None:
    shown = mailproxy("show", str(captured)).lines
    assert [line for line in shown if line[:4] in ("=== ", "<-  ", " -> ", "*** ")] == LOGIN.replace(
        "AGFsaWNlAHNlY3JldA==", "<secret: PLAIN, user alice, password 6 characters>"
    ).splitlines()[1:]


def test_a_capture_is_imported_from_standard_input(mailproxy: Mailproxy, captured: Path, tmp_path: Path) -> None:
    db = str(tmp_path / "other.sqlite")
    [session] = mailproxy("import", "-", "--db", db, "--json", typed=captured.read_bytes()).json["sessions"]
    assert (session["user"], session["source"], session["failed"]) == ("alice", "standard input", False)
    assert session["server"]["address"] == "192.0.2.25"


def test_the_format_may_be_named(mailproxy: Mailproxy, captured: Path, tmp_path: Path) -> None:
    db = str(tmp_path / "other.sqlite")
    assert mailproxy("import", str(captured), "--format", "pcap", "--db", db).code == 0
    ran = mailproxy("import", str(tmp_path / "login.talk"), "--format", "pcap", "--db", db)
    assert ran.code == 1
    assert ran.err.endswith("login.talk: this is no capture of packets; save it as pcap or pcapng\n")


def test_what_never_went_over_the_wire_is_no_capture(mailproxy: Mailproxy, tmp_path: Path) -> None:
    talk = tmp_path / "never.talk"
    talk.write_text("smtp 25\n*** no such host\n")
    ran = mailproxy("export", str(talk), "--format", "pcap")
    assert (ran.code, ran.octets, ran.err) == (1, b"", "mailproxy: nothing went over the wire\n")


def test_the_leg_of_the_client_has_its_address(mailproxy: Mailproxy, captured: Path, tmp_path: Path) -> None:
    near = mailproxy(
        "export", str(captured), "--format", "pcap", "--leg", "client", "--output", str(tmp_path / "c.pcap")
    )
    assert near.code == 0
    said = [mailproxy("show", str(path)).lines[1:] for path in (captured, tmp_path / "c.pcap")]
    assert said[0] == said[1]
