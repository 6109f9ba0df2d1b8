"""Texts in the form that each program has, for what no program here says by itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailproxy.formats import FORMATS, talk
from mailproxy.formats.clean import clean, replies, timed
from mailproxy.formats.error import FormatError
from mailproxy.model.octets import Side
from mailproxy.model.session import Ending, How
from tests.formats.imports import asked, imported, notes, one, recognised, speech, told

PHPMAILER = """
2026-01-31 12:00:00\tConnection: opening to mail.example.org:587, timeout=300, options=array()
2026-01-31 12:00:00\tConnection: opened
2026-01-31 12:00:00\tSMTP INBOUND: "220 mail.example.org ESMTP"
2026-01-31 12:00:00\tSERVER -> CLIENT: 220 mail.example.org ESMTP
2026-01-31 12:00:01\tCLIENT -> SERVER: EHLO client.example
2026-01-31 12:00:01\tSERVER -> CLIENT: 250-mail.example.org
                   \t                  250-SIZE 10240000
                   \t                  250 STARTTLS
2026-01-31 12:00:01\tCLIENT -> SERVER: STARTTLS
2026-01-31 12:00:01\tSERVER -> CLIENT: 220 2.0.0 Ready to start TLS
2026-01-31 12:00:01\tCLIENT -> SERVER: EHLO client.example
2026-01-31 12:00:01\tSERVER -> CLIENT: 250-mail.example.org
                   \t                  250 AUTH PLAIN LOGIN
2026-01-31 12:00:01\tCLIENT -> SERVER: AUTH LOGIN
2026-01-31 12:00:01\tSERVER -> CLIENT: 334 VXNlcm5hbWU6
2026-01-31 12:00:01\tCLIENT -> SERVER: [credentials hidden]
2026-01-31 12:00:01\tSERVER -> CLIENT: 334 UGFzc3dvcmQ6
2026-01-31 12:00:01\tCLIENT -> SERVER: [credentials hidden]
2026-01-31 12:00:03\tSERVER -> CLIENT: 535 5.7.8 authentication failed
2026-01-31 12:00:03\tSMTP ERROR: Password command failed: 535 5.7.8 authentication failed
2026-01-31 12:00:03\tSMTP Error: Could not authenticate.
2026-01-31 12:00:03\tCLIENT -> SERVER: QUIT
2026-01-31 12:00:03\tSERVER -> CLIENT: 221 2.0.0 Bye
2026-01-31 12:00:03\tConnection: closed
""".strip()
HTML = "<br>\n".join(
    (
        "2026-01-31 12:00:00 SERVER -&gt; CLIENT: 220 mail.example.org ESMTP",
        "2026-01-31 12:00:01 CLIENT -&gt; SERVER: EHLO client.example",
        "2026-01-31 12:00:01 SERVER -&gt; CLIENT: 250-mail.example.org250-SIZE 10240000250 HELP",
        "2026-01-31 12:00:01 CLIENT -&gt; SERVER: MAIL FROM:&lt;alice@example.org&gt;",
        "2026-01-31 12:00:01 SERVER -&gt; CLIENT: 530 5.7.0 Must issue a STARTTLS command first",
    )
)
TYPED = """
alice@laptop:~$ telnet mail.example.org 25
Versuche 192.0.2.25 …
Verbunden mit mail.example.org.
Escape-Zeichen ist »^]«.
220 mail.example.org ESMTP
HELO client.example
250 mail.example.org
MALI FROM:<alice@example.org>
500 5.5.2 what?
MAIL FROM:<alice@example.org>
250 2.1.0 fine
RCPT TO:<bob@example.net>
554 5.7.1 <bob@example.net>: Relay access denied
Verbindung wurde von der Gegenstelle geschlossen.
""".strip()
POP3 = """
+OK ready
USER alice
+OK
PASS wonderland
+OK logged in
LIST
+OK 2 messages
1 120
2 +OK is no answer here
.
RETR 1
+OK
Subject: hi

-ERR neither
.
QUIT
+OK bye
""".strip()
PYTHON_2 = r"""
connect: ('mail.example.org', 587)
reply: '220 mail.example.org ESMTP\r\n'
reply: retcode (220); Msg: mail.example.org ESMTP
connect: mail.example.org ESMTP
send: 'ehlo client.example\r\n'
reply: '250-mail.example.org\r\n'
reply: '250 STARTTLS\r\n'
reply: retcode (250); Msg: mail.example.org
STARTTLS
send: 'STARTTLS\r\n'
reply: '220 go ahead\r\n'
reply: retcode (220); Msg: go ahead
send: 'AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n'
reply: '535 5.7.8 authentication failed\r\n'
Traceback (most recent call last):
  File "send.py", line 4, in <module>
    server.login("alice", "wonderland")
