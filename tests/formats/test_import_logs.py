"""What mail programs and servers log, read: samples that they wrote, and the same sessions as the proxy saw them."""

import random
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailproxy.app.library import read_file
from mailproxy.formats import FORMATS, Format
from mailproxy.formats.error import FormatError
from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import Terms
from tests.formats.dirt import DIRT
from tests.formats.imports import asked, imported, notes, recognised, speech, told

SAMPLES: Final = Path(__file__).parent / "samples"
LOGS: Final = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".talk")
RECORDED: Final = [name for name in LOGS if (SAMPLES / name).with_suffix(".talk").exists()]
OURS: Final = (
    *("curl", "mpop", "mutt", "mailkit", "nodemailer", "javamail", "claws", "oauth2-proxy", "thunderbird"),
    *("rawlog", "postfix", "phpmailer"),
)
PASSWORD: Final = b"Zwiebel-41-kuchen"
SECRETS: Final = (PASSWORD, b"WndpZWJlbC00MS1rdWNoZW4", b"FkLllYmVsLTQx", b"ad2llYmVsLTQxLWt1Y2hl", b"practice")
MARK: Final = re.compile(r"<secret: [^<>]*>")

# What a log leaves out, or a program did behind its back.
LEFT_OUT: Final = {
    "curl": {"QUIT"},
    "nodemailer": set[str](),
    "mutt": {"QUIT"},
    "neomutt": {"QUIT"},
    "javamail-1.6.5-smtp": {"AUTH"},
    "javamail-1.6.5-pop3": {"AUTH", "USER", "PASS"},
    "javamail-1.6.5-refused": {"AUTH", "USER", "PASS"},
    "oauth2-proxy": {"STARTTLS", "EHLO", "AUTH", "QUIT"},
}


def log(name: str) -> str:
    return (SAMPLES / name).read_bytes().decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def said(recording: Recording, left_out: set[str]) -> list[tuple[str, ...]]:
    """Commands and the replies they earned, secrets without their shape."""
    return [
        (each.verb, MARK.sub("<secret>", each.argument), *(f"{code} {text}" for code, text in each.replies))
        for each in asked(recording.exchanges)
        if each.verb not in left_out
    ]


@pytest.mark.parametrize("name", RECORDED)
def test_a_log_tells_what_the_proxy_recorded(name: str) -> None:
    left_out = next((words for start, words in LEFT_OUT.items() if name.startswith(start)), set[str]())
    recorded = read_file(str((SAMPLES / name).with_suffix(".talk")))
    found = sorted(imported(log(name)), key=lambda each: [each.session.protocol, each.exchanges[-1].verb != "QUIT"])
    recorded.sort(key=lambda each: [each.session.protocol, each.exchanges[-1].verb != "QUIT"])
    assert [said(each, left_out) for each in found] == [said(each, left_out) for each in recorded]
    assert [each.session.protocol for each in found] == [each.session.protocol for each in recorded]


@pytest.mark.parametrize("name", [name for name in RECORDED if "oauth2" not in name])
def test_what_went_under_tls_is_told_so(name: str) -> None:
    recorded = read_file(str((SAMPLES / name).with_suffix(".talk")))
    for found, meant in zip(
        sorted(imported(log(name)), key=lambda each: (each.session.protocol, len(each.exchanges))),
        sorted(recorded, key=lambda each: (each.session.protocol, len(each.exchanges))),
        strict=True,
    ):
        assert speech(found, Side.SERVER, True).startswith(speech(meant, Side.SERVER, True)[:60])
        assert any(note.startswith("=== TLS with the server") for note in notes(found)) == any(
            isinstance(entry, Frame) and entry.secure for entry in meant.entries
        )


@pytest.mark.parametrize("name", LOGS)
def test_no_secret_is_left(name: str) -> None:
    for recording in imported(log(name)):
        left = repr(recording).encode()
        assert [secret for secret in SECRETS if secret in left] == []


def test_secrets_are_kept_when_asked_for() -> None:
    [kept] = imported(log("mpop-1.4.18-stls.log"), terms=Terms(secrets=True))
    assert b"PASS Zwiebel-41-kuchen\r\n" in speech(kept, Side.CLIENT)


@pytest.mark.parametrize(
    "name", ["nodemailer-10.6.1-lines.log", "javamail-1.6.5-auth.log", "mutt-2.2.12.log", "mpop-1.4.18-pop3.log"]
)
def test_messages_are_whole_where_they_are_shown(name: str) -> None:
    [found], [recorded] = imported(log(name)), read_file(str((SAMPLES / name).with_suffix(".talk")))
    side = Side.SERVER if "pop3" in name else Side.CLIENT
    whole = speech(recorded, side)
    start = whole.index(b"From: ")
    message = whole[start : whole.index(b"\r\n.\r\n", start)]
    assert message.count(b"\r\n") > 3
    assert message in speech(found, side)


