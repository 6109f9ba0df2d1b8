"""What every server of SMTP must know and do (RFC 5321 section 4.5.1)."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.later import WENT_ON
from mailproxy.analysis.others import FAULT, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import accepted, evidence, refused, said
from mailproxy.analysis.view import View
from mailproxy.model.finding import Confidence, Outcome, Stage

MUST_KNOW: Final = frozenset({"NOOP", "RSET"})
MESSAGE: Final = frozenset({"MAIL", "RCPT", "DATA"})
MAILBOX: Final = frozenset({"STAT", "LIST", "RETR", "DELE"})
UNKNOWN_TO_IT: Final = frozenset({"500", "502"})
UNKNOWN: Final = re.compile(
    r"command\W+(?:not |un)|(?:unknown|unrecogni[sz]ed|invalid|bad) command|not implemented", re.I
)


def must_know(view: View) -> Iterator[Cause]:
    """NOOP or RSET is refused, and the client does not go on."""
    for index, each in enumerate(view.steps):
        if not view.smtp or each.verb not in MUST_KNOW or not refused(each):
            continue
        went_on = view.later.than(index, WENT_ON)
        if each.reply and each.reply.code in UNKNOWN_TO_IT and not went_on and not view.sent:
            yield Cause(
                index, 20, Stage.MAIL, FAULT, f"The server does not know {each.verb}, and the client gave up.",
                "Tell the provider: every server must know it; a client may send it at any time.", evidence(each),
                others((PROGRAM, POLICY)), Confidence.MEDIUM,
            )  # fmt: skip


def not_even_retr(view: View) -> Iterator[Cause]:
    """POP3: a command is not known that every server must know (RFC 1939 section 5)."""
    for index in foremost(view):
        each = view.steps[index]
        if view.protocol == "pop3" and each.verb in MAILBOX and UNKNOWN.search(said(each)):
            yield Cause(
                index, 52, view.stage(index), FAULT, f"The server says that it does not know {each.verb}.",
                "Tell the provider: every server must know it; it may have got out of step with an answer before.",
                evidence(each), others((PROGRAM,)), Confidence.MEDIUM,
            )  # fmt: skip


def not_even_mail(view: View) -> Iterator[Cause]:
    """MAIL, RCPT or DATA is not known to the server, though they were written as they must be."""
    for index in foremost(view):
        each = view.steps[index]
        code = each.reply.code if each.reply else ""
        if view.smtp and each.verb in MESSAGE and code in UNKNOWN_TO_IT and UNKNOWN.search(said(each)):
            yield Cause(
                index, 52, view.stage(index), FAULT, f"The server says that it does not know {each.verb}.",
                "Tell the provider: it may have got out of step with an answer before; choose another authentication "
                "method meanwhile.",
                evidence(each), others((PROGRAM,)), Confidence.MEDIUM,
            )  # fmt: skip


def no_message_wanted(view: View) -> Iterator[Cause]:
    """DATA is answered as done, in the place of 354: no message follows."""
    for index, each in enumerate(view.steps):
        if view.smtp and each.verb == "DATA" and each.replies and not each.content and accepted(each):
            yield Cause(
                index, 20, Stage.DATA, FAULT, "The server answers DATA as done, where 354 must ask for the message.",
                "Look whether an answer before it was taken for another; tell the provider.", evidence(each),
                others((PROGRAM, POLICY)), Confidence.LOW, Outcome.FAILED,
            )  # fmt: skip


RULES: Final = (
    Rule("must-know", "NOOP or RSET that the server does not know", must_know),
    Rule("message-not-known", "MAIL, RCPT or DATA that the server does not know", not_even_mail),
    Rule("retr-not-known", "STAT, LIST, RETR or DELE that the server does not know", not_even_retr),
    Rule("data-not-asked", "DATA that was answered as done", no_message_wanted),
)