smtplib.SMTPAuthenticationError: (535, '5.7.8 authentication failed')
""".strip()


def test_phpmailer_tells_times_replies_of_several_lines_and_hides_credentials() -> None:
    recording = one(PHPMAILER)
    assert told(recording) == [
        "220",
        "EHLO client.example 250",
        "STARTTLS 220",
        "EHLO client.example 250",
        "AUTH LOGIN 334 334 535",
        "QUIT 221",
    ]
    session = recording.session
    assert (session.upstream, session.started) == (
        "smtp://mail.example.org:587",
        datetime(2026, 1, 31, 12, tzinfo=UTC),
    )
    assert recording.exchanges[4].replies[2].at == 3_000_000
    assert speech(recording, Side.CLIENT, secure=True).startswith(b"EHLO client.example\r\nAUTH LOGIN\r\n<secret: ")
    assert "=== TLS with the server: established" in notes(recording)


def test_phpmailer_as_html_runs_the_lines_of_a_reply_together() -> None:
    recording = one(HTML)
    assert recognised(HTML) == "phpmailer"
    assert recording.exchanges[1].replies[0].text == "mail.example.org\nSIZE 10240000\nHELP"
    assert recording.exchanges[2].argument == "FROM:<alice@example.org>"
    flat = HTML.replace("<br>\n", " ")
    assert asked(one(flat).exchanges) == asked(recording.exchanges)


def test_phpmailer_of_old_shows_one_side_only() -> None:
    text = "SMTP -> FROM SERVER:220 mail.example.org\nSMTP -> FROM SERVER: 250-mail.example.org\n250 HELP\n"
    assert told(one(text)) == ["220", "250"]


def test_telnet_in_any_language() -> None:
    recording = one(TYPED)
    assert told(recording) == [
        "220",
        "HELO client.example 250",
        "MALI FROM:<alice@example.org> 500",
        "MAIL FROM:<alice@example.org> 250",
        "RCPT TO:<bob@example.net> 554",
    ]
    server = recording.session.server
    assert (server.host, server.address, server.port) == ("mail.example.org", "192.0.2.25", 25)
    assert server.ending == Ending(Side.SERVER, How.CLOSED, 0)


def test_lines_of_both_sides_without_anything_around_them() -> None:
    recording = one(POP3)
    assert (recognised(POP3), recording.session.protocol, recording.session.user) == ("telnet", "pop3", "alice")
    assert told(recording) == [
        "+OK",
        "USER alice +OK",
        "PASS <secret: 10 characters> +OK",
        "LIST +OK",
        "RETR 1 +OK",
        "QUIT +OK",
    ]


def test_python_2_and_what_it_raised() -> None:
    recording = one(PYTHON_2)
    assert told(recording) == ["220", "ehlo client.example 250".upper().replace("CLIENT.EXAMPLE", "client.example"),
                               "STARTTLS 220",
                               "AUTH PLAIN <secret: PLAIN, user alice, password 10 characters> 535"]  # fmt: skip
    left = "\n".join(talk.write(recording))
    assert "wonderland" not in left
    assert "# not understood: server.login(<secret: " in left
    assert recording.session.server.port == 587
    assert "... 3 lines were not understood" in notes(recording)


def test_a_string_that_was_wrapped_is_one() -> None:
    text = "send: 'mail FROM:<al\nice@example.org>\\r\\n'\nreply: b'250 \\xe2\\x9c\\x93 it\\'s\n fine\\r\\n'"
    recording = one(text)
    assert speech(recording, Side.CLIENT) == b"mail FROM:<alice@example.org>\r\n"
    assert speech(recording, Side.SERVER) == "250 ✓ it's fine\r\n".encode()


def test_fetchmail_tells_two_sessions_that_go_on_at_once() -> None:
    text = """
fetchmail: 6.4.37 querying pop.example.org (protocol POP3) at Sat Jan 31 12:00:00 2026: poll started
Trying to connect to 192.0.2.110/110...connected.
fetchmail: POP3< +OK ready
fetchmail: POP3> STLS
fetchmail: POP3< +OK go
fetchmail: SSL/TLS: using protocol TLSv1.3, cipher TLS_AES_256_GCM_SHA384, 256/256 secret/processed bits
fetchmail: POP3> USER alice
fetchmail: POP3< +OK
fetchmail: POP3> PASS *
fetchmail: POP3< +OK
fetchmail: POP3> RETR 1
fetchmail: POP3< +OK 100 octets
reading message alice@pop.example.org:1 of 1 (100 octets)Trying to connect to 127.0.0.1/25...connected.
fetchmail: SMTP< 220 localhost
fetchmail: SMTP> DATA
fetchmail: SMTP< 354 go on
fetchmail: SMTP>. (EOM)
fetchmail: SMTP< 550 no
 not flushed
