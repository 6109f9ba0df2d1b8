"""Connections that were kept too long."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.later import ASKED
from mailproxy.analysis.others import CONFIG, NETWORK, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import evidence, refused, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Blame, Outcome, Stage

TIMEOUT: Final = re.compile(r"time.?out|timed out|idle|inactiv|too long", re.I)
REUSING: Final = frozenset({"RSET", "NOOP", "MAIL"})


def look(view: View) -> Iterator[Cause]:
    """The server ended an idle connection, and the client used it all the same, or saw it and took it for an error."""
    for index, each in enumerate(view.steps):
        if not _timed_out(each):
            continue
        reused = each.verb in REUSING or view.later.than(index, ASKED)
        if reused and (each.verb or index in foremost(view) or view.begins_with_gap):
            summary = "The client used a connection that the server had given up for being idle."
            yield _cause(index, each, Stage.MAIL, PROGRAM, summary)
        elif _sent_before(view):
            summary = "The server ended a connection on which nothing more was said."
            yield _cause(index, each, Stage.QUIT, CONFIG, summary, Outcome.PARTIAL)
        elif not each.verb and index in foremost(view):
            summary = "The client said nothing for too long, and the server hung up."
            yield _cause(index, each, view.stage(index), PROGRAM, summary)


def _timed_out(each: Exchange) -> bool:
    """Whether the server says that it waited in vain; for the rest of a message is another matter."""
    if not refused(each) or not each.reply or each.reply.code not in {"421", "451", "-ERR"}:
        return False
    return TIMEOUT.search(said(each)) is not None and not (each.verb in {"DATA", "BDAT"} and each.content)


def _sent_before(view: View) -> bool:
    return any(re.search(r"deliver|sent|messages", gap, re.I) for gap in view.gaps)


def _cause(
    index: int, each: Exchange, stage: Stage, blame: Blame, summary: str, outcome: Outcome | None = None
) -> Cause:
    return Cause(
        index, 55, stage, blame, summary,
        "Let the program close connections sooner, and open a new one when this happens.",
        evidence(each), others((PROGRAM if blame is not PROGRAM else NETWORK, POLICY)), outcome=outcome,
    )  # fmt: skip


RULES: Final = (Rule("idle", "a connection that the server had timed out", look),)
