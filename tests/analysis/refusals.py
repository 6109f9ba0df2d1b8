"""For each text of servers a refusal that it explains, and one like it that it must leave to another."""

from typing import Final, NamedTuple

from tests.analysis.cases import (
    CAPA,
    ENVELOPE,
    GREETING,
    HELLO,
    LOGGED_IN,
    LOGIN,
    MAIL,
    MESSAGE,
    QUIT,
    USER,
    pop3,
    smtp,
)

PASS: Final = " -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>"
PLACES: Final = {
    "USER": lambda said: pop3(CAPA, f" -> USER alice\n<-  {said}", " -> QUIT\n<-  +OK bye"),
    "PASS": lambda said: pop3(CAPA, PASS, f"<-  {said}", " -> QUIT\n<-  +OK bye"),
    "RETR": lambda said: pop3(CAPA, USER, f" -> RETR 1\n<-  {said}", " -> QUIT\n<-  +OK bye"),
    "AUTH": lambda said: smtp(HELLO, LOGIN, f"<-  {said}", QUIT),
    "MAIL": lambda said: smtp(HELLO, LOGGED_IN, f" -> MAIL FROM:<alice@example.org>\n<-  {said}", QUIT),
    "RCPT": lambda said: smtp(HELLO, LOGGED_IN, MAIL, f" -> RCPT TO:<bob@example.net>\n<-  {said}", QUIT),
    "DATA": lambda said: smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, f" -> .\n<-  {said}", QUIT),
    "EHLO": lambda said: smtp(GREETING, f" -> EHLO x\n<-  {said}", QUIT),
    "STARTTLS": lambda said: smtp(HELLO, f" -> STARTTLS\n<-  {said}", QUIT),
}
"""Where something is refused, and how the session goes on."""


class Refusal(NamedTuple):
    """Where it was refused, and the words: those that the row is for, and those that it is not for."""

    where: str
    bad: str
    good: str