fetchmail: POP3> QUIT
fetchmail: POP3< +OK
"""
    fetched, handed = imported(text)
    assert told(fetched) == [
        "+OK",
        "STLS +OK",
        "USER alice +OK",
        "PASS <secret: not shown> +OK",
        "RETR 1 +OK",
        "QUIT +OK",
    ]
    assert told(handed) == ["220", "DATA 354 550"]
    content = fetched.exchanges[4].content
    assert content is not None
    assert (content.ended, content.span.length) == (True, 103)
    assert speech(fetched, Side.CLIENT, secure=True).startswith(b"USER alice")


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (
            "=== Trying 192.0.2.25:25...\n*** Error connecting to 192.0.2.25:25:\n"
            "*** \tIO::Socket::INET: connect: Connection refused",
            How.REFUSED,
        ),
        ("=== Trying no.example:25...\n*** \tIO::Socket::INET: Bad hostname 'no.example'", How.NO_NAME),
        ("Trying 192.0.2.25...\ntelnet: Unable to connect to remote host: Connection refused", How.REFUSED),
        ("telnet: could not resolve no.example/25: Name or service not known", How.NO_NAME),
        ("Trying 192.0.2.25...\ntelnet: Unable to connect to remote host: No route to host", How.NO_ROUTE),
        ("CONNECTED(00000003)\n4017:error:0A00010B:SSL routines:get_record:wrong version number:a.c:350:", How.FAILED),
        ("=== Trying a:25...\n=== Connected to a.\n<-  220 a\n -> STARTTLS\n<-  220 go\n"
         "*** TLS startup failed (connect(): error:0A000086:SSL routines::certificate verify failed)", How.FAILED),
        ("reply: b'220 a\\r\\n'\nsend: 'NOOP\\r\\n'\nsmtplib.SMTPServerDisconnected: Connection unexpectedly closed",
         How.CLOSED),
        ("=== Connected to a.\n<-  220 a\n -> DATA\n*** Remote host closed connection unexpectedly.", How.CLOSED),
    ],
)  # fmt: skip
def test_how_it_ended(text: str, how: How) -> None:
    ending = one(text).session.server.ending
    assert ending is not None
    assert ending.how is how


@pytest.mark.parametrize(
    "line",
    [
        "PASS *", "PASS ********", "PASS <hidden>", "PASS [REDACTED]", "AUTH PLAIN ****", "AUTH PLAIN <base64 user>",
        "APOP alice [digest hidden]", "AUTH PLAIN xxxxxxxx", "PASS /* secret */", "PASS (password omitted)",
    ],
)  # fmt: skip
def test_what_a_tool_has_hidden_is_a_secret(line: str) -> None:
    protocol = "+OK" if line.startswith(("PASS", "APOP")) else "220 a"
    recording = one(f"=== Connected to a.\n<-  {protocol}\n -> {line}\n")
    assert "<secret: not shown>" in told(recording)[1]


def test_a_response_that_gives_up_is_no_secret() -> None:
    recording = one("<-  220 a\n -> AUTH LOGIN\n<-  334 x\n -> *\n<-  501 cancelled\n")
    assert speech(recording, Side.CLIENT) == b"AUTH LOGIN\r\n*\r\n"


def test_a_response_to_what_the_text_has_lost_is_a_secret() -> None:
    recording = one("<-  334 UGFzc3dvcmQ6\n -> d29uZGVybGFuZA==\n<-  235 ok\n -> QUIT\n")
    assert speech(recording, Side.CLIENT) == b"<secret: SASL, 10 octets>\r\nQUIT\r\n"
    recording = one("<-  250 ok\n -> d29uZGVybGFuZA==\n<-  235 ok\n -> StartTLS\n")
    assert speech(recording, Side.CLIENT) == b"<secret: SASL, 10 octets>\r\nStartTLS\r\n"


def test_a_message_is_not_taken_for_what_it_looks_like() -> None:
    recording = one("<-  220 a\n -> DATA\n<-  354 go\n -> PASS *\n -> [credentials hidden]\n -> .\n<-  250 ok\n")
    assert speech(recording, Side.CLIENT) == b"DATA\r\nPASS *\r\n[credentials hidden]\r\n.\r\n"


def test_what_was_not_understood_is_kept_masked_and_counted() -> None:
    text = "$ swaks -au alice -ap wonderland\n=== Connected to a.\n<-  220 a\nwhat is this\n -> QUIT\n"
    assert notes(one(text)) == [
        "# not understood: $ swaks -au alice -ap <secret: 10 characters>",
        "=== connected to a",
        "# not understood: what is this",
        "... 2 lines were not understood",
    ]


def test_a_secret_that_is_repeated_in_a_note_is_masked_there_too() -> None:
    response = "AGFsaWNlAHdvbmRlcmxhbmQ="
    text = f"=== Connected to a.\n<-  220 a\n -> AUTH PLAIN {response}\n=== sent {response} wonderland\n"
    assert notes(one(text))[-1] == "=== sent <secret: not shown> <secret: not shown>"


def test_a_key_of_tls_is_left_out() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\n+/a0\n+\nDATA\n-----END CERTIFICATE-----\n"
    text = f"CONNECTED(00000003)\n{certificate}New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\n---\n220 a\n---\n" + (
        "Post-Handshake New Session Ticket arrived:\n    Resumption PSK: 26CB389FC8DB\n    0000 - 74 cb   t.\n---\n"
        "read R BLOCK\nEHLO b\n250 a\n"
    )
    recording = one(text)
    assert told(recording) == ["220", "EHLO b 250"]
    assert "26CB" not in "\n".join(talk.write(recording))


def test_several_sessions_of_one_text() -> None:
    text = "=== Trying a:25...\n=== Connected to a.\n<-  220 a\n=== Trying b:587...\n=== Connected to b.\n<-  220 b\n"
    assert [each.session.upstream for each in imported(text)] == ["smtp://a:25", "smtp://b:587"]


def test_lines_that_were_joined_are_told_apart() -> None:
    text = "=== Trying a:25... === Connected to a. <-  220 a  -> EHLO b <-  250-a <-  250 HELP  -> QUIT <-  221 bye"
    assert told(one(text, "swaks")) == ["220", "EHLO b 250", "QUIT 221"]
    assert replies("250-a250-SIZE 1250 b") == ["250-a", "250-SIZE 1", "250 b"]
    assert replies("250-a 250-b 250 c") == ["250-a", "250-b", "250 c"]
    assert replies("250-only 25") == ["250-only 25"]


def test_times_that_lines_begin_with() -> None:
    assert timed("2026-01-31 12:00:05.5 x") == (datetime(2026, 1, 31, 12, 0, 5, 500_000), "x")
    assert timed("12:00:05,250 x")[1] == "x"
    assert timed("99:99:99 x") == (None, "99:99:99 x")


@pytest.mark.parametrize(
    "text", ["a\n  b \n\nc", " -> x\n<-  250 &lt;a> b", "250 12:00:00 it is\n221 bye", "> one\ntwo\nthree"]
)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text", ["", "\n\n", "hello there\nworld wide", "From: alice\nSubject: 220 is a number\n\nEHLO me\n"]
)
def test_other_texts_are_not_recognised(text: str) -> None:
    assert recognised(text) == ""


PIECES = r"""
 -> |<-  |~> |=== Trying a:99999...|*** |<** 550 no|  > 0000: 45 48
