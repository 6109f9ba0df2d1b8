"""What is peculiar to POP3: listings that lie, status words that are none, replies read too early."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, MAILBOX, PROGRAM, UNKNOWN, others
from mailproxy.analysis.step import FETCHES, accepted, complete, evidence, refused
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Confidence, Outcome, Stage

NUMBERED: Final = {"UIDL": re.compile(r"(\d+)\s+\S+"), "LIST": re.compile(r"(\d+)\s+\d+")}
STATUS: Final = frozenset({"+OK", "-ERR", "+", ""})


def odd_status(view: View) -> Iterator[Cause]:
    """A status word that RFC 1939 does not know."""
    if view.protocol != "pop3":
        return
    for index, each in enumerate(view.steps):
        if each.reply and each.reply.code not in STATUS and Flag.UNPARSED not in each.flags:
            yield Cause(
                index, 60, view.stage(index), FAULT,
                f"The server answers with {each.reply.code}, which is no status of POP3.",
                "Tell the provider: it must be +OK or -ERR.", evidence(each),
            )  # fmt: skip


def unnumbered(view: View) -> Iterator[Cause]:
    """The answer to UIDL or LIST with a number, without that number (RFC 1939 section 7)."""
    for index, each in enumerate(view.steps):
        one = view.protocol == "pop3" and each.verb in {"UIDL", "LIST"} and each.argument.strip().isdigit()
        if one and accepted(each) and each.reply and not _numbered(each, each.reply.text.strip()):
            yield Cause(
                index, 40, Stage.TRANSACTION, FAULT,
                f"The answer to {each.verb} {each.argument} lacks the number of the message.",
                "Tell the provider; the mail program cannot use such an answer.", evidence(each),
            )  # fmt: skip


def _numbered(each: Exchange, answer: str) -> bool:
    found = NUMBERED[each.verb].match(answer)
    return found is not None and int(found[1]) == int(each.argument)


def beyond(view: View) -> Iterator[Cause]:
    """A message was asked for by a number that the mailbox has not."""
    count = _count(view)
    for index, each in enumerate(view.steps):
        if count is None or view.protocol != "pop3" or each.verb not in {"RETR", "TOP", "DELE"} or not refused(each):
            continue
        number = each.argument.split()[:1]
        if number and number[0].isdigit() and not 0 < int(number[0]) <= count:
            yield Cause(
                index, 45, Stage.TRANSACTION, PROGRAM, f"The client asks for message {number[0]} of {count}.",
                "Update the mail program: messages are numbered from 1, as STAT and LIST tell.", evidence(each),
                others((MAILBOX, CONFIG)),
            )  # fmt: skip


def deleted(view: View) -> Iterator[Cause]:
    """A message is asked for that the client has deleted in this session (RFC 1939 section 5)."""
    gone: set[str] = set()
    for index, each in enumerate(view.steps):
        number = (each.argument.split() or [""])[0]
        if each.verb == "RSET" and accepted(each):
            gone.clear()
        elif view.protocol == "pop3" and number in gone and refused(each):
            yield Cause(
                index, 45, Stage.TRANSACTION, PROGRAM,
                f"The client asks for message {number}, which it has deleted in this session.",
                "Update the mail program: it must fetch a message before it deletes it.", evidence(each),
                others((MAILBOX, FAULT)),
            )  # fmt: skip
        elif each.verb == "DELE" and accepted(each):
            gone.add(number)


def not_doubled(view: View) -> Iterator[Cause]:
    """A message ended at a lone dot of its own, and the rest of it came where replies must (RFC 1939 section 3)."""
    for index, each in enumerate(view.steps[:-1]):
        rest = view.steps[index + 1]
        whole = view.protocol == "pop3" and each.verb in FETCHES and accepted(each) and complete(each)
        if not whole or each.content is None or view.said.leaves_out(each.content.span):
            continue
        if not rest.command and Flag.UNPARSED in rest.flags and rest.replies:
            yield Cause(
                index, 60, Stage.TRANSACTION, FAULT,
                "The message was cut at a line with a lone dot: the server does not double dots.",
                "Tell the provider which message it is; fetch it on the web meanwhile.",
                (*evidence(each), *evidence(rest)), others((PROGRAM,)), outcome=Outcome.PARTIAL,
            )  # fmt: skip
            return


def not_updated(view: View) -> Iterator[Cause]:
    """QUIT is refused: some of the deleted messages are still there (RFC 1939 section 6)."""
    for index, each in enumerate(view.steps):
        if view.protocol == "pop3" and each.verb == "QUIT" and refused(each) and view.deleted:
            yield Cause(
                index, 45, Stage.UPDATE, FAULT, "The server could not remove all messages that were marked as deleted.",
                "Expect them again; if it stays so, tell the provider.", evidence(each), others((MAILBOX,)),
            )  # fmt: skip


def _count(view: View) -> int | None:
    """How many messages there are, as STAT told."""
    stat = next((each for each in view.steps if each.verb == "STAT" and accepted(each)), None)
    found = re.match(r"\d+", stat.reply.text) if stat and stat.reply else None
    return int(found[0]) if found else None


def impatient(view: View) -> Iterator[Cause]:
    """The client goes on while an answer is still coming."""
    for index, each in enumerate(view.steps[:-1]):
        again = view.steps[index + 1]
        if view.protocol == "pop3" and each.verb == again.verb == "CAPA" and not again.replies:
            yield Cause(
                index, 40, Stage.AUTH, PROGRAM,
                "The client takes the first packet of an answer for all of it, and asks again.",
                "Update the mail program: an answer of several lines ends with a dot, in whatever pieces it comes.",
                (*evidence(each), *evidence(again)), others((UNKNOWN,)),
            )  # fmt: skip


def stopped_fetching(view: View) -> Iterator[Cause]:
    """Some messages were fetched, others that are there were not, and the client just stopped."""
    if view.protocol != "pop3" or view.quit is not None or view.troubles:
        return
    stat = next((each for each in view.steps if each.verb == "STAT" and accepted(each)), None)
    count = re.match(r"\d+", stat.reply.text) if stat and stat.reply else None
    taken = [i for i, each in enumerate(view.steps) if each.verb in {"RETR", "TOP"} and accepted(each)]
    whole = [i for i in taken if view.steps[i].verb == "RETR" or _whole(view.steps[i].argument)]
    if count and whole and len(whole) < int(count[0]):
        yield Cause(
            len(view.steps), 10, Stage.TRANSACTION, CONFIG,
            "The client stopped in the middle of fetching, with no trouble on the wire.",
            "Look at the mail program's own log: it could not go on with what it had fetched.",
            evidence(view.steps[whole[-1]]),
            others((PROGRAM,)), Confidence.LOW, Outcome.PARTIAL,
        )  # fmt: skip


def _whole(argument: str) -> bool:
    """Whether so many lines of TOP are asked for that the whole message comes."""
    lines = argument.split()[-1:]
    return bool(lines) and lines[0].isdigit() and len(lines[0]) < 12 and int(lines[0]) > 1000


def endless(view: View) -> Iterator[Cause]:
    """A message whose end never came, or came too early, by the announced size."""
    for index, each in enumerate(view.steps):
        if each.verb in {"RETR", "TOP"} and Flag.ODD_END in each.flags and complete(each) and not view.gaps:
            yield Cause(
                index, 20, Stage.TRANSACTION, FAULT, "A message has no end: the line with the dot is missing.",
                "Tell the provider which message it is, and take it out on the web.",
                evidence(each), others((UNKNOWN,)),
            )  # fmt: skip


RULES: Final = (
    Rule("pop3-status", "a status that is neither +OK nor -ERR", odd_status),
    Rule("pop3-unnumbered", "UIDL or LIST of one message, answered without its number", unnumbered),
    Rule("pop3-beyond", "a message number that the mailbox has not", beyond),
    Rule("pop3-deleted", "a message that the client has deleted in this session", deleted),
    Rule("pop3-dot-not-doubled", "a fetched message that its own lone dot cut short", not_doubled),
    Rule("pop3-not-updated", "deletions that QUIT could not make true", not_updated),
    Rule("pop3-impatient", "a client that does not wait for the end of a listing", impatient),
    Rule("pop3-stopped", "a client that stops fetching with nothing wrong on the wire", stopped_fetching),
    Rule("pop3-endless", "a message without its final dot", endless),
)
