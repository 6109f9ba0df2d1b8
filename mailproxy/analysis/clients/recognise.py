"""Which program a client is, by what it says of itself and by its habits.

The habits were seen on the wire with Debian 12's programs and with Thunderbird 153; what a message says of its program
(User-Agent, X-Mailer, a form of Message-ID) is what these programs document. A message that was relayed speaks for
the program that wrote it, not for the client.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from mailproxy.analysis.clients.habits import Habits, habits
from mailproxy.model.session import Recording


class Sign(NamedTuple):
    """A program, and how it is told."""

    program: str
    shows: Callable[[Habits], bool]


def recognise(recording: Recording) -> str:
    """The program that the client is, by its name (`Thunderbird`, `Python smtplib`); empty where nobody can tell."""
    seen = habits(recording)
    return next((sign.program for sign in SIGNS if sign.shows(seen)), "")


def _says(field: str, said: str) -> Callable[[Habits], bool]:
    """A field of a message that was not relayed."""
    return lambda seen: (
        "received" not in seen.fields and bool(re.search(said, seen.fields.get(field, ""), re.IGNORECASE))
    )


def _wrote(program: str, said: str) -> tuple[Sign, Sign]:
    return Sign(program, _says("user-agent", said)), Sign(program, _says("x-mailer", said))


def _postfix(seen: Habits) -> bool:
    return {("MAIL", "RCPT"), ("RCPT", "DATA")} <= seen.ahead


def _exim(seen: Habits) -> bool:
    return ("MAIL", "RCPT") in seen.ahead and "BDAT" in seen.verbs


def _smtplib(seen: Habits) -> bool:
    """Its verbs of greeting and envelope are in lower case."""
    return (
        seen.protocol in {"smtp", "lmtp"}
        and seen.spelled in {"ehlo", "helo", "lhlo"}
        and (not seen.mail or seen.mail.startswith("FROM:"))
    )


def _msmtp(seen: Habits) -> bool:
    return seen.hello == "localhost" and ("RCPT", "DATA") in seen.ahead and ("MAIL", "RCPT") not in seen.ahead


def _mailutils(seen: Habits) -> bool:
    return seen.login == "LOGIN" and bool(re.search(r"\bAUTH EHLO\b", " ".join(seen.verbs)))


def _curl(seen: Habits) -> bool:
    return "DIGEST-MD5" in seen.cancelled


def _thunderbird_sends(seen: Habits) -> bool:
    """EHLO with its address, AUTH with a response, BODY before SIZE; a login that is the last thing said will do."""
    if seen.protocol != "smtp" or seen.spelled != "EHLO" or not re.fullmatch(r"\[[^\]]+\]", seen.hello):
        return False
    if seen.mail:
        return bool(re.fullmatch(r"FROM:<[^>]*> BODY=8BITMIME(?: SMTPUTF8)?(?: SIZE=[0-9]+)?(?: RET=.*)?", seen.mail))
    return (seen.login == "PLAIN" and seen.initial) or (seen.login in {"LOGIN", "CRAM-MD5"} and not seen.initial)


def _thunderbird_fetches(seen: Habits) -> bool:
    """CAPA, STLS and CAPA where asked for, AUTH without a response in its line or USER and PASS; STAT, LIST, UIDL."""
    if seen.protocol != "pop3" or seen.initial:
        return False
    said = " ".join(seen.verbs)
    found = re.match(r"CAPA (?:STLS CAPA )?((?:AUTH )*(?:USER PASS )?)STAT(?: LIST(?: UIDL\b)?)?", said)
    if found and found[1]:
        return said.endswith("UIDL") or (" LIST UIDL " in f"{said} " and not re.search(r"\bLIST (?!UIDL)", said))
    return bool(re.match(r"CAPA (?:STLS CAPA )?AUTH (?:AUTH )*USER PASS\b", said))


def _mpop(seen: Habits) -> bool:
    return ("RETR", "RETR") in seen.ahead or ("DELE", "DELE") in seen.ahead


def _getmail(seen: Habits) -> bool:
    return "UIDL LIST UIDL LIST" in " ".join(seen.verbs)


def _fetchmail(seen: Habits) -> bool:
    return bool(re.search(r"\bSTAT\b.*\bLIST RETR\b", " ".join(seen.verbs))) and seen.verbs[:1] == ("CAPA",)


SIGNS: Final = (
    Sign("exim", _exim),
    Sign("Postfix", _postfix),
    *_wrote("Thunderbird", r"\bThunderbird\b"),
    *_wrote("Outlook", r"\bMicrosoft (?:Office )?Outlook\b"),
    *_wrote("Apple Mail", r"\b(?:Apple Mail|iPhone Mail|iPad Mail)\b"),
    *_wrote("mutt", r"\b(?:neo)?mutt\b"),
    *_wrote("swaks", r"\bswaks\b"),
    *_wrote("PHPMailer", r"\bPHPMailer\b"),
    *_wrote("nodemailer", r"\bnodemailer\b"),
    Sign("JavaMail", _says("message-id", r"\bJavaMail\.")),
    Sign("Python smtplib", _smtplib),
    Sign("msmtp", _msmtp),
    Sign("GNU mailutils", _mailutils),
    Sign("curl", _curl),
    Sign("mpop", _mpop),
    Sign("getmail", _getmail),
    Sign("fetchmail", _fetchmail),
    Sign("Thunderbird", _thunderbird_sends),
    Sign("Thunderbird", _thunderbird_fetches),
)  # fmt: skip
"""What tells most comes first."""
