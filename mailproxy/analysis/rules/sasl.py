"""Logins that get out of step (RFC 4954 section 4, RFC 5034 section 4)."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import LOGINS, accepted, evidence, refused, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Outcome, Stage

USERNAME: Final = re.compile(r"VXNlcm5hbWU6?=*|dXNlcm5hbWU6?=*|VXNlciBOYW1lAA==", re.I)
NOT_HERE: Final = re.compile(
    r"protocol error|invalid (?:argument|command|parameter)|syntax|too (?:long|many arg)|unrecogni", re.I
)


def asked_again(view: View) -> Iterator[Cause]:
    """The user name came with AUTH LOGIN, and the server asks for it all the same."""
    for index, each in enumerate(view.steps):
        initial = each.verb == "AUTH" and each.argument.upper().startswith("LOGIN ")
        if initial and each.replies and USERNAME.fullmatch(each.replies[0].text.strip()):
            through = view.later.than(index, "MAIL", "STAT")
            if not through:
                yield Cause(
                    index, 65, Stage.AUTH, FAULT,
                    "The server ignores the user name that came with AUTH LOGIN, and the login is out of step.",
                    "Choose PLAIN as authentication method, or have the server mended.",
                    evidence(each), others((PROGRAM,)),
                    outcome=Outcome.FAILED,
                )  # fmt: skip


def granted_for_go_on(view: View) -> Iterator[Cause]:
    """POP3: `+OK` where `+ ` would ask the client to go on, and its next command is taken for the response."""
    if view.smtp:
        return
    for index, each in enumerate(view.steps[:-1]):
        bare = each.verb == "AUTH" and each.argument and " " not in each.argument and len(each.replies) == 1
        following = view.steps[index + 1]
        if bare and accepted(each) and _in_vain(following):
            yield Cause(
                index, 70, Stage.AUTH, FAULT,
                "The server answers AUTH with +OK where it must say '+ ' to let the client go on.",
                "Choose another authentication method in the mail program; the server needs mending.",
                (*evidence(each), *evidence(following)), others((PROGRAM,)), outcome=Outcome.FAILED,
            )  # fmt: skip


def _in_vain(each: Exchange) -> bool:
    """Whether a step behind AUTH was refused: a command, or the response that the client thought was wanted."""
    if Flag.UNPARSED in each.flags:
        return each.reply is not None and not each.reply.positive
    return refused(each) and each.verb not in LOGINS


def one_line(view: View) -> Iterator[Cause]:
    """A token that came in the same line as AUTH, where the server wants it in a line of its own."""
    for index, each in enumerate(view.steps):
        initial = each.verb == "AUTH" and " " in each.argument.strip() and not view.smtp
        if initial and refused(each) and NOT_HERE.search(said(each)):
            yield Cause(
                index, 50, Stage.AUTH, PROGRAM, "The server does not take the response in the same line as AUTH.",
                "Update the mail program; the token must follow in a line of its own.",
                evidence(each), others((FAULT, POLICY)),
            )  # fmt: skip


def no_fallback(view: View) -> Iterator[Cause]:
    """APOP is refused though the password may be right, and no other way is tried."""
    logins = [index for index, each in enumerate(view.steps) if each.verb in LOGINS]
    if len(logins) != 1 or view.steps[logins[0]].verb != "APOP" or not refused(view.steps[logins[0]]):
        return
    index = logins[0]
    if view.quit is None and not view.troubles and (view.offers(index, "USER") or view.mechanisms(index)):
        yield Cause(
            index, 45, Stage.AUTH, PROGRAM,
            "APOP was refused, and the client tried none of the other ways that are offered.",
            "Choose a normal password in place of an encrypted one (APOP), under TLS.", evidence(view.steps[index]),
            others((CREDENTIALS, FAULT)),
        )  # fmt: skip


def cancelled(view: View) -> Iterator[Cause]:
    """The client answers the server's challenge with `*`, and tries nothing else."""
    for index in foremost(view):
        each = view.steps[index]
        last = view.octets(each.extra[-1]) if each.verb == "AUTH" and each.extra else b""
        if last.strip() == b"*":
            yield Cause(
                index, 50, Stage.AUTH, PROGRAM, "The client broke the login off by itself, and tried no other way.",
                "Look at the mail program's own log; choose another authentication method.", evidence(each),
                others((CONFIG, CREDENTIALS)),
            )  # fmt: skip


RULES: Final = (
    Rule("login-cancelled", "a login that the client broke off with *", cancelled),
    Rule("login-out-of-step", "AUTH LOGIN whose user name is asked for twice", asked_again),
    Rule("ok-for-go-on", "+OK to AUTH in the place of '+ '", granted_for_go_on),
    Rule("token-in-one-line", "a response in the line of AUTH that the server wants by itself", one_line),
    Rule("apop-alone", "APOP refused and nothing else tried", no_fallback),
)