send: '|reply: b'\x|*cmd* 'USER x'|*get* b'+OK\r\n'|data: (
--> |<-- 250 x|host = x|port = 99999999999|fetchmail: POP3> RETR 1
fetchmail: POP3< +OK 9 octets|fetchmail: SMTP>. (EOM)
Trying to connect to a/99999...connected.|CONNECTED(3)|---|DONE|read:errno=0|`|> |connect: ('a', 99999)
0001-01-01 00:00:00
23:59:59 |<br>|&gt;|^M|CLIENT -> SERVER: |SERVER -> CLIENT: 250-|Escape character is '^]'.|250-|354|DATA
"""
SNIPPETS = some.sampled_from(
    [
        *(each + "\n" for text in (PHPMAILER, HTML, TYPED, POP3, PYTHON_2) for each in text.split("\n")),
        *(piece + end for piece in PIECES.strip("\n").replace("\n", "|").split("|") for end in ("", "\n")),
        *("\ufeff", "\u00a0", "\r", "\udcff"),
    ]
)


@given(some.lists(SNIPPETS | some.text(max_size=9), max_size=20).map("".join))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for each in FORMATS:
        each.recognise(text)
        refusal = ""
        try:
            assert imported(text, each.name)
        except FormatError as error:
            refusal = str(error)
        assert refusal == "" or refusal.isprintable()
