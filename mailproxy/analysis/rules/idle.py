"""Connections that were kept too long."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, NETWORK, POLICY, PROGRAM, others
from mailproxy.analysis.standing import standing
from mailproxy.analysis.view import View, evidence, refused, said
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Blame, Outcome, Stage

TIMEOUT: Final = re.compile(r"time.?out|timed out|idle|inactiv|too long", re.I)


def look(view: View) -> Iterator[Cause]:
    """The server ended an idle connection, and the client used it all the same, or saw it and took it for an error."""
    for index, each in enumerate(view.steps):
        if (
            not refused(each)
            or not each.reply
            or each.reply.code not in {"421", "451", "-ERR"}
            or not TIMEOUT.search(said(each))
        ):
            continue
        if each.verb in {"DATA", "BDAT"} and each.content:
            continue
        reused = each.verb in {"RSET", "NOOP", "MAIL"} or any(one.command for one in view.steps[index + 1 :])
        if reused and (each.verb or index in standing(view) or view.begins_with_gap):
            yield _cause(
                view,
                index,
                each,
                Stage.MAIL,
                PROGRAM,
                "The client used a connection that the server had given up for being idle.",
            )
        elif _sent_before(view):
            yield _cause(
                view,
                index,
                each,
                Stage.QUIT,
                CONFIG,
                "The server ended a connection on which nothing more was said.",
                Outcome.PARTIAL,
            )
        elif not each.verb:
            yield _cause(
                view,
                index,
                each,
                view.stage(index),
                PROGRAM,
                "The client said nothing for too long, and the server hung up.",
            )


def _sent_before(view: View) -> bool:
    return view.sent > 0 or any(re.search(r"deliver|sent|messages", gap, re.I) for gap in view.gaps)


def _cause(
    view: View, index: int, each: Exchange, stage: Stage, blame: Blame, summary: str, outcome: Outcome | None = None
) -> Cause:
    return Cause(
        index, 55, stage, blame, summary, "Let the program close connections sooner, and open a new one when this happens.",
        evidence(each), others((PROGRAM if blame is not PROGRAM else NETWORK, POLICY)), outcome=outcome,
    )  # fmt: skip


RULES: Final = (Rule("idle", "a connection that the server had timed out", look),)
