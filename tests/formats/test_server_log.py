"""Lines of a server's log, put beside the session they are about; Exim's and Sendmail's in their documented shape."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.app.library import complete
from mailproxy.formats.server_log import LogLine, read
from mailproxy.formats.server_log_facts import facts
from mailproxy.formats.server_log_match import Matched, match
from mailproxy.formats.server_log_stamp import stamp
from mailproxy.formats.server_log_veil import veiled
from mailproxy.formats.server_log_visits import visits
from mailproxy.formats.server_log_words import meaning
from mailproxy.formats.talk import read as talk
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import MASKED

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

REFUSED = """
# session 1, 2026-11-20T12:00:00.000000Z, client 192.0.2.7
smtp 587
   0.000 === connected to mail.example.org (192.0.2.25)
   0.010 <-  220 mail.example.org ESMTP
   0.020  -> EHLO client.example
   0.030 <-  250 mail.example.org
   0.040  -> MAIL FROM:<alice@example.org>
   0.050 <-  250 2.1.0 fine
   0.060  -> RCPT TO:<bob@example.net>
   0.070 <-  550 relay not permitted
   1.500  -> QUIT
   1.501 <-  221 2.0.0 bye
   1.502 *** closed by the server
""".lstrip()

SENT = """
# session 2, 2026-11-20T12:00:00.000000Z, client 192.0.2.7
smtp 587
   0.000 === connected to mail.example.org (192.0.2.25)
   0.010 <-  220 mail.example.org ESMTP
   0.020  -> EHLO client.example
   0.030 <-  250-mail.example.org
   0.030 <-  250 AUTH PLAIN
   0.031  -> AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=
   0.032 <-  235 2.7.0 Welcome
   0.040  -> MAIL FROM:<alice@example.org>
   0.050 <-  250 2.1.0 fine
   0.060  -> RCPT TO:<bob@example.net>
   0.070 <-  250 2.1.5 fine
   0.100  -> DATA
   0.110 <-  354 go on
   0.120  -> Subject: Lunch
   0.120  ->
   0.120  -> .
   0.130 <-  250 OK id=1vM1aB-0000000Abcd-1xYz
   1.500  -> QUIT
   1.501 <-  221 2.0.0 bye
   1.502 *** closed by the server
""".lstrip()

FETCHED = """
# session 3, 2026-11-20T12:00:00.000000Z, client 192.0.2.7
pop3 110
   0.000 === connected to mail.example.org (192.0.2.25)
   0.010 <-  +OK ready
   0.020  -> USER alice
   0.030 <-  +OK
   0.040  -> PASS wonderland
   2.050 <-  -ERR [AUTH] Authentication failed.
   2.060  -> QUIT
   2.070 <-  +OK
   2.080 *** closed by the server
