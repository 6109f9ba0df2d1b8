"""What Claws Mail and Sylpheed log besides what was said: the server, secrets in clear, their own words and GLib's."""

from pathlib import Path
from typing import Final

import pytest

from mailproxy.app.library import read_file
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording
from tests.formats.imports import imported, notes, one, recognised, speech, told

SAMPLES: Final = Path(__file__).parent / "samples"
DIGEST: Final = "9e98f2a325433ce11601c47e7aa4f5a2"


def sample(name: str) -> list[Recording]:
    return imported((SAMPLES / name).read_text())


def test_the_server_is_told_with_its_port_by_claws_mail_and_without_by_sylpheed() -> None:
    assert [each.session.upstream for each in sample("claws-mail-4.1.1-smtp.log")] == ["smtp://127.0.0.1:41623"]
    assert {each.session.upstream for each in sample("sylpheed-3.8.0-smtp.log")} == {"smtp://127.0.0.1"}


def test_two_messages_go_over_one_connection_of_claws_mail_and_two_of_sylpheed() -> None:
    assert [each.session.outcome for each in sample("claws-mail-4.1.1-smtp.log")] == ["ok: 2 messages sent"]
    assert [each.session.outcome for each in sample("sylpheed-3.8.0-smtp.log")] == ["ok: 1 message sent"] * 2


@pytest.mark.parametrize("name", ["claws-mail-4.1.1-smtp", "sylpheed-3.8.0-smtp"])
def test_what_is_told_twice_of_a_login_is_said_once_and_masked(name: str) -> None:
    assert f"[Encoded: alice@example.org {DIGEST}]" in (SAMPLES / f"{name}.log").read_text()
    [found, *_] = sample(f"{name}.log")
    assert DIGEST not in repr(found)
    assert speech(found, Side.CLIENT).count(b"<secret: CRAM-MD5, user alice@example.org, digest>\r\n") == 1
    assert b"Decoded" not in speech(found, Side.SERVER)
    assert found.session.user == "alice@example.org"


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(SAMPLES.glob("*.log")) if path.name.startswith(("claws", "sylpheed"))]
)
def test_every_line_is_understood_and_the_outcome_is_the_proxys(name: str) -> None:
    found, recorded = sample(name), read_file(str((SAMPLES / name).with_suffix(".talk")))
    assert not [note for each in found for note in notes(each) if "not understood" in note]
    for ours, proxys in zip(found, recorded, strict=True):
        assert ours.session.failed == proxys.session.failed
        assert ours.session.outcome.startswith(proxys.session.outcome)


def test_what_the_program_tells_of_a_reply_is_a_comment() -> None:
    [claws], [sylpheed] = sample("claws-mail-4.1.1-rcpt.log"), sample("sylpheed-3.8.0-rcpt.log")
    assert notes(claws)[-3:] == [
        "# error occurred on SMTP session",
        "# Error occurred while sending the message:",
        "# 550 5.1.1 <nobody@example.org>: no such user here",
    ]
    assert notes(sylpheed)[-2:] == ["# error occurred on SMTP session", "# Error occurred while sending the message."]


def test_what_glib_tells_of_pictures_is_left_out() -> None:
    assert "GdkPixbuf-DEBUG" in (SAMPLES / "sylpheed-3.8.0-pop3.log").read_text()
    [found] = sample("sylpheed-3.8.0-pop3.log")
    assert "Pixbuf" not in "\n".join(notes(found))


def test_a_log_of_a_server_that_was_not_reached_is_known() -> None:
    found = one(
        "[2024-01-31 12:00:00] * message: Account 'alice': Connecting to SMTP server: no.example:25...\n"
        "[2024-01-31 12:00:02] *** error: no.example:25: host lookup failed (Name or service not known).\n"
        "[2024-01-31 12:00:02] *** error: no.example:25: unknown host.\n"
    )
    assert found.session.protocol == "smtp"
    assert found.session.started.isoformat() == "2024-01-31T12:00:00+00:00"
    assert found.session.server.connected is None
    assert notes(found)[0] == "*** no such host: no.example:25: host lookup failed (Name or service not known)."


def test_an_error_in_the_middle_of_a_message_tells_that_the_connection_ended() -> None:
    found = one(
        "[2024-01-31 12:00:00] POP> RETR 1\n"
        "[2024-01-31 12:00:00] POP< +OK 211 octets\n"
        "[2024-01-31 12:00:01] *** error: Error occurred while processing mail.\n"
    )
    assert notes(found) == ["*** closed: Error occurred while processing mail."]
    assert found.session.outcome.startswith("failed: RETR: the message broke off")


def test_trouble_is_that_of_the_connection_at_hand() -> None:
    found = imported(
        "[12:00:00] * message: Connecting to POP3 server: mail.example.org...\n"
        "[12:00:00] POP3< +OK ready\n"
        "[12:00:00] POP3> QUIT\n"
        "[12:00:00] POP3< +OK bye\n"
        "[12:10:00] * message: Connecting to POP3 server: mail.example.org...\n"
        "[12:10:00] ** warning: Connection failed.\n"
    )
    assert [told(each) for each in found] == [["+OK", "QUIT +OK"], []]
    assert [notes(each) for each in found] == [
        ["=== connected to mail.example.org"],
        ["*** connection failed: Connection failed."],
    ]
    assert found[0].session.duration == 0


@pytest.mark.parametrize(
    ("line", "upstream"),
    [
        ("* Account 'alice': Connecting to POP3 server: mail.example.org:110...", "pop3://mail.example.org:110"),
        ("* message: Konto »alice«: Verbinde mit POP3-Server: [2001:db8::1]:110...", "pop3://[2001:db8::1]:110"),
        ("* message: Connexion au serveur POP3 : mail.example.org...", "pop3://mail.example.org"),
        ("* message: Doing POP before SMTP...", ""),
    ],
)
def test_the_server_in_the_words_of_older_versions_and_of_other_languages(line: str, upstream: str) -> None:
    text = f"[12:00:00] {line}\n[12:00:00] POP< +OK ready\n[12:00:00] POP> QUIT\n[12:00:00] POP< +OK bye\n"
    assert recognised(text) == "claws"
    assert one(text).session.upstream == upstream
