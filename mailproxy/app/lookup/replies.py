"""Codes of replies: SMTP's own, enhanced ones, and those of POP3 in brackets."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.app.lookup.answer import Answer, Trace
from mailproxy.store.search import Query

SMTP: Final = {
    "211": "The server tells its status, or helps.",
    "214": "The server helps.",
    "220": "The server is ready: its greeting, or its leave to begin TLS.",
    "221": "The server takes its leave.",
    "235": "The login succeeded.",
    "250": "It was done as asked.",
    "251": "The recipient is elsewhere, and the server sends it on.",
    "252": "The server does not tell whether the address exists, and would take mail for it.",
    "334": "The server asks for the next line of a login, in base64.",
    "354": "The server waits for the message, which ends in a line with a dot alone.",
    "421": "The server closes the connection: too busy, too many connections, too long idle, or shutting down.",
    "432": "The password has to be changed first.",
    "450": "A mailbox is not to be had just now: busy, or refused for now (greylisting).",
    "451": "The server failed, or refuses for now (greylisting). Try again later.",
    "452": "There is no room just now, or there are too many recipients in one message.",
    "454": "TLS or the login is not to be had just now.",
    "455": "The server cannot serve these parameters just now.",
    "500": "The server did not understand the command, or its line was too long.",
    "501": "The server did not understand what stood behind the command.",
    "502": "The server does not have this command.",
    "503": "The command came out of order; often a login was missing before MAIL.",
    "504": "The server does not have what was asked for by the command, such as a way to log in.",
    "521": "This server takes no mail at all.",
    "523": "The message is larger than the server takes.",
    "530": "The server wants TLS (STARTTLS) or a login first.",
    "534": "This way of logging in is too weak for the account; the provider may want another password or OAuth2.",
    "535": "The login was refused: user name, password, or this kind of login for the account.",
    "538": "This way of logging in is for connections under TLS only.",
    "550": "The mailbox is unknown or not to be used, or policy refuses it; at RCPT often no login went before.",
    "551": "The recipient is elsewhere.",
    "552": "The message or the mailbox is too large.",
    "553": "The address is not allowed; often the sender's is not the account's.",
    "554": "It was refused: policy, spam, a blocked address, or no right to relay.",
    "555": "The server does not know a parameter of MAIL or RCPT.",
    "556": "The recipient's domain takes no mail.",
}
SUBJECTS: Final = {
    "0": "No more is told.",
    "1": "It is about an address.",
    "2": "It is about a mailbox.",
    "3": "It is about the server that stores the mail.",
    "4": "It is about the network or the way of the mail.",
    "5": "It is about the commands between client and server.",
    "6": "It is about the content of the message.",
    "7": "It is about security or policy.",
}
DETAILS: Final = {
    "1.0": "Something is wrong with an address.",
    "1.1": "There is no such mailbox.",
    "1.2": "There is no such domain for mail.",
    "1.3": "The recipient's address is malformed.",
    "1.6": "The mailbox has moved.",
    "1.7": "The sender's address is malformed.",
    "1.8": "The sender's domain does not exist or takes no replies.",
    "1.10": "The domain takes no mail (null MX).",
    "2.1": "The mailbox takes no mail: disabled, or policy.",
    "2.2": "The mailbox is full.",
    "2.3": "The message is larger than this mailbox takes.",
    "3.1": "The server's storage is full.",
    "3.2": "The server takes no mail just now.",
    "3.4": "The message is larger than the server takes.",
    "4.1": "The next server did not answer.",
    "4.2": "The connection with the next server broke.",
    "4.3": "A name could not be looked up.",
    "4.4": "The server knows no way to the recipient's domain.",
    "4.7": "The mail waited for too long.",
    "5.0": "A command was wrong in a way that has no code of its own.",
    "5.1": "The command is not known, or came out of order.",
    "5.2": "A command is malformed; at EHLO often the name that the client gave.",
    "5.3": "There are too many recipients in one message.",
    "5.4": "A parameter of a command is not valid.",
    "5.6": "A line was longer than the server takes.",
    "6.0": "The content was refused.",
    "6.11": "The content has line ends that are not CRLF, or octets that mail does not allow.",
    "7.0": "Policy or security, with nothing more told: a login is missing, or the mail is not wanted.",
    "7.1": "Policy refuses it: no right to relay, no access, or the mail is taken for spam.",
    "7.3": "This needs TLS or another mechanism, and there is no way to change over.",
    "7.8": "User name or password are wrong, or the account may not log in like this.",
    "7.9": "This way of logging in is too weak for the account.",
    "7.11": "This way of logging in is for connections under TLS only.",
    "7.13": "The account is disabled.",
    "7.23": "The sender's SPF refuses this server.",
    "7.26": "Neither SPF nor DKIM speaks for the sender, and the server wants that.",
    "7.57": "Exchange wants a login before MAIL.",
    "7.60": "The account may not send as this sender.",
    "7.139": "Exchange does not take a password here (basic authentication is off): OAuth2 is needed.",
}
POP3: Final = {
    "AUTH": ("The login itself was refused: user name, password, or the account.", "RFC 3206 section 4"),
    "IN-USE": ("Another session has the mailbox open; the password may be right.", "RFC 2449 section 8.1.2"),
    "LOGIN-DELAY": ("It was checked too soon again; the password may be right.", "RFC 2449 section 8.1.1"),
    "SYS/TEMP": ("The server is out of order for now; the password may be right.", "RFC 3206 section 3"),
    "SYS/PERM": ("The server is out of order until it is mended; the password may be right.", "RFC 3206 section 3"),
    "UTF8": ("UTF8 has to be said before the login, or the message has what was not agreed.", "RFC 6856 section 2.1"),
}  # fmt: skip

_LOGIN: Final = frozenset({"235", "334", "432", "454", "534", "535", "538", "530"})
_NO_MAIL: Final = frozenset({"521", "556"})
_CODE: Final = re.compile(r"(?<![0-9A-Za-z.:/-])([2-5][0-9]{2})(?![0-9A-Za-z.:/])")
_ENHANCED: Final = re.compile(r"(?<![0-9.])([245]\.[0-7]\.[0-9]{1,3})(?![0-9]|\.[0-9])")
_BRACKETS: Final = re.compile(rf"(?<![A-Z-])({'|'.join(map(re.escape, POP3))})(?![A-Z-])")


def replies(text: str) -> Iterator[Answer]:
    """What the codes in a text mean."""
    found = dict.fromkeys(_ENHANCED.findall(text))
    yield from map(enhanced, found)
    yield from (_smtp(code) for code in dict.fromkeys(_CODE.findall(text)) if code in SMTP)
    if text.upper().strip("[] ") in POP3 or "[" in text or "-ERR" in text:
        yield from map(_pop3, dict.fromkeys(_BRACKETS.findall(text.upper())))


def enhanced(code: str) -> Answer:
    """RFC 3463: class, subject and detail."""
    kind, subject, detail = code.split(".")
    lasting = {"2": "It succeeded.", "4": "It is so for now: try again later.", "5": "It stays so until it is changed."}
    means = f"{DETAILS.get(f'{subject}.{detail}') or SUBJECTS[subject]} {lasting[kind]}"
    return _answer(
        "enhanced status code", code, means, "RFC 3463, and the IANA registry of enhanced status codes", code
    )


def _smtp(code: str) -> Answer:
    source = "RFC 4954 section 6" if code in _LOGIN else "RFC 7504" if code in _NO_MAIL else "RFC 5321 section 4.2.3"
    return _answer("SMTP reply", code, SMTP[code], source, code, "smtp")


def _pop3(code: str) -> Answer:
    means, source = POP3[code]
    traces = (Trace(Query(protocol="pop3", text=f"[{code}")),)
    return Answer("POP3 response code", f"[{code}]", means, source, traces=traces)


def _answer(kind: str, name: str, means: str, source: str, code: str, protocol: str | None = None) -> Answer:
    return Answer(kind, name, means, source, traces=(Trace(Query(protocol=protocol, code=code)),))