""".lstrip()

EXIM_REFUSED = """
2026-11-20 12:00:00 SMTP connection from [192.0.2.7]:40001 (TCP/IP connection count = 1)
2026-11-20 12:00:00 H=(client.example) [192.0.2.7]:40001 F=<alice@example.org> rejected RCPT <bob@example.net>: relay \
not permitted
2026-11-20 12:00:01 SMTP connection from (client.example) [192.0.2.7]:40001 D=1s closed by QUIT
2026-11-20 12:00:01 H=(other.example) [192.0.2.8]:40002 F=<carol@example.org> rejected RCPT <bob@example.net>: relay \
not permitted
"""

EXIM_SENT = """
2026-11-20 11:59:12 1vM1aA-0000000AbcZ-1xYz <= carol@example.org H=(client.example) [192.0.2.7] P=esmtp S=402
2026-11-20 12:00:37 1vM1aB-0000000Abcd-1xYz <= alice@example.org H=(client.example) [192.0.2.7] P=esmtpa A=plain:alice \
S=402 id=lunch@example.org
2026-11-20 12:00:38 1vM1aB-0000000Abcd-1xYz => bob@example.net R=dnslookup T=remote_smtp H=mx.example.net \
[203.0.113.9] C="250 OK"
2026-11-20 12:00:38 1vM1aB-0000000Abcd-1xYz Completed
"""

SENDMAIL = """
Nov 20 12:00:00 mail sm-mta[4242]: 5AKC0042004242: ruleset=check_rcpt, arg1=<bob@example.net>, relay=client.example \
[192.0.2.7], reject=550 5.7.1 <bob@example.net>... Relaying denied
Nov 20 12:00:01 mail sm-mta[4242]: 5AKC0042004242: from=<alice@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, \
daemon=MTA-v4, relay=client.example [192.0.2.7]
Nov 20 12:00:01 mail sm-mta[4300]: 5AKC0043004300: from=<eve@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, \
daemon=MTA-v4, relay=other.example [192.0.2.9]
"""

DOVECOT = """
Nov 20 11:59:59 mail dovecot: pop3-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.25, mpid=77, \
session=<q80Kq80Kq80wAAAB>
Nov 20 12:00:02 mail dovecot: auth: passwd-file(alice,192.0.2.7): Password mismatch (given password: wonderland)
Nov 20 12:00:02 mail dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.25, mpid=78
Nov 20 12:00:02 mail dovecot: pop3-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<alice>, \
method=PLAIN, rip=192.0.2.7, lip=192.0.2.25
"""


def recording(text: str) -> Recording:
    (drafted,) = talk(text)
    return complete(drafted, "", MASKED)


def matched(text: str, log: str) -> Matched:
    about = recording(text)
    return match(about, visits(read(log.splitlines(), [about.session.started])))


def told(found: Matched) -> list[tuple[str, str]]:
    """The end of each line, and the command it stands beside."""
    return [(beside.line.whole[-30:], beside.exchange.verb if beside.exchange else "") for beside in found.lines]


@pytest.mark.parametrize(
    ("line", "moment", "rest"),
    [
        ("Nov 20 08:00:00 mail x: y", datetime(2026, 11, 20, 8), "mail x: y"),
        ("<22>Nov  3 08:00:00.250 mail x: y", datetime(2026, 11, 3, 8, 0, 0, 250_000), "mail x: y"),
        ("Dec 31 23:59:60 mail x: y", datetime(2026, 12, 31, 23, 59, 59), "mail x: y"),
        ("2026-11-20T08:00:00.5+01:00 mail x: y", datetime(2026, 11, 20, 7, 0, 0, 500_000, UTC), "mail x: y"),
        ("2026-11-20T08:00:00Z mail x: y", datetime(2026, 11, 20, 8, tzinfo=UTC), "mail x: y"),
        ("2026-11-20 08:00:00 +0100 [7] 1vM1aB-0000000Abcd-1xYz", datetime(2026, 11, 20, 7, tzinfo=UTC), "[7] 1vM1aB"),
        ("2026-11-20 08:00:00.123 [7] x", datetime(2026, 11, 20, 8, 0, 0, 123_000), "[7] x"),
    ],
)
def test_a_stamp(line: str, moment: datetime, rest: str) -> None:
    found = stamp(line, NOON)
    assert found
    assert found[0].moment == moment
    assert found[1].startswith(rest)


@pytest.mark.parametrize(
    "line", ["", "x", "Feb 30 08:00:00 mail x: y", "2026-13-20 08:00:00 x", "Nov 20", "at 08:00:00"]
)
def test_no_stamp(line: str) -> None:
    assert stamp(line, NOON) is None


def test_a_year_that_is_not_told_is_the_nearest() -> None:
    new_year = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    found = stamp("Dec 31 23:59:00 mail x: y", new_year)
    assert found
    assert found[0].moment == datetime(2025, 12, 31, 23, 59)


def test_dovecot_tells_the_port_in_the_name_of_a_session() -> None:
    assert facts("pop3-login: Login: user=<alice1>, rip=127.0.0.1, session=<reZ7gQVh9OV/AAAB>").peers >= {
        ("127.0.0.1", 58868)
    }


def test_the_next_server_is_no_peer() -> None:
    line = "339E124A99F: to=<alice@example.org>, relay=127.0.0.1[127.0.0.1]:40089, dsn=2.0.0, status=sent (250 Saved)"
    assert facts(line) == facts("339E124A99F: removed")


def test_exim_tells_that_it_does_not_relay() -> None:
    found = matched(REFUSED, EXIM_REFUSED)
    assert [verb for _, verb in told(found)] == ["", "RCPT", "QUIT"]
    assert meaning(found.lines[1].line.text) == "The server relays for this client only after a login."
    assert not found.doubtful


def test_exim_tells_what_became_of_a_message_and_that_its_clock_is_ahead() -> None:
    found = matched(SENT, EXIM_SENT)
    assert [beside.line.whole[11:19] for beside in found.lines] == ["12:00:37", "12:00:38", "12:00:38"]
    assert {verb for _, verb in told(found)} == {"DATA"}
    assert timedelta(seconds=35) < found.ahead < timedelta(seconds=38)


def test_sendmail_tells_that_it_does_not_relay() -> None:
    found = matched(
        REFUSED.replace("550 relay not permitted", "550 5.7.1 <bob@example.net>... Relaying denied"), SENDMAIL
    )
    assert [verb for _, verb in told(found)] == ["RCPT", "MAIL"]
    assert {beside.line.process for beside in found.lines} == {"4242"}


def test_dovecot_tells_that_the_password_was_wrong() -> None:
    found = matched(FETCHED, DOVECOT)
    assert [verb for _, verb in told(found)] == ["PASS", "PASS"]
    assert meaning(found.lines[0].line.text) == "The server found the password wrong for this user."
    assert "wonderland" not in veiled(found.lines[0].line.whole)


@pytest.mark.parametrize("hours", [-5, 1, 5.5, 9])
def test_a_log_of_another_zone_is_understood(hours: float) -> None:
    """Where it tells no zone, and what it says of the session leaves no doubt."""
    lines = [
        f"{datetime(2026, 11, 20, 12) + timedelta(hours=hours):%b %d %H:%M:%S} {rest}"
        for rest in ("mail postfix/smtpd[7]: connect from unknown[192.0.2.7]",
                     "mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 550 relay not permitted; "
                     "from=<alice@example.org> to=<bob@example.net>")
    ]  # fmt: skip
    found = matched(REFUSED, "\n".join(lines))
    assert len(found.lines) == 2
    assert found.ahead == timedelta()


def test_another_time_and_another_address_are_of_another_session() -> None:
    connect = "mail postfix/smtpd[7]: connect from unknown"
    assert not matched(REFUSED, f"2026-11-20T12:10:00Z {connect}[192.0.2.7]").lines
    assert not matched(REFUSED, f"2026-11-20T12:00:00Z {connect}[192.0.2.8]").lines
    assert matched(REFUSED, f"2026-11-20T12:00:00Z {connect}[192.0.2.7]").lines


def test_two_connections_that_both_fit_are_told_as_a_doubt() -> None:
    log = "\n".join(f"2026-11-20T12:00:00Z mail postfix/smtpd[{n}]: connect from unknown[192.0.2.7]" for n in (7, 8))
    assert matched(REFUSED, log).doubtful


def test_postfix_counts_tell_them_apart() -> None:
    end = "mail postfix/smtpd[{}]: disconnect from unknown[192.0.2.7] ehlo=1 mail=1 rcpt={} quit=1 commands=3/4"
    log = [
        f"2026-11-20T12:00:00Z {text}"
        for number, rcpt in ((7, "3"), (8, "0/1"))
        for text in (f"mail postfix/smtpd[{number}]: connect from unknown[192.0.2.7]", end.format(number, rcpt))
    ]
    found = matched(REFUSED, "\n".join(log))
    assert {beside.line.process for beside in found.lines} == {"8"}
    assert not found.doubtful


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("warning: x[1.2.3.4]: SASL LOGIN authentication failed: Invalid authentication mechanism", "mechanism"),
        (
            "pop3-login: Disconnected: Inactivity (auth failed, 1 attempts in 180 secs): user=<alice>",
            "refused the login",
        ),
        ("pop3-login: Disconnected: Inactivity (no auth attempts in 180 secs): user=<>", "said nothing for so long"),
        ("pop3(alice)<1><x>: Disconnected: Inactivity top=0/0", "said nothing for so long"),
        ("TLS handshaking: SSL_accept() failed: error:0A000418:SSL routines::tlsv1 alert unknown ca", "does not trust"),
        ("STARTTLS=server, error: accept failed=-1, reason=wrong version number, SSL_error=1", "in clear"),
        ("AUTH failure (PLAIN): user not found (-20) SASL(-13): user not found: checkpass failed", "user name"),
        (
            "plain authenticator failed for (x) [192.0.2.7]: 535 Incorrect authentication data (set_id=a)",
            "password wrong",
        ),
        ("lost input channel from [192.0.2.7] to MTA after mail", "hung up without QUIT"),
        ("5AKC0042004242: to=<bob@example.net>, relay=mx [203.0.113.9], dsn=2.0.0, stat=Sent (ok)", "reached"),
        ("connect from unknown[192.0.2.7]", ""),
        ("pop3(alice)<1><x>: Disconnected: Logged out top=0/0, retr=1/727", ""),
    ],
)
def test_what_a_line_means(text: str, part: str) -> None:
    assert part in meaning(text)
    assert bool(part) is bool(meaning(text))


@pytest.mark.parametrize(
    "line",
    [
        "dovecot: auth: sql(alice,192.0.2.7): Password mismatch (given password: wonderland)",
        "dovecot: auth: Debug: client in: AUTH\t1\tPLAIN\tservice=pop3\tresp=wonderland",
        "postfix/smtpd[7]: < unknown[192.0.2.7]: AUTH PLAIN wonderland",
        "postfix/smtpd[7]: < unknown[192.0.2.7]: wonderland",
        "postfix/smtpd[7]: warning: x[192.0.2.7]: SASL LOGIN authentication failed: x, sasl_username=wonderland",
        "exim[7]: SMTP<< PASS wonderland",
    ],
)
def test_a_secret_in_a_log_is_masked(line: str) -> None:
    assert "wonderland" not in veiled(line, "alice")
    assert "<secret: " in veiled(line, "alice")


def test_what_is_no_secret_stands() -> None:
    for line in (
        "x[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=alice",
        "pop3-login: Login: user=<alice>, method=PLAIN, session=<reZ7gQVh9OV/AAAB>",
        "auth: passwd-file(alice,192.0.2.7): Password mismatch",
    ):
        assert veiled(line, "alice@example.org") == line


@given(st.lists(st.text(), max_size=8), st.sampled_from((REFUSED, SENT, FETCHED)))
def test_any_text_raises_nothing(lines: list[str], session: str) -> None:
    matched(session, "\n".join(lines))


WORDS = st.sampled_from(
    ["Nov 20 12:00:00 ", "2026-11-20 12:00:00 ", "0001-01-01T00:00:00+14:00 ", "<9>", "mail ", "postfix/smtpd[7]: ",
     "dovecot: ", "connect from ", "x[192.0.2.7]:99999", "[::1]", "rip=1.2.3.4.5", "session=<AAAAAAAAAAAAAAAA>",
     "user=<alice>", "5AKC0042004242: ", "1vM1aB-0000000Abcd-1xYz ", "550 relay not permitted", "AUTH PLAIN ",
     "disconnect from x ehlo=1", "\udcff", "\x1b[31m", "[", "(", "<"]
)  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=9).map("".join), max_size=6), st.sampled_from((REFUSED, SENT, FETCHED)))
def test_what_looks_like_a_log_raises_nothing_and_harms_no_terminal(lines: list[str], session: str) -> None:
    found: list[LogLine] = [beside.line for beside in matched(session, "\n".join(lines)).lines]
    for line in found:
        assert veiled(line.whole).isprintable()
        meaning(line.text)
