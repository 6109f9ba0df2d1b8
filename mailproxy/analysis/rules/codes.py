"""What codes say by themselves, where no text says more (RFC 5321 section 4.2.2, RFC 4954 section 6, RFC 3463)."""

import re
from typing import Final, NamedTuple

from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, MAILBOX, NETWORK, POLICY, PROGRAM, UNKNOWN
from mailproxy.analysis.step import LOGINS
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Stage


class Meaning(NamedTuple):
    """Whose a refusal is, who else it may be, one sentence."""

    blame: Blame
    also: tuple[Blame, ...]
    summary: str


Codes = tuple[tuple[str, Meaning], ...]
"""Patterns for codes, and what each means; the first that fits decides."""

MISHEARD: Final = "The server did not understand a command, or not at this place."
ENHANCED: Final[Codes] = (
    (r".\.1\.[0-6]|.\.1\.9", Meaning(MAILBOX, (POLICY, UNKNOWN), "The recipient's address is not good.")),
    (r".\.1\.[78]|.\.1\.10", Meaning(CONFIG, (POLICY, UNKNOWN), "The sender's address is not good.")),
    (r".\.2\.\d+", Meaning(MAILBOX, (POLICY, UNKNOWN), "The recipient's mailbox does not take the message.")),
    (r".\.3\.4", Meaning(POLICY, (CONFIG, UNKNOWN), "The message is larger than the server takes.")),
    (r".\.3\.\d+", Meaning(FAULT, (POLICY, UNKNOWN), "The server has trouble of its own.")),
    (r".\.4\.\d+", Meaning(FAULT, (POLICY, UNKNOWN), "The server cannot reach what it needs.")),
    (r".\.5\.3", Meaning(POLICY, (CONFIG, UNKNOWN), "There are more recipients than the server takes.")),
    (r".\.5\.\d+", Meaning(PROGRAM, (POLICY, UNKNOWN), MISHEARD)),
    (r".\.6\.\d+", Meaning(PROGRAM, (POLICY, UNKNOWN), "The server does not take what the message is made of.")),
    (r".\.7\.8", Meaning(CREDENTIALS, (POLICY, UNKNOWN), "The server does not accept the user name or the password.")),
    (r".\.7\.\d+", Meaning(POLICY, (CONFIG, UNKNOWN), "The server refuses this by its rules.")),
)  # fmt: skip
"""The registry of RFC 3463."""
LOGIN: Final[Codes] = (
    (r"50[14]", Meaning(PROGRAM, (CONFIG, FAULT), "The server does not take this way of logging in.")),
    (r"530|538", Meaning(CONFIG, (POLICY, PROGRAM), "The server takes no login before the connection is secured.")),
    (r"454", Meaning(FAULT, (POLICY, CREDENTIALS), "The server cannot check the login for now.")),
    (r".*", Meaning(CREDENTIALS, (POLICY, CONFIG), "The server does not let the client log in.")),
)
"""Of AUTH (RFC 4954 section 6), and of the logins of POP3, whose one code says nothing."""
RECIPIENT: Final[Codes] = (
    (r"521|554", Meaning(POLICY, (MAILBOX, CONFIG), "The server does not take this message for this recipient.")),
    (r"450", Meaning(POLICY, (MAILBOX, FAULT), "The server does not take mail for this recipient for now.")),
)
SMTP: Final[Codes] = (
    (r"50[0-4]|555", Meaning(PROGRAM, (FAULT, CONFIG), MISHEARD)),
    (r"530|538", Meaning(CONFIG, (POLICY, PROGRAM), "The server wants a login, or TLS, before it does this.")),
    (r"45[125]", Meaning(FAULT, (POLICY, UNKNOWN), "The server cannot do this for now.")),
)  # fmt: skip
"""RFC 5321 section 4.2.2."""
MISSPOKEN: Final = re.compile(r"50[0-4]")
FINAL: Final = re.compile(r"55\d|521")
"""Refusals that a server means, though it may not say why."""
SILENT: Final = re.compile(r"[\s(]*[-\w.]*[\s)]*")
"""A text that is none, but for an identifier."""
WRONG: Final = Meaning(CREDENTIALS, (POLICY, CONFIG), "The server does not accept the user name or the password.")


OF_THE_CLIENT: Final = re.compile(r"\byou\b|\byour\b|\bips?\b|\bserver|remote ?host|relay|proxy|spam|go away", re.I)
"""Words by which a refusal is of who calls, not of the recipient."""
OTHERS: Final = Meaning(POLICY, (MAILBOX, CONFIG), "The server does not want mail from this client.")


def meaning(view: View, each: Exchange, stage: Stage) -> Meaning:
    """What a refusal means, by its codes and by where it came."""
    assert each.reply is not None
    code, login = each.reply.code, each.verb in LOGINS or (each.verb == "HELO" and not view.smtp)
    if each.verb == "AUTH" and (found := WRONG if code == "535" else _of(LOGIN[:3], code)):
        return found
    if MISSPOKEN.fullmatch(code) and each.reply.enhanced[1:].startswith(".7."):
        return SMTP[0][1]
    if found := _of(ENHANCED, each.reply.enhanced):
        return found
    if SILENT.fullmatch(each.reply.text) and not (view.smtp and FINAL.fullmatch(code)):
        return Meaning(FAULT, (UNKNOWN, POLICY), "The server refuses and does not say why.")
    if Flag.GREETING in each.flags:
        return Meaning(POLICY, (FAULT, NETWORK), "The server turns the client away before it has said anything.")
    tables = (LOGIN if login else (), RECIPIENT if stage is Stage.RCPT else (), SMTP if view.smtp else ())
    found = next(filter(None, (_of(table, code) for table in tables)), None)
    return found or (OTHERS if stage is Stage.RCPT and OF_THE_CLIENT.search(each.reply.text) else _at(stage))


def _of(codes: Codes, code: str) -> Meaning | None:
    return next((found for pattern, found in codes if code and re.fullmatch(pattern, code)), None)


def _at(stage: Stage) -> Meaning:
    match stage:
        case Stage.RCPT:
            return Meaning(MAILBOX, (POLICY, CONFIG), "The server does not take mail for this recipient.")
        case Stage.MAIL | Stage.CONTENT | Stage.DATA | Stage.HELLO:
            return Meaning(POLICY, (CONFIG, PROGRAM), "The server refuses the message.")
        case Stage.TLS:
            return Meaning(FAULT, (CONFIG, NETWORK), "The server does not begin TLS.")
        case _:
            return Meaning(FAULT, (UNKNOWN, MAILBOX), "The server cannot do what was asked.")
