"""The messages that go through: what the octets in them may break is in their names."""

from typing import Final

HEADER: Final = (
    b"From: Bob <bob@example.org>\r\n"
    b"To: Alice <alice@example.org>\r\n"
    b"Date: Tue, 01 Jul 2025 10:52:37 +0200\r\n"
    b"Message-ID: <%s@example.org>\r\n"
    b"Subject: %s\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
)

# Telnet would take these for IAC IP, IAC DM, IAC WILL ECHO, IAC SB TTYPE SEND IAC SE; in a message they are letters.
TELNET: Final = b"\xff\xf4 \xff\xf2 \xff\xfb\x01 \xff\xfa\x18\x01\xff\xf0 \xff\xff"

BODIES: Final = {
    "plain": b"Hello Alice,\r\n\r\nhow are you?\r\n",
    "leading-dots": b".one\r\n..two\r\n...\r\n.\r\n..\r\nend.\r\n",
    "lone-dots": b".\r\n.\r\n\r\n.\r\n",
    "latin-1": b"Gr\xfc\xdfe aus K\xf6ln \xa0\xad\xbf\xe9\r\n",
    "utf-8": "Grüße, 你好, 👋\r\n".encode(),
    "octet-255": b"\xff\r\n\xff\xff\xff\r\nbefore " + TELNET + b"\r\n\xff",
    "every-octet": bytes(octet for octet in range(1, 256) if octet not in b"\r\n") + b"\r\n",
    "lines-of-998": b"x" * 998 + b"\r\n" + b"." * 998 + b"\r\n",
    "line-of-70000": b"y" * 70_000 + b"\r\n",
    "a-lot": b"".join(b"%05d the quick brown fox jumps over the lazy dog\r\n" % number for number in range(6_000)),
    "empty": b"",
    "no-last-line-end": b"and then it just",
    "commands": b"QUIT\r\nRSET\r\nMAIL FROM:<mallory@example.org>\r\n250 2.0.0 Ok\r\n+OK\r\n-ERR\r\n",
}


def message(name: str) -> bytes:
    """The message of this name, as a mail program would hand it in: CRLF, no dots doubled."""
    return HEADER % (name.encode(), name.encode()) + BODIES[name]


def received(name: str) -> bytes:
    """The same as it can arrive at best: SMTP and POP3 end every line with CRLF."""
    whole = message(name)
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


def wire_lines(whole: bytes) -> list[bytes]:
    """The message as it goes over the wire, its end left out (RFC 5321 section 4.5.2)."""
    lines = whole.removesuffix(b"\r\n").split(b"\r\n")
    return [(b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines]


def untraced(mail: bytes) -> bytes:
    """Without the trace fields (RFC 5321 section 4.4) that servers and some clients put in front."""
    while mail.startswith((b"Return-Path:", b"Delivered-To:", b"Received:", b"X-Original-To:")):
        mail = mail[_field_end(mail) :]
    return mail


def _field_end(mail: bytes) -> int:
    end = mail.index(b"\r\n") + 2
    while mail[end : end + 1] in {b" ", b"\t"}:
        end = mail.index(b"\r\n", end) + 2
    return end
