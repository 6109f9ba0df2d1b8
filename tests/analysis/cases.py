"""For each rule a session that it decides, and one so near to it that it must not."""

from typing import Final, NamedTuple

from mailproxy.app.library import complete
from mailproxy.formats.talk_read import read
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import Terms


class Case(NamedTuple):
    """Two transcripts."""

    bad: str
    good: str


def recorded(talk: str) -> Recording:
    """The session of a transcript, read."""
    (recording,) = read(talk)
    return complete(recording, "", Terms())


def smtp(*said: str, port: int = 587) -> str:
    """A transcript of SMTP: these parts, one below the other."""
    return _talk(f"smtp {port}", said)


def pop3(*said: str) -> str:
    """A transcript of POP3."""
    return _talk("pop3 110", said)


def _talk(first: str, said: tuple[str, ...]) -> str:
    return "\n".join([first, "=== connected to mail.example.org (192.0.2.25)", *(each.strip("\n") for each in said)])


GREETING: Final = "<-  220 mail.example.org ESMTP"
HELLO: Final = f"""{GREETING}
 -> EHLO client.example
<-  250-mail.example.org
<-  250-SIZE 10000
<-  250-STARTTLS
<-  250 AUTH PLAIN LOGIN"""
BARE: Final = f"""{GREETING}
 -> EHLO client.example
<-  250 mail.example.org"""
LOGIN: Final = " -> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>"
LOGGED_IN: Final = f"""{LOGIN}
<-  235 2.7.0 welcome"""
ACCOUNT: Final = " -> AUTH PLAIN <secret: PLAIN, user alice@example.org, password 9 characters>"
MAIL: Final = """ -> MAIL FROM:<alice@example.org>
<-  250 2.1.0 ok"""
ENVELOPE: Final = f"""{MAIL}
 -> RCPT TO:<bob@example.net>
<-  250 2.1.5 ok"""
MESSAGE: Final = """ -> DATA
<-  354 go on
 -> From: Alice <alice@example.org>
 -> Date: Tue, 01 Jul 2025 10:52:37 +0200
 -> Message-ID: <1@example.org>
 ->
 -> Hello"""
TAKEN: Final = """ -> .
<-  250 2.0.0 queued"""
QUIT: Final = """ -> QUIT
<-  221 2.0.0 bye
*** closed by the server"""
SENT: Final = smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, QUIT)
POP: Final = "<-  +OK mail.example.org ready"
CAPA: Final = f"""{POP}
 -> CAPA
<-  +OK
<-  UIDL
<-  USER
<-  SASL PLAIN
<-  ."""
USER: Final = """ -> USER alice
<-  +OK
 -> PASS <secret: 9 characters>
<-  +OK"""
ONE: Final = """ -> STAT
<-  +OK 1 22
 -> RETR 1
<-  +OK 22 octets
<-  Subject: Hello
<-
<-  Hi
<-  ."""
TWO: Final = ONE.replace("1 22", "2 44")
BYE: Final = """ -> QUIT
<-  +OK bye
*** closed by the server"""
FETCHED: Final = pop3(POP, USER, ONE, BYE)

