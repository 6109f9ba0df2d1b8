"""A refusal that stands, by its text, else by its codes."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, MAILBOX, PROGRAM, others
from mailproxy.analysis.rules.codes import meaning
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import evidence, said
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import View
from mailproxy.model.finding import Confidence, Stage

VAGUE: Final = "access-denied"
"""A text that says less than the codes which are AUTH's own."""
LOGINS_OWN: Final = re.compile(r"50[14]|53[058]")


def look(view: View) -> Iterator[Cause]:
    """Say of each refusal that stands what it means."""
    for index in foremost(view):
        yield _by_text(view, index) or _by_code(view, index)


def _by_text(view: View, index: int) -> Cause | None:
    each = view.steps[index]
    assert each.reply is not None
    verb = each.verb or _likely_verb(view, index)
    if verb == "HELO" and not view.smtp:  # POP2's holds user and password
        verb = "PASS"
    row = find(verb, each.reply.code, f"{each.reply.code} {each.reply.enhanced} {said(each)}")
    if row is None or (row.name == VAGUE and verb == "AUTH" and LOGINS_OWN.fullmatch(each.reply.code)):
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
    blame, also, summary = meaning(view, each, stage)
    remedy = REMEDIES.get(blame, "Send the provider this line and the time, and ask what it means.")
    return Cause(index, 10, stage, blame, summary, remedy, evidence(each), others(also), Confidence.MEDIUM)


REMEDIES: Final = {
    CREDENTIALS: "Check the user name and type the password anew.",
    MAILBOX: "Check the address, or ask the recipient.",
    PROGRAM: "Look at the command in the transcript; if the mail program sent it so, update it.",
    CONFIG: "Check the settings of the account in the mail program.",
}

RULES: Final = (Rule("refusal", "a refusal that nothing made good, read by its text and its codes", look),)
