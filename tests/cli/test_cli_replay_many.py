"""`mailproxy replay client`, many times, and with wishes that cannot be fulfilled."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Mailproxy

SENT = str(Path(__file__).parents[2] / "replay" / "smtp-send-good.talk")


@pytest.fixture
def nobody() -> Iterator[str]:
    """A server that nobody runs: its port is taken, and not listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"smtp://127.0.0.1:{taken.getsockname()[1]}"


def test_a_tally_tells_where_and_why_it_stopped(mailproxy: Mailproxy, tmp_path: Path, nobody: str) -> None:
    db = str(tmp_path / "mail.db")
    ran = mailproxy("replay", "client", SENT, nobody, "--times", "3", "--db", db)
    assert ran.code == 1
    assert ran.lines[0] == "played 3 times:"
    assert ran.lines[2].startswith("      3  failed: connection refused")
    assert ran.lines[3:5] == ["", "  stop  no connection came about (3 times)"]
    assert ran.lines[-1] == f"mailproxy diff {SENT} 1 --db {db}"


def test_no_session_is_left_behind_where_the_recipient_is_no_address(
    mailproxy: Mailproxy, tmp_path: Path, nobody: str
) -> None:
    db = str(tmp_path / "mail.db")
    ran = mailproxy("replay", "client", SENT, nobody, "--rcpt-to", "alice and bob", "--db", db)
    assert ran.code == 2
    assert ran.failure.startswith("Invalid value for --rcpt-to: 'alice and bob' is no address")
    assert mailproxy("sessions", "--db", db).lines == ["No session."]


def test_a_server_of_another_protocol(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ran = mailproxy("replay", "client", SENT, "pop3://127.0.0.1", "--db", str(tmp_path / "mail.db"))
    assert ran.code == 2
    assert "smtp-send-good.talk speaks smtp, which is not spoken there" in ran.failure