CASES: Final = {
    "no-connection": Case(smtp("*** connection refused"), smtp(GREETING, QUIT)),
    "tls-failed": Case(
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n*** TLS failed with the server: certificate has expired"),
        smtp(HELLO,
             " -> STARTTLS\n<-  220 go ahead\n=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3",
             " ~> EHLO client.example\n<~  250 mail.example.org\n ~> QUIT\n<~  221 bye\n*** closed by the server"),
    ),
    "certificate-left": Case(
        smtp(HELLO,
             " -> STARTTLS\n<-  220 go ahead\n=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3",
             "*** closed by the client without QUIT"),
        smtp(HELLO,
             " -> STARTTLS\n<-  220 go ahead\n=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3",
             " ~> EHLO client.example\n<~  250 mail.example.org\n*** closed by the client without QUIT"),
    ),
    "starttls-before-hello": Case(
        smtp(GREETING, " -> STARTTLS\n<-  503 5.5.1 send EHLO, a hello, first\n*** closed by the client"),
        smtp(HELLO, " -> STARTTLS\n<-  454 4.7.0 TLS not available due to temporary reason\n*** closed by the client"),
    ),
    "overwritten": Case(
        smtp("<-  220 ****************************", " -> EHLO client.example\n<-  250-mail.example.org",
             "<-  250-XXXXXXXA\n<-  250 SIZE 10000", QUIT),
        smtp("<-  220 ****************************", " -> EHLO client.example\n<-  250 SIZE 10000",
             ENVELOPE, MESSAGE, TAKEN, QUIT, port=25),
    ),
    "not-mail": Case(
        smtp(GREETING,
             " -> GET / HTTP/1.1\n -> Host: mail.example.org\n<-  421 this is no web server\n*** closed by the server"),
        smtp(GREETING, " -> GETTING\n<-  502 5.5.2 not recognised", QUIT),
    ),
    "tls-at-clear-port": Case(
        smtp("=== TLS passes through: the client offers TLSv1.3", GREETING, "*** closed by the client"),
        smtp("=== TLS passes through: the client offers TLSv1.3\n=== TLS passes through: the server chose TLSv1.3",
             "*** closed by the client"),
    ),
    "hello-refused": Case(
        smtp(HELLO, LOGGED_IN, MAIL,
             " -> RCPT TO:<bob@example.net>\n<-  550 5.7.1 Helo command rejected: need a host name", QUIT),
        smtp(GREETING, " -> EHLO x_y\n<-  501 5.5.4 Helo command rejected\n -> EHLO client.example",
             "<-  250 mail.example.org", QUIT),
    ),
    "hello-forgotten": Case(
        smtp(BARE, " -> MAIL FROM:<alice@example.org>\n<-  503 5.5.1 Polite people say HELO first", QUIT),
        smtp(GREETING, " -> MAIL FROM:<alice@example.org>\n<-  503 5.5.1 Polite people say HELO first", QUIT),
    ),
    "hello-not-again": Case(
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n=== TLS\n ~> AUTH LOGIN\n<~  503 5.5.1 AUTH not advertised"),
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n=== TLS\n ~> EHLO client.example\n<~  250 mail.example.org",
             " ~> AUTH LOGIN\n<~  503 5.5.1 AUTH not advertised"),
    ),
    "stopped-for-want": Case(
        pop3(CAPA, USER, '... client stops: "Command TOP is not supported by server."', BYE),
        pop3(CAPA, USER, '... client stops: "Command UIDL is not supported by server."', BYE),
    ),
    "hello-twice": Case(
        smtp(HELLO, LOGGED_IN, HELLO.removeprefix(GREETING),
             " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
    ),
    "hello-old": Case(
        smtp(GREETING, " -> HELO client.example\n<-  250 mail.example.org",
             " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
        smtp(BARE, " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
    ),
    "mechanism-not-offered": Case(
        smtp(HELLO, " -> AUTH CRAM-MD5\n<-  504 5.5.4 unrecognized authentication type", QUIT),
        smtp(HELLO, LOGIN, "<-  504 5.5.4 unrecognized authentication type", QUIT),
    ),
    "login-never-tried": Case(
        smtp(HELLO, " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
        smtp(HELLO, LOGIN, "<-  535 5.7.8 Authentication failed",
             " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required", QUIT),
    ),
    "upgrade-not-offered": Case(
        smtp(BARE, " -> STARTTLS\n<-  502 5.5.1 not implemented", QUIT),
        smtp(HELLO, " -> STARTTLS\n<-  502 5.5.1 not implemented", QUIT),
    ),
    "left-for-want": Case(smtp(BARE, QUIT), smtp(HELLO, QUIT)),
    "left-at-hello": Case(
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n=== TLS\n ~> EHLO client.example\n<~  250 AUTH PLAIN",
             "*** closed by the client without QUIT"),
        smtp(HELLO, "*** closed by the client without QUIT"),
    ),
    "sender-elsewhere": Case(
        smtp(HELLO, f"{ACCOUNT}\n<-  235 2.7.0 welcome",
             " -> MAIL FROM:<root@web.example>\n<-  553 5.7.1 Sender address rejected: not owned by user", QUIT),
        smtp(HELLO, f"{ACCOUNT}\n<-  235 2.7.0 welcome",
             " -> MAIL FROM:<carol@example.org>\n<-  553 5.7.1 Sender address rejected: not owned by user", QUIT),
    ),
    "login-out-of-step": Case(
        smtp(HELLO, " -> AUTH LOGIN <secret: user alice>\n<-  334 VXNlcm5hbWU6\n -> <secret: 9 characters>",
             "<-  535 5.7.8 authentication failed", QUIT),
        smtp(HELLO, " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> <secret: user alice>\n<-  334 UGFzc3dvcmQ6",
             " -> <secret: 9 characters>\n<-  535 5.7.8 authentication failed", QUIT),
    ),
    "ok-for-go-on": Case(
        pop3(CAPA, " -> AUTH PLAIN\n<-  +OK\n -> <secret: 24 characters>\n<-  -ERR unknown command", BYE),
        pop3(CAPA,
             " -> AUTH PLAIN\n<-  + \n -> <secret: PLAIN, user alice, password 9 characters>\n<-  -ERR [AUTH] no", BYE),
    ),
    "token-in-one-line": Case(
        pop3(POP,
             " -> AUTH XOAUTH2 <secret: token 900 characters>\n<-  -ERR Protocol error. Connection is closed. 10", BYE),
        pop3(POP, " -> AUTH XOAUTH2 <secret: token 900 characters>\n<-  -ERR [AUTH] no", BYE),
    ),
    "login-cancelled": Case(
        smtp(HELLO, " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> *\n<-  501 5.7.0 aborted", QUIT),
        smtp(HELLO, " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> *\n<-  501 5.7.0 aborted", LOGGED_IN, QUIT),
    ),
    "relay-without-login": Case(
        smtp(HELLO, MAIL, " -> RCPT TO:<bob@example.net>\n<-  554 5.7.1 Relay access denied", QUIT),
        smtp(HELLO, LOGGED_IN, MAIL, " -> RCPT TO:<bob@example.net>\n<-  554 5.7.1 Relay access denied", QUIT),
    ),
    "apop-alone": Case(
        pop3("<-  +OK ready <1.2@example.org>", CAPA.removeprefix(POP), " -> APOP alice <secret: digest>\n<-  -ERR no"),
        pop3("<-  +OK ready <1.2@example.org>", CAPA.removeprefix(POP),
             " -> APOP alice <secret: digest>\n<-  -ERR no", USER, BYE),
    ),
    "login-went-well-before": Case(
        pop3("... the same login succeeded a hundred times", POP,
             " -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  -ERR [AUTH] invalid login", BYE),
        pop3(POP, " -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  -ERR [AUTH] invalid login", BYE),
    ),
    "idle": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, "=== 600 s pass\n -> RSET",
             "<-  421 4.4.2 timeout exceeded\n*** closed by the server"),
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, "=== 5 s pass\n -> RSET\n<-  250 2.0.0 ok", QUIT),
    ),
    "null-sender": Case(
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<>\n<-  550 5.7.1 a sender is needed here", QUIT),
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<>\n<-  250 2.1.0 ok", QUIT),
    ),
    "dot-not-doubled": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE,
             " -> .\n<-  250 2.0.0 queued\n -> and the rest of it\n<-  502 5.5.2 what?", QUIT),
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, " -> ..\n -> and the rest of it", TAKEN, QUIT),
    ),
    "message-stalled": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, "<-  421 4.4.2 timeout waiting for data\n*** closed by the server"),
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, " -> .\n<-  451 4.3.0 try again", QUIT),
    ),
    "delete-without-quit": Case(
        pop3(POP, USER, ONE, " -> DELE 1\n<-  +OK\n*** closed by the client without QUIT"),
        pop3(POP, USER, ONE, " -> DELE 1\n<-  +OK", BYE),
    ),
    "broken-off": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, "*** connection lost"),
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, "*** closed by the client without QUIT"),
    ),
    "both-wait": Case(
        smtp("*** timed out waiting for the server", port=465),
        smtp("*** closed by the client", port=465),
    ),
    "pop3-status": Case(
        pop3(POP, " -> USER alice\n<-  +OKAY\n -> PASS <secret: 9 characters>\n<-  +OK", BYE),
        pop3(POP, USER, BYE),
    ),
    "pop3-unnumbered": Case(
        pop3(POP, USER, " -> UIDL 1\n<-  +OK abc", BYE),
        pop3(POP, USER, " -> UIDL 1\n<-  +OK 1 abc", BYE),
    ),
    "pop3-impatient": Case(
        pop3(POP, " -> CAPA\n<-  +OK\n<-  UIDL\n<-  .\n -> CAPA\n*** closed by the server"),
        pop3(POP, " -> CAPA\n<-  +OK\n<-  UIDL\n<-  .\n -> CAPA\n<-  +OK\n<-  UIDL\n<-  .", USER, BYE),
    ),
    "pop3-stopped": Case(pop3(POP, USER, TWO), pop3(POP, USER, TWO, BYE)),
    "pop3-endless": Case(
        pop3(POP, USER, " -> RETR 1\n<-  +OK 16 octets\n<-  Subject: Hello\n -> QUIT\n<-  +OK bye"),
        FETCHED,
    ),
    "another-server": Case(
        pop3("<-  * OK IMAP4rev1 ready\n -> USER alice\n<-  USER BAD unknown command\n*** closed by the client"),
        pop3(POP, " -> USER alice\n<-  -ERR no such user", BYE),
    ),
    "pop3-beyond": Case(
        pop3(POP, USER, " -> STAT\n<-  +OK 0 0\n -> RETR 1\n<-  -ERR no such message", BYE),
        pop3(POP, USER, " -> STAT\n<-  +OK 1 22\n -> RETR 1\n<-  -ERR no such message", BYE),
    ),
    "pop3-not-updated": Case(
        pop3(POP, USER, ONE, " -> DELE 1\n<-  +OK\n -> QUIT\n<-  -ERR some deleted messages not removed"),
        pop3(POP, USER, ONE, " -> QUIT\n<-  -ERR what?"),
    ),
    "prompt-unanswered": Case(
        smtp(HELLO, " -> AUTH LOGIN\n<-  334\n*** closed by the client"),
        smtp(HELLO, " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> *\n<-  501 5.7.0 Authentication cancelled", QUIT),
    ),
    "refused-before-password": Case(
        smtp(HELLO, " -> AUTH LOGIN <secret: user alice>\n<-  501 5.5.2 no data expected", QUIT),
        smtp(HELLO, " -> AUTH LOGIN <secret: user alice>\n<-  334 UGFzc3dvcmQ6\n -> <secret: 9 characters>",
             "<-  535 5.7.8 authentication failed", QUIT),
    ),
    "must-know": Case(
        smtp(HELLO, " -> NOOP\n<-  502 5.5.1 not implemented", QUIT),
        smtp(HELLO, " -> NOOP\n<-  502 5.5.1 not implemented", LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, QUIT),
    ),
    "retr-not-known": Case(
        pop3(POP, USER, " -> RETR 1\n<-  -ERR Unknown command.", BYE),
        pop3(POP, USER, " -> UIDL\n<-  -ERR Unknown command.", BYE),
    ),
    "data-not-asked": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, " -> DATA\n<-  250 accepted", QUIT),
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, QUIT),
    ),
    "nested-mail": Case(
        smtp(HELLO, LOGGED_IN, MAIL, " -> MAIL FROM:<carol@example.org>\n<-  503 5.5.1 nested MAIL command", QUIT),
        smtp(HELLO, LOGGED_IN, MAIL, " -> RSET\n<-  250 2.0.0 ok",
             " -> MAIL FROM:<carol@example.org>\n<-  503 5.5.1 nested MAIL command", QUIT),
    ),
    "transaction-forgotten": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, " -> DATA\n<-  503 5.5.1 need RCPT first", QUIT),
        smtp(HELLO, LOGGED_IN, MAIL, " -> DATA\n<-  503 5.5.1 need RCPT first", QUIT),
    ),
    "header-before-data": Case(
        smtp(HELLO, LOGGED_IN, ENVELOPE, " -> Subject: Hello\n<-  221 2.7.0 no command\n*** closed by the server"),
        smtp(HELLO, LOGGED_IN, " -> Subject: Hello\n<-  500 5.5.2 no command", ENVELOPE, MESSAGE, TAKEN, QUIT),
    ),
    "hello-again": Case(
        smtp(HELLO, " -> HELO client.example\n<-  503 5.5.1 wrong state", QUIT),
        smtp(HELLO, " -> HELO client.example\n<-  503 5.5.1 wrong state", LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, QUIT),
    ),
    "mail-before-login": Case(
        smtp(HELLO, " -> MAIL FROM:<alice@example.org>\n<-  503 bad sequence of commands", QUIT),
        smtp(HELLO, " -> MAIL FROM:<alice@example.org>\n<-  503 RCPT first", QUIT),
    ),
    "path-syntax": Case(
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM: alice@example.org\n<-  501 5.1.7 bad sender syntax", QUIT),
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM: alice@example.org\n<-  550 5.7.1 this domain is on a blocklist", QUIT),
    ),
    "recipient-malformed": Case(
        smtp(HELLO, LOGGED_IN, MAIL, " -> RCPT TO:<bob@@example.net>\n<-  501 5.1.3 bad syntax", QUIT),
        smtp(HELLO, LOGGED_IN, MAIL, " -> RCPT TO: bob@example.net\n<-  501 5.1.3 bad syntax", QUIT),
    ),
    "parameter-refused": Case(
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<alice@example.org> SIZE=500\n<-  501 5.5.4 bad parameter SIZE", QUIT),
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<alice@example.org> SIZE=500\n<-  552 5.3.4 SIZE is too large", QUIT),
    ),
    "message-not-known": Case(
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<alice@example.org>\n<-  500 5.5.1 command unrecognized", QUIT),
        smtp(HELLO, LOGGED_IN, " -> MALI FROM:<alice@example.org>\n<-  500 5.5.1 command unrecognized", QUIT),
    ),
    "clear-after-starttls": Case(
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n -> EHLO client.example\n*** closed by the server"),
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead\n -> EHLO client.example\n<-  250 mail.example.org", QUIT),
    ),
    "half-a-line": Case(
        smtp(GREETING, " -> EHLO client.example\\n\n=== 300 s pass\n<-  451 4.7.0 timeout\n*** closed by the server"),
        smtp(GREETING, " -> EHLO client.example\\n\n<-  250 mail.example.org", QUIT),
    ),
    "hung-up-at-command": Case(
        pop3(POP, " -> UTF8\n<-  -ERR bad command\n*** closed by the server"),
        pop3(POP, " -> UTF8\n<-  -ERR bad command", USER, BYE),
    ),
    "pop3-deleted": Case(
        pop3(POP, USER, TWO, " -> DELE 1\n<-  +OK\n -> RETR 1\n<-  -ERR it is deleted", BYE),
        pop3(POP, USER, TWO, " -> DELE 1\n<-  +OK\n -> RSET\n<-  +OK\n -> RETR 1\n<-  -ERR it is broken", BYE),
    ),
    "pop3-dot-not-doubled": Case(
        pop3(POP, USER, " -> RETR 1\n<-  +OK\n<-  Subject: Hello\n<-  .\n<-  and the rest of it\n<-  .", BYE),
        pop3(POP, USER, " -> RETR 1\n<-  +OK\n<-  Subject: Hello\n<-  ..\n<-  and the rest of it\n<-  .", BYE),
    ),
    "refusal": Case(
        smtp(HELLO, LOGGED_IN, MAIL, " -> RCPT TO:<bob@example.net>\n<-  550 quux", QUIT),
        smtp(HELLO, LOGGED_IN, MAIL, " -> RCPT TO:<bob@example.net>\n<-  450 4.7.1 quux",
             " -> RCPT TO:<bob@example.net>\n<-  250 2.1.5 ok", MESSAGE, TAKEN, QUIT),
    ),
}  # fmt: skip