REFUSALS: Final = {
    "tls-first": Refusal(
        "PASS", "-ERR Plaintext authentication disallowed on non-secure connections.",
        "-ERR Plain no.",
    ),
    "app-password": Refusal(
        "AUTH", "534 5.7.9 Application-specific password required", "535 5.7.8 Username and password not accepted"
    ),
    "basic-login-off": Refusal(
        "AUTH", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
        "535 5.7.3 Authentication unsuccessful",
    ),
    "web-login-first": Refusal("PASS", "-ERR [AUTH] Please log in via your web browser", "-ERR [AUTH] Please log in"),
    "access-off": Refusal(
        "PASS", "-ERR [SYS/PERM] POP3 access is disabled for this account",
        "-ERR [AUTH] wrong password",
    ),
    "login-throttled": Refusal(
        "AUTH", "454 4.7.0 Too many login attempts, please try again later",
        "454 4.7.0 Temporary authentication failure",
    ),
    "mailbox-in-use": Refusal("PASS", "-ERR [IN-USE] Mailbox is locked by another session", "-ERR [AUTH] Login failed"),
    "login-backend": Refusal("PASS", "-ERR [SYS/TEMP] Internal error occurred", "-ERR [AUTH] Authentication failed."),
    "bad-credentials": Refusal("AUTH", "535 5.7.8 Error: authentication failed", "535 5.7.9 App password required"),
    "too-many-connections": Refusal(
        "MAIL", "421 4.7.0 Error: too many connections from 192.0.2.7", "421 4.3.2 Service shutting down"
    ),
    "address-listed": Refusal(
        "RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using a blocklist",
        "554 5.7.1 Relay access denied",
    ),
    "no-reverse-name": Refusal(
        "RCPT", "450 4.7.25 Client host rejected: cannot find your hostname",
        "450 4.2.0 Greylisted",
    ),
    "hello-name": Refusal("EHLO", "501 5.5.4 Invalid EHLO", "501 5.5.4 Syntax: EHLO hostname"),
    "auth-wanted": Refusal("RCPT", "530 5.7.0 Authentication required", "550 5.1.1 User unknown"),
    "relay-denied": Refusal("RCPT", "554 5.7.1 Relay access denied", "554 5.7.1 Recipient access denied"),
    "sender-not-owned": Refusal(
        "MAIL", "553 5.7.1 Sender address rejected: not owned by user alice", "553 5.7.1 Not today"
    ),
    "sender-unknown-inside": Refusal(
        "DATA", "554 5.0.0 Error: The account is not available in Bridge.", "554 5.1.1 The mailbox is not available."
    ),
    "sender-unregistered": Refusal(
        "DATA", "550 5.7.1 Unconfigured Sending Domain", "550 5.7.1 Message contains spam"
    ),
    "address-syntax": Refusal("MAIL", "501 5.1.7 Bad sender address syntax", "550 5.1.8 Domain not found"),
    "sender-domain": Refusal(
        "RCPT", "450 4.1.8 Sender address rejected: Domain not found",
        "450 4.1.2 Recipient address rejected: Domain not found",
    ),
    "mailbox-full": Refusal("RCPT", "552 5.2.2 Mailbox full", "552 5.3.4 Message size exceeds fixed limit"),
    "unknown-recipient": Refusal("RCPT", "550 5.1.1 No such user here", "550 5.7.1 No such luck"),
    "greylisted": Refusal("RCPT", "450 4.2.0 Greylisted, see you in five minutes", "452 4.2.2 Mailbox full"),
    "sender-callback": Refusal(
        "RCPT", "550 Verification failed for <alice@example.org>", "550 5.1.1 Unknown user"
    ),
    "members-only": Refusal("RCPT", "550 Requested action not taken: Local user only", "550 5.1.1 Unknown user"),
    "mail-loop": Refusal("DATA", "554 5.4.6 Too many hops 26 (25 max)", "550 5.4.6 Unusual sending activity"),
    "sender-barred": Refusal(
        "MAIL", "550 5.1.8 Access denied, bad outbound sender", "550 5.1.8 Domain of sender does not resolve"
    ),
    "put-off": Refusal("RCPT", "550 Failure sending mail. Try again later.", "550 5.1.1 Unknown user"),
    "too-much": Refusal("RCPT", "452 4.5.3 Too many recipients", "452 4.2.2 Over quota"),
    "too-large": Refusal("MAIL", "552 5.3.4 Message size exceeds fixed limit", "552 5.2.2 Over quota"),
    "bad-lines": Refusal("DATA", "550 5.5.2 Error: bare <LF> received", "550 5.7.1 Message contains spam"),
    "server-config": Refusal("DATA", "451 4.3.0 Error: queue file write error", "451 4.7.1 Greylisted"),
    "content-refused": Refusal("DATA", "554 5.7.1 Message contains a virus", "552 5.2.2 Mailbox full"),
    "tls-unavailable": Refusal(
        "STARTTLS", "454 4.7.0 TLS not available due to temporary reason",
        "503 5.5.1 Bad sequence",
    ),
    "access-denied": Refusal("RCPT", "554 5.7.1 Recipient address rejected: access denied", "550 5.1.1 User unknown"),
    "message-gone": Refusal("RETR", "-ERR There's no message 1.", "-ERR [SYS/TEMP] try again"),
    "protocol-error": Refusal("AUTH", "501 5.5.2 Cannot decode base64", "535 5.7.8 Authentication failed"),
    "not-understood": Refusal("MAIL", "503 5.5.1 Error: bad sequence of commands", "502 quux"),
    "token-malformed": Refusal("AUTH", "501 5.5.124 Invalid XOAUTH2 auth data", "535 5.7.8 Authentication failed"),
    "state-wants-tls": Refusal("USER", "-ERR Command is not valid in this state.", "-ERR no such user"),
    "tls-again": Refusal("STARTTLS", "454 Command not permitted when TLS active", "502 5.5.1 not implemented"),
    "sender-unproved": Refusal(
        "DATA", "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
        "550 5.7.1 Message contains spam",
    ),
    "sender-differs": Refusal(
        "MAIL", "501 mail from address must be same as authorization user", "553 5.7.1 not owned by user alice"
    ),
    "header-wrong": Refusal("DATA", "550 5.7.1 'From' header is missing.", "550 5.7.1 Message contains spam"),
    "fetch-throttled": Refusal("RETR", "-ERR Download Exceed.", "-ERR There's no message 1."),
    "idle-ended": Refusal("RETR", "-ERR POP3 autologout timer expired", "-ERR There's no message 1."),
}  # fmt: skip
