"""What may follow what (RFC 5321 section 4.1.4): clients that take no notice of it, servers that forget."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import HELLOS, UPGRADES, accepted, evidence, is_message, refused, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Outcome, Stage

OUT_OF_SEQUENCE: Final = "503"
OPEN: Final = re.compile(r"nested|reset|already|sequence|in progress|sender|twice", re.I)
FORGOTTEN: Final = re.compile(r"\bmail\b|sender|rcpt|recipient|sequence", re.I)
HEADER: Final = re.compile(r"[A-Za-z][A-Za-z-]*: ")
"""A field of a message (RFC 5322 section 2.2)."""
OTHER: Final = re.compile(r"hello|helo|ehlo|polite|rcpt|data", re.I)
"""What a refusal of MAIL asks for, where it is not the login."""
ENDS: Final = HELLOS | UPGRADES | {"RSET"}
"""Commands that end a message which is on its way, where they are granted."""


class Transaction(NamedTuple):
    """A message on its way: its MAIL, and the RCPTs that were accepted (RFC 5321 section 3.3)."""

    mail: Exchange
    recipients: tuple[Exchange, ...] = ()


def transaction(steps: Sequence[Exchange]) -> Transaction | None:
    """What is open behind these steps; None where nothing is."""
    mail: Exchange | None = None
    recipients: list[Exchange] = []
    for each in steps:
        match each.verb:
            case "MAIL" if accepted(each):
                mail, recipients = each, []
            case "RCPT" if accepted(each) and mail:
                recipients.append(each)
            case verb if (is_message(each) and each.content) or (verb in ENDS and accepted(each)):
                mail = None
    return Transaction(mail, tuple(recipients)) if mail else None


def nested(view: View) -> Iterator[Cause]:
    """MAIL in the middle of a message: the program goes on with a connection that it did not reset."""
    for index in foremost(view):
        each = view.steps[index]
        before = transaction(view.steps[:index])
        if view.smtp and each.verb == "MAIL" and before and OPEN.search(said(each)):
            yield Cause(
                index, 60, view.stage(index), PROGRAM,
                "The client begins a message in the middle of another, with no RSET between them.",
                "Update the mail program; it must say RSET before it uses a connection again.",
                (*evidence(before.mail), *evidence(each)), others((FAULT,)),
            )  # fmt: skip


def forgotten(view: View) -> Iterator[Cause]:
    """The server asks for a sender or a recipient that it has accepted."""
    for index in foremost(view):
        each = view.steps[index]
        before = transaction(view.steps[:index])
        if not view.smtp or not before or not _out_of_sequence(each) or not FORGOTTEN.search(said(each)):
            continue
        if each.verb == "RCPT" or (each.verb in {"DATA", "BDAT"} and before.recipients):
            yield Cause(
                index, 60, view.stage(index), FAULT, "The server asks for what it has accepted before.",
                "Tell the server's administrator: it forgets the sender or the recipients of a message.",
                (*evidence(before.mail), *evidence(each)), others((PROGRAM,)),
            )  # fmt: skip


def hello_again(view: View) -> Iterator[Cause]:
    """A second hello is refused, and the client gives up; it may come at any time."""
    for index in foremost(view):
        each = view.steps[index]
        greeted = view.hello(index)
        if not view.smtp or each.verb not in HELLOS or not greeted or not _out_of_sequence(each):
            continue
        other = greeted.verb != each.verb
        yield Cause(
            index, 58, view.stage(index), PROGRAM if other else FAULT,
            "The client says HELO though EHLO was accepted, and the server refuses it." if other
            else "The server refuses a second hello, which a client may say at any time.",
            "Update the mail program: one hello that was accepted is enough.",
            (*evidence(greeted), *evidence(each)), others((FAULT if other else PROGRAM,)),
        )  # fmt: skip


def before_login(view: View) -> Iterator[Cause]:
    """MAIL is out of sequence, and all that can be missing is the login that was offered."""
    for index in foremost(view):
        each = view.steps[index]
        tried = any(one.verb == "AUTH" for one in view.steps[:index])
        if each.verb != "MAIL" or not _out_of_sequence(each) or tried or OTHER.search(said(each)):
            continue
        if view.smtp and view.mechanisms(index) and not transaction(view.steps[:index]):
            hello = view.hello(index)
            yield Cause(
                index, 52, view.stage(index), CONFIG,
                "The server takes mail only after a login, and the client sent none.",
                "Set an authentication method (password) and a user name for the outgoing server.",
                (*(evidence(hello) if hello else ()), *evidence(each)), others((PROGRAM, POLICY)),
            )  # fmt: skip


def header(view: View) -> Iterator[Cause]:
    """A header of the message where commands must be: DATA was not said."""
    for index, each in enumerate(view.steps):
        if not view.smtp or view.gaps or view.sent or Flag.UNPARSED not in each.flags:
            continue
        if HEADER.match(each.argument) and transaction(view.steps[:index]):
            yield Cause(
                index, 60, Stage.DATA, PROGRAM, "The client sends a header of its message before DATA.",
                "Update the mail program: the message follows DATA, once that is answered by 354.", evidence(each),
                others((CONFIG,)), outcome=Outcome.FAILED,
            )  # fmt: skip
            return


def _out_of_sequence(each: Exchange) -> bool:
    return refused(each) and each.reply is not None and each.reply.code == OUT_OF_SEQUENCE


RULES: Final = (
    Rule("nested-mail", "MAIL in the middle of a message", nested),
    Rule("transaction-forgotten", "a sender or a recipient that the server accepted, and asks for", forgotten),
    Rule("header-before-data", "a header of the message where a command must be", header),
    Rule("hello-again", "a second hello that is refused", hello_again),
    Rule("mail-before-login", "MAIL out of sequence, where only the login can be missing", before_login),
)
