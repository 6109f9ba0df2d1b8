"""Logins that end in the middle: a prompt that nobody answers, a user name that is refused before the password."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CREDENTIALS, FAULT, PROGRAM, others
from mailproxy.analysis.step import evidence, refused, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Blame, Outcome, Stage

USUAL: Final = re.compile(r"(?:VXNlcm5hbWU6|dXNlcm5hbWU6|VXNlciBOYW1lAA==|UGFzc3dvcmQ6|cGFzc3dvcmQ6|UGFzc3dvcmQA)=*")
"""`Username:`, `Password:`, and how Microsoft and others put them, in base64."""
LEFT: Final = ("closed by the client", "reset by the client")
CANCELLED: Final = re.compile(r"cancel|abort", re.I)
EARLY: Final = re.compile(r"50[0-3]|535")
"""How AUTH is refused where its line was not understood, or was taken for a whole login."""
STAYED: Final = frozenset({"334", "+"})


def unanswered(view: View) -> Iterator[Cause]:
    """The client leaves at a prompt of AUTH, or cancels there."""
    left = any(text.startswith(LEFT) for _, text in view.troubles)
    for index, each in enumerate(view.steps):
        if each.verb != "AUTH" or not each.replies:
            continue
        last = index == len(view.steps) - 1 and each.replies[-1].code in STAYED and left
        cancelled = refused(each) and len(each.replies) > 1 and CANCELLED.search(said(each)) is not None
        if last or (cancelled and _odd(each)):
            yield _cause(index, each)


def _odd(each: Exchange) -> bool:
    """Whether a prompt of AUTH LOGIN is none that clients know."""
    prompts = [reply.text.strip() for reply in each.replies if reply.code in STAYED]
    return each.argument.upper().startswith("LOGIN") and not all(map(USUAL.fullmatch, prompts))


def _cause(index: int, each: Exchange) -> Cause:
    odd = _odd(each)
    blame: Blame = FAULT if odd else PROGRAM
    summary = "The server's prompt is not the one that clients know, and the client gave the login up."
    return Cause(
        index, 50, Stage.AUTH, blame, summary if odd else "The client gave the login up in the middle.",
        "Choose PLAIN as authentication method; the prompts of LOGIN are 'Username:' and 'Password:' in base64."
        if odd else "Choose another authentication method, or update the mail program.",
        evidence(each), others((PROGRAM if odd else FAULT, CREDENTIALS)), outcome=Outcome.FAILED,
    )  # fmt: skip


def before_password(view: View) -> Iterator[Cause]:
    """AUTH LOGIN with the user name in its line is refused before the password was asked for."""
    for index, each in enumerate(view.steps):
        name, _, response = each.argument.partition(" ")
        if each.verb != "AUTH" or not view.smtp or name.upper() != "LOGIN" or not response.strip():
            continue
        if refused(each) and len(each.replies) == 1 and each.reply and EARLY.fullmatch(each.reply.code):
            blame, other = (PROGRAM, FAULT) if each.reply.code == "535" else (FAULT, PROGRAM)
            yield Cause(
                index, 50, Stage.AUTH, blame,
                "The server refuses AUTH LOGIN with the user name in its line: no password was asked for.",
                "Choose PLAIN as authentication method, or update the mail program: the name must wait for its prompt.",
                evidence(each), others((other, CREDENTIALS)),
            )  # fmt: skip


RULES: Final = (
    Rule("prompt-unanswered", "a login that the client gives up at a prompt", unanswered),
    Rule("refused-before-password", "AUTH LOGIN with a user name, refused before the password", before_password),
)
