"""For each lint a session in which it finds something, what it says of it, and one in which it finds nothing."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.analysis.cases import (
    BYE,
    ENVELOPE,
    GREETING,
    HELLO,
    LOGGED_IN,
    LOGIN,
    MAIL,
    MESSAGE,
    POP,
    QUIT,
    SENT,
    TAKEN,
    USER,
    pop3,
    smtp,
)


class Oddity(NamedTuple):
    """A transcript, the sentence that is found in it, and a transcript in which nothing is found."""

    odd: str
    says: str
    plain: str


def sent(*message: str, mail: str = MAIL) -> str:
    """A session that sends a message of these lines."""
    lines = [f" -> {line}" if line else " ->" for line in message]
    rcpt = ENVELOPE.removeprefix(MAIL)
    return smtp(HELLO, LOGGED_IN, mail, rcpt, " -> DATA\n<-  354 go on", *HEAD, *lines, TAKEN, QUIT)


def listed(stat: str, sizes: Sequence[str], names: Sequence[str] = ()) -> str:
    """A session that asks for listings."""
    size_lines = "".join(f"<-  {line}\n" for line in sizes)
    name_lines = "".join(f"<-  {line}\n" for line in names)
    uidl = f" -> UIDL\n<-  +OK\n{name_lines}<-  ." if names else ""
    return pop3(POP, USER, f" -> STAT\n<-  +OK {stat}", f" -> LIST\n<-  +OK\n{size_lines}<-  .", uidl, BYE)


def fetched(announced: int) -> str:
    """A session that fetches a message of 22 octets."""
    return pop3(POP, USER, f" -> RETR 1\n<-  +OK {announced} octets\n<-  Subject: Hello\n<-\n<-  Hi\n<-  .", BYE)


SWAKS: Final = "\n".join(
    (HELLO, LOGGED_IN, ENVELOPE, MESSAGE.replace(" ->\n", " -> X-Mailer: swaks v1\n ->\n"), " -> .")
)
HEAD: Final = MESSAGE.split("\n")[2:-1]
TLS: Final = "=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3"
OLD: Final = TLS.replace("the server: TLSv1.3", "the server: TLSv1.1")
SECURED: Final = (
    " ~> EHLO client.example\n<~  250 AUTH PLAIN\n ~> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>\n"
    "<~  235 ok\n ~> QUIT\n<~  221 bye"
)
UPGRADED: Final = smtp(HELLO, " -> STARTTLS\n<-  220 go ahead", TLS, SECURED)
RCPT: Final = " -> RCPT TO:<bob@example.net>"
EIGHT: Final = MAIL.replace("org>", "org> BODY=8BITMIME")

ODDITIES: Final = {
    "bare-line-end": Oddity(
        sent("one\\n", "two"), "1 line of a message ended in a bare LF or CR (RFC 5321 section 2.3.8).", SENT
    ),
    "long-line": Oddity(
        sent("x" * 999, "y" * 1000, mail=EIGHT),
        "2 lines of a message had more than 998 octets (RFC 5321 section 4.5.3.1.6).", sent("x" * 998),
    ),
    "nul": Oddity(sent("a\\x00b"), "1 NUL stood in a message (RFC 5322 section 4).", SENT),
    "8-bit": Oddity(
        sent("grün"), "A message holds octets above 127, and the server does not offer 8BITMIME (RFC 6152).",
        sent("grün", mail=EIGHT),
    ),
    "missing-header": Oddity(
        smtp(HELLO, LOGGED_IN, ENVELOPE, " -> DATA\n<-  354 go on\n -> Subject: Hello",
             " -> From: alice@example.org\n ->",
             " -> Date: in the text", TAKEN, QUIT),
        "A message was sent without Date and Message-ID (RFC 5322 section 3.6).", SENT,
    ),
    "size-exceeded": Oddity(
        sent("Hello", mail=MAIL.replace("org>", "org> SIZE=20")),
        "MAIL announced 20 octets, and the message had 110 (RFC 1870).",
        sent("Hello", mail=MAIL.replace("org>", "org> SIZE=110")),
    ),
    "speech-line-end": Oddity(
        smtp(GREETING, " -> EHLO client.example\\n\n<-  250 ok", QUIT),
        "1 exchange had a line that does not end in CRLF.", SENT
    ),
    "speech-long-line": Oddity(
        smtp(HELLO, f" -> VRFY {'x' * 600}\n<-  252 perhaps", QUIT),
        "1 exchange had a line of more than 512 octets.", SENT
    ),
    "speech-8-bit": Oddity(
        smtp(HELLO, " -> VRFY jürgen\n<-  252 perhaps", QUIT), "1 exchange had octets above 127.",
        smtp(HELLO, " -> MAIL FROM:<jürgen@example.org> SMTPUTF8\n<-  250 ok", QUIT),
    ),
    "speech-nul": Oddity(smtp(HELLO, " -> VRFY a\\x00b\n<-  252 perhaps", QUIT), "1 exchange had a NUL.", SENT),
    "odd-reply": Oddity(
        smtp(HELLO, " -> VRFY bob\n<-  777 lucky", QUIT),
        "1 exchange had a reply that is not written as the RFC wants.", SENT
    ),
    "mixed-codes": Oddity(
        smtp(HELLO, " -> VRFY bob\n<-  250-one\n<-  251 two", QUIT),
        "1 exchange had a reply whose lines differ in code.",
        smtp(HELLO, " -> VRFY bob\n<-  250-one\n<-  250 two", QUIT),
    ),
    "hello-name-odd": Oddity(
        smtp(GREETING, " -> EHLO laptop\n<-  250 ok", QUIT),
        "The client greets as 'laptop': neither a full host name nor an address in brackets (RFC "
        "5321 section 4.1.1.1).",
        smtp(GREETING, " -> EHLO [IPv6:2001:db8::1]\n<-  250 ok", QUIT),
    ),
    "spoke-early": Oddity(
        smtp(" -> EHLO client.example", GREETING, "<-  250 ok", QUIT),
        "The client spoke before the server had greeted it.", SENT
    ),
    "pipelined": Oddity(
        smtp(HELLO, LOGGED_IN, " -> MAIL FROM:<alice@example.org>", RCPT, "=== 1 s pass\n<-  250 ok\n<-  250 ok", QUIT),
        "RCPT did not wait for the answer to MAIL, and the server does not offer PIPELINING.",
        smtp(HELLO.replace("SIZE 10000", "PIPELINING"), LOGGED_IN, " -> MAIL FROM:<alice@example.org>", RCPT,
             "=== 1 s pass\n<-  250 ok\n<-  250 ok", QUIT),
    ),
    "count-differs": Oddity(
        listed("2 44", ["1 22"]),
        "STAT tells of 2 messages, and LIST of 1.", listed("2 44", ["1 22", "2 22"], ["1 a", "2 b"])
    ),
    "size-differs": Oddity(fetched(30), "Message 1 was announced with 30 octets and has 22.", fetched(22)),
    "uid-doubled": Oddity(
        listed("2 44", ["1 22", "2 22"], ["1 a", "2 a"]),
        "1 message of UIDL had an identifier that another has: the client may leave them out.",
        listed("2 44", ["1 22", "2 22"], ["1 a", "2 b"]),
    ),
    "password-in-clear": Oddity(
        smtp(HELLO, LOGGED_IN, QUIT),
        "The password went over the wire in clear, though the server offers TLS.", UPGRADED
    ),
    "tls-unused": Oddity(
        smtp(HELLO, MAIL, QUIT),
        "The server offers STARTTLS, and the client went on in clear.", smtp(HELLO, MAIL, QUIT, port=25)
    ),
    "tls-old": Oddity(
        smtp(HELLO, " -> STARTTLS\n<-  220 go ahead", OLD, SECURED),
        "The server speaks TLSv1.1, which is no longer safe (RFC 8996).", UPGRADED,
    ),
    "server-slow": Oddity(
        smtp(HELLO, LOGGED_IN, MAIL, RCPT, "=== 45 s pass\n<-  250 ok", QUIT),
        "The server took 45 s for its answer to RCPT; a client should wait 300 s for it (RFC 5321 section 4.5.3.2).",
        smtp(HELLO, LOGGED_IN, MAIL, RCPT, "=== 25 s pass\n<-  250 ok", QUIT),
    ),
    "client-impatient": Oddity(
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, " -> .\n=== 60 s pass\n*** closed by the client without QUIT"),
        "The client waited 60 s for the answer to the message and left; it should wait 600 s (RFC "
        "5321 section 4.5.3.2).",
        smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, " -> .\n=== 620 s pass\n*** closed by the client without QUIT"),
    ),
    "server-hasty": Oddity(
        pop3(POP, USER, "=== 60 s pass\n<-  -ERR timeout\n*** closed by the server"),
        "The server waited 60 s for the client and hung up; it should wait 600 s (RFC 1939 section 3).",
        pop3(POP, USER, "=== 600 s pass\n<-  -ERR timeout\n*** closed by the server"),
    ),
    "client-silent": Oddity(
        smtp(HELLO, LOGIN, "<-  235 ok\n=== 400 s pass", MAIL, QUIT),
        "The client was silent for 400 s before MAIL; a server may hang up after 300 s.",
        smtp(HELLO, LOGIN, "<-  235 ok\n=== 200 s pass", MAIL, QUIT),
    ),
    "client-timeout": Oddity(
        smtp(SWAKS, "=== 30 s pass\n*** closed by the client without QUIT"),
        "swaks waited 30 s for the answer to DATA and left: that is its own timeout, --timeout: 30 s.",
        smtp(SWAKS, "=== 20 s pass\n*** closed by the client without QUIT"),
    ),
    "fault-injected": Oddity(
        smtp(HELLO, LOGGED_IN, MAIL, "=== fault: RCPT 1 answered 452 by mailproxy, the server was not asked", QUIT),
        "mailproxy put this in, as it was told: RCPT 1 answered 452 by mailproxy, the server was not asked.",
        smtp(HELLO, LOGGED_IN, ENVELOPE, QUIT),
    ),
}  # fmt: skip