def test_a_message_that_is_only_counted_counts() -> None:
    [found] = imported(log("curl-7.88.1-smtp.log"))
    [recorded] = read_file(str(SAMPLES / "curl-7.88.1-smtp.talk"))
    lengths = [[each.content.span.length for each in of.exchanges if each.content] for of in (found, recorded)]
    assert lengths[0] == lengths[1] == [84]


SHORT: Final = {
    "mailkit-4-smtp.log": [
        "220 EHLO [192.0.2.7] 250 STARTTLS 220 EHLO [192.0.2.7] 250 AUTH PLAIN <secret: not shown> 235",
        "MAIL FROM:<bob@example.org> 250 RCPT TO:<alice@example.org> 250 DATA 354 250 QUIT 221",
    ],
    "mailkit-4-pop3s.log": ["+OK CAPA +OK APOP ******** <secret: not shown> -ERR QUIT +OK"],
    "thunderbird-52-nspr.log": [
        "220 EHLO [192.0.2.7] 250 AUTH <secret: not shown> 235 MAIL FROM:<bob@example.org> SIZE=339 250",
        "RCPT TO:<alice@example.org> 250 DATA 354 250 QUIT 221",
    ],
    "thunderbird-3-nspr.log": ["+OK CAPA +OK USER alice +OK PASS <secret: not shown> +OK STAT +OK QUIT +OK"],
    "thunderbird-115-screen.log": ["220 EHLO [192.0.2.7] 250 AUTH PLAIN 334 535 QUIT"],
    "nodemailer-6-pino.log": ["220 EHLO client.example 250 AUTH LOGIN 334 334 535"],
    "javamail-1.4-pop3.log": ["+OK USER alice +OK PASS <secret: 8 characters> +OK STAT +OK QUIT +OK"],
    "mutt-1.5-pop3.log": ["+OK CAPA +OK USER alice +OK PASS <secret: not shown> -ERR QUIT +OK"],
    "dovecot-2.3-both.log": ["+OK STAT +OK DELE 9 -ERR QUIT +OK"],
    "postfix-3.7.log": [
        "220 EHLO client.example 250 FOO bar 500 MAIL FROM:<bob@example.org> 250 RCPT TO:<gone@example.org> 550",
        "RCPT TO:<alice1@example.org> 250 DATA 354 250 DATA 503 BAR 500 AUTH CRAM-MD5 334 535",
        "AUTH PLAIN <secret: PLAIN, user alice1, password 16 characters> 535",
        "AUTH LOGIN <secret: LOGIN, user name 6 characters> 334 535 QUIT 221",
    ],
    "curl-7.88.1-smtps.log": [
        "220 EHLO client.example 250 MAIL FROM:<bob@example.org> SIZE=80 250 RCPT TO:<gone@example.org> 550 QUIT 221"
    ],
}


@pytest.mark.parametrize("name", SHORT)
def test_what_was_said(name: str) -> None:
    found = [line for recording in imported(log(name)) for line in told(recording)]
    assert " ".join(found) == " ".join(SHORT[name])


def test_folded_lines_of_postfix_are_whole() -> None:
    [found] = imported(log("postfix-3.7.log"))
    assert b"550 5.1.1 <gone@example.org>: Recipient address rejected: no such person here\r\n" in speech(
        found, Side.SERVER
    )


def test_times_are_told() -> None:
    [found] = imported(log("nodemailer-6-pino.log"))
    assert found.session.started.isoformat() == "2024-01-31T12:00:00+00:00"
    assert [each.at for each in found.exchanges] == [100_000, 200_000, 400_000]


def test_both_files_of_a_rawlog_are_one_session() -> None:
    recorded = [each[1:] for each in said_of("mpop-1.4.18-pop3.talk") if each[0] in {"STAT", "RETR", "QUIT"}]
    for name in ("dovecot-2.3.in", "dovecot-2.3.out"):
        [found] = read_file(str(SAMPLES / name))
        assert [each[1:] for each in said(found, {"", "LIST", "UIDL"})] == recorded


def test_a_rawlog_without_times_is_put_in_order(tmp_path: Path) -> None:
    for suffix in (".in", ".out"):
        lines = [line.partition(" ")[2] for line in log(f"dovecot-2.3{suffix}").split("\n")]
        (tmp_path / f"raw{suffix}").write_text("\n".join(lines))
    [found], [timed] = read_file(str(tmp_path / "raw.in"), "rawlog"), read_file(str(SAMPLES / "dovecot-2.3.in"))
    assert told(found) == told(timed)
    assert speech(found, Side.SERVER) == speech(timed, Side.SERVER)


