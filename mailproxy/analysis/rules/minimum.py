"""What every server of SMTP must know and do (RFC 5321 section 4.5.1)."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import FAULT, POLICY, PROGRAM, others
from mailproxy.analysis.view import View, accepted, evidence, refused
from mailproxy.model.finding import Confidence, Outcome, Stage

MUST_KNOW: Final = frozenset({"NOOP", "RSET"})
UNKNOWN_TO_IT: Final = frozenset({"500", "502"})


def must_know(view: View) -> Iterator[Cause]:
    """NOOP or RSET is refused, and the client does not go on."""
    for index, each in enumerate(view.steps):
        if not view.smtp or each.verb not in MUST_KNOW or not refused(each):
            continue
        went_on = any(accepted(one) and one.verb != "QUIT" for one in view.steps[index + 1 :])
        if each.reply and each.reply.code in UNKNOWN_TO_IT and not went_on and not view.sent:
            yield Cause(
                index, 20, Stage.MAIL, FAULT, f"The server does not know {each.verb}, and the client gave up.",
                "Tell the provider: every server must know it; a client may send it at any time.", evidence(each),
                others((PROGRAM, POLICY)), Confidence.MEDIUM,
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
    Rule("data-not-asked", "DATA that was answered as done", no_message_wanted),
)
