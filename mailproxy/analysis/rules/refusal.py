"""A refusal that stands, by its text, else by its codes."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, MAILBOX, NETWORK, POLICY, PROGRAM, UNKNOWN, others
from mailproxy.analysis.standing import standing
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import LOGINS, View, evidence, said
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Confidence, Stage

ENHANCED: Final = (
    (r".\.1\.[0-6]|.\.1\.9", MAILBOX, "The recipient's address is not good."),
    (r".\.1\.[78]|.\.1\.10", CONFIG, "The sender's address is not good."),
    (r".\.2\.\d+", MAILBOX, "The recipient's mailbox does not take the message."),
    (r".\.3\.4", POLICY, "The message is larger than the server takes."),
    (r".\.3\.\d+", FAULT, "The server has trouble of its own."),
    (r".\.4\.\d+", FAULT, "The server cannot reach what it needs."),
    (r".\.5\.3", POLICY, "There are more recipients than the server takes."),
    (r".\.5\.\d+", PROGRAM, "The server did not understand a command, or not at this place."),
    (r".\.6\.\d+", PROGRAM, "The server does not take what the message is made of."),
    (r".\.7\.8", CREDENTIALS, "The server does not accept the user name or the password."),
    (r".\.7\.\d+", POLICY, "The server refuses this by its rules."),
)
"""The registry of RFC 3463, where no text says more."""

BY_REPLY: Final[tuple[tuple[str, Blame, tuple[Blame, ...], str], ...]] = (
    (r"50[0-4]|555", PROGRAM, (FAULT, CONFIG), "The server did not understand a command, or not at this place."),
    (r"530|538", CONFIG, (POLICY, PROGRAM), "The server wants a login, or TLS, before it does this."),
    (r"45[125]", FAULT, (POLICY, UNKNOWN), "The server cannot do this for now."),
)
"""What the codes of SMTP say by themselves (RFC 5321 section 4.2.2, RFC 4954 section 6), where no text says more."""


def look(view: View) -> Iterator[Cause]:
    """Say of each refusal that stands what it means."""
    for index in standing(view):
        yield _by_text(view, index) or _by_code(view, index)


def _by_text(view: View, index: int) -> Cause | None:
    each = view.steps[index]
    assert each.reply is not None
    verb = each.verb or _likely_verb(view, index)
    if verb == "HELO" and not view.smtp:  # POP2's holds user and password
        verb = "PASS"
    row = find(verb, each.reply.code, f"{each.reply.code} {each.reply.enhanced} {said(each)}")
    if row is None:
        return None
    return Cause(
        index, 30, view.stage(index), row.blame, row.summary, row.remedy, evidence(each),
        others(row.also), row.confidence, rule=row.name,
    )  # fmt: skip


def _likely_verb(view: View, index: int) -> str:
    match view.stage(index):
        case Stage.MAIL:
            return "MAIL"
        case Stage.RCPT:
            return "RCPT"
        case Stage.AUTH:
            return "AUTH"
        case Stage.DATA | Stage.CONTENT:
            return "DATA"
        case _:
            return ""


def _by_code(view: View, index: int) -> Cause:
    each = view.steps[index]
    stage = view.stage(index)
    blame, also, summary = _meaning(view, each, stage)
    remedy = REMEDIES.get(blame, "Send the provider this line and the time, and ask what it means.")
    return Cause(index, 10, stage, blame, summary, remedy, evidence(each), others(also), Confidence.MEDIUM)


def _meaning(view: View, each: Exchange, stage: Stage) -> tuple[Blame, tuple[Blame, ...], str]:
    assert each.reply is not None
    for pattern, blame, summary in ENHANCED:
        if re.fullmatch(pattern, each.reply.enhanced):
            return blame, (POLICY if blame is not POLICY else CONFIG, UNKNOWN), summary
    if not each.reply.text.strip() or re.fullmatch(r"[\s(]*[-\w.]*[\s)]*", each.reply.text):
        return FAULT, (UNKNOWN, POLICY), "The server refuses and does not say why."
    if Flag.GREETING in each.flags:
        return POLICY, (FAULT, NETWORK), "The server turns the client away before it has said anything."
    if each.verb in LOGINS or (each.verb == "HELO" and not view.smtp):
        return CREDENTIALS, (POLICY, CONFIG), "The server does not let the client log in."
    for pattern, blame, other, summary in BY_REPLY:
        if re.fullmatch(pattern, each.reply.code):
            return blame, other, summary
    match stage:
        case Stage.RCPT:
            return (MAILBOX, (POLICY, CONFIG), "The server does not take mail for this recipient.")
        case Stage.MAIL | Stage.CONTENT | Stage.DATA | Stage.HELLO:
            return POLICY, (CONFIG, PROGRAM), "The server refuses the message."
        case Stage.TLS:
            return FAULT, (CONFIG, NETWORK), "The server does not begin TLS."
        case _:
            return FAULT, (UNKNOWN, MAILBOX), "The server cannot do what was asked."


REMEDIES: Final = {
    CREDENTIALS: "Check the user name and type the password anew.",
    MAILBOX: "Check the address, or ask the recipient.",
    PROGRAM: "Look at the command in the transcript; if the mail program sent it so, update it.",
    CONFIG: "Check the settings of the account in the mail program.",
}

RULES: Final = (Rule("refusal", "a refusal that nothing made good, read by its text and its codes", look),)