def said_of(name: str) -> list[tuple[str, ...]]:
    [recording] = read_file(str(SAMPLES / name))
    return said(recording, set[str]())


TROUBLE: Final = (
    (
        "curl",
        ["* connect to 127.0.0.1 port 1 failed: Connection refused", "curl: (7) Failed to connect to localhost port 1"],
        "*** connection refused: ",
    ),
    ("curl", ["* Closing connection 0", "curl: (6) Could not resolve host: no.example"], "*** no such host: "),
    (
        "curl",
        [
            "* Connected to a.example (192.0.2.1) port 465 (#0)",
            "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        ],
        "*** TLS failed with the server: SSL certificate problem: unable to get local issuer certificate",
    ),
    ("mpop", ["mpop: cannot connect to localhost, port 1: Connection refused"], "*** connection refused: "),
    (
        "claws",
        [
            "[2024-01-31 12:00:00] * message: Account 'alice': Connecting to POP3 server: mail.example.org:110...",
            "[2024-01-31 12:00:00] *** error: mail.example.org:110: connection failed (Connection refused).",
        ],
        "*** connection refused: mail.example.org:110: ",
    ),
    (
        "claws",
        [
            "[12:00:00] * message: Connecting to SMTP server: mail.example.org ...",
            "[12:00:00] ** LibSylph-WARNING: sock_connect_address_list_async: connection to 192.0.2.25:25 failed",
            "",
            "[12:00:00] ** warning: Can't connect to SMTP server.",
        ],
        "*** connection failed: sock_connect_address_list_async: connection to 192.0.2.25:25 failed",
    ),
    (
        "claws",
        [
            "[12:00:00] POP3> RETR 1",
            "[12:00:00] POP3< +OK 211 octets",
            "[12:00:00] ** LibSylph-WARNING: session_read_data_as_file_cb: sock_read: Connection reset by peer",
        ],
        "*** reset by the server: ",
    ),
    (
        "postfix",
        [" Out: 220 a.example ESMTP", " In:  EHLO b", "", "Session aborted, reason: lost connection"],
        "*** closed by the client without QUIT",
    ),
    (
        "nodemailer",
        ["[12:00:00] DEBUG [a] Connection established to 192.0.2.1:25", "[12:00:00] ERROR [a] Error: read ECONNRESET"],
        "*** reset by the server: ",
    ),
    (
        "javamail",
        [
            'DEBUG SMTP: trying to connect to host "localhost", port 1, isSSL false',
            "javax.mail.MessagingException: Could not connect to SMTP host: localhost, port: 1;",
            "  nested exception is:",
            "\tjava.net.ConnectException: Connection refused (Connection refused)",
            "\tat com.sun.mail.smtp.SMTPTransport.openServer(SMTPTransport.java:2209)",
        ],
        "*** connection refused: ",
    ),
)


@pytest.mark.parametrize(("name", "lines", "trouble"), TROUBLE)
def test_trouble_with_the_connection_is_told(name: str, lines: list[str], trouble: str) -> None:
    [found] = imported("\n".join(lines), name)
    assert [note for note in notes(found) if note.startswith(trouble)]


@pytest.mark.parametrize("dirt", DIRT)
@pytest.mark.parametrize(
    "name", ["mpop-1.4.18-stls.log", "mutt-2.2.12.log", "javamail-1.6.5-auth.log", "claws-mail-4.1.1-smtp.log"]
)
def test_dirt_changes_nothing(name: str, dirt: str) -> None:
    text = log(name).rstrip("\n")
    assert list(map(told, imported(DIRT[dirt](text)))) == list(map(told, imported(text)))


def format_named(name: str) -> Format:
    [found] = [each for each in FORMATS if each.name == name]
    return found


LINES: Final = sorted({line for name in LOGS for line in log(name).split("\n")})
TEXTS: Final = some.text(max_size=200) | some.lists(some.sampled_from(LINES) | some.text(max_size=20), max_size=30).map(
    "\n".join
)


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=40)
@given(text=TEXTS)
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    each = format_named(name)
    assert each.recognise(text) in {True, False}
    with suppress(FormatError):
        imported(text, name)


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=10)
@given(chance=some.randoms(use_true_random=False))
def test_of_a_part_no_secret_is_left_either(name: str, chance: random.Random) -> None:
    text = log(name)
    part = "\n".join(line for line in text.split("\n") if chance.random() < 0.8)
    with suppress(FormatError):
        for recording in imported(part, recognised(text)):
            left = repr(recording).encode()
            assert [secret for secret in SECRETS if secret in left] == []
