"""Messages that were cut or that stalled, and deletions that were lost."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, PROGRAM, UNKNOWN, others
from mailproxy.analysis.rules.broken import BY_CLIENT, ENDED
from mailproxy.analysis.standing import BY_THE_WAY, KNOWN
from mailproxy.analysis.step import accepted, complete, delivered, evidence, is_message
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Blame, Confidence, Evidence, Outcome, Stage

SOON: Final = 5_000_000  # microseconds from DATA in which the rest of a message follows
TIMEOUT: Final = re.compile(r"time.?out|timed out", re.I)


def left_after_delete(view: View) -> Iterator[Cause]:
    """POP3: messages were deleted, and the session ended before QUIT was answered: nothing is deleted."""
    if view.smtp or view.ends_with_gap:
        return
    quit = view.quit
    left = next(((at, text) for at, text in view.troubles if ENDED.match(text)), None)
    deleted = any(each.verb == "DELE" and accepted(each) for each in view.steps)
    if not deleted or left is None or (quit is not None and view.steps[quit].replies):
        return
    at, text = left
    blame: Blame = PROGRAM if BY_CLIENT.match(text) else NETWORK
    yield Cause(
        len(view.steps) if quit is None else quit, 15, Stage.UPDATE, blame,
        "Messages were marked as deleted, but the session ended before QUIT was answered: they come again.",
        "Let the program finish; a message that breaks sessions off must be taken out on the web.",
        (*(evidence(view.steps[quit]) if quit is not None else ()), Evidence(note=at)),
        others((NETWORK, CONFIG) if blame is PROGRAM else (FAULT, PROGRAM)),
    )  # fmt: skip


def dot_not_doubled(view: View) -> Iterator[Cause]:
    """A message that ended at a lone dot of its own: the rest of it is taken for commands (RFC 5321 section 4.5.2)."""
    for index, each in enumerate(view.steps[:-1]):
        prose = view.steps[index + 1]
        if each.verb != "DATA" or each.content is None or view.said.leaves_out(each.content.span):
            continue
        if delivered(each) and _is_prose(prose) and prose.at - each.at < SOON:
            yield Cause(
                index, 70, Stage.CONTENT, PROGRAM,
                "The message was cut at a line with a lone dot: the client does not double dots.",
                "Update the mail program; until then put no line with only a dot into a message.",
                (*evidence(each), *evidence(prose)), others((UNKNOWN,)), outcome=Outcome.PARTIAL,
            )  # fmt: skip
            return


def _is_prose(each: Exchange) -> bool:
    return each.verb not in KNOWN | BY_THE_WAY if each.verb else each.argument not in {"", "."}


def _stalled(index: int, each: Exchange) -> Cause:
    return Cause(
        index, 40, Stage.CONTENT, NETWORK, "The rest of the message never came, and the server gave up waiting.",
        "Try a short message: if that passes, the way between loses large packets (MTU 1400 helps), or a virus scanner "
        "holds them.",
        evidence(each), others((PROGRAM, CONFIG)), Confidence.MEDIUM,
    )  # fmt: skip


def _unfinished(index: int, each: Exchange) -> Cause:
    return Cause(
        index, 40, Stage.CONTENT, FAULT, "The whole message was there, and the server did not come to an end with it.",
        "Tell the provider: what handles messages behind its server hangs; the message may have arrived.",
        evidence(each), others((UNKNOWN, NETWORK)), Confidence.MEDIUM,
    )  # fmt: skip


def stalled(view: View) -> Iterator[Cause]:
    """The server waited for the rest of a message, and gave up."""
    for index, each in enumerate(view.steps):
        reply = each.reply
        timed_out = reply is not None and not reply.positive and TIMEOUT.search(reply.text)
        if is_message(each) and each.content and timed_out:
            yield _unfinished(index, each) if complete(each) else _stalled(index, each)


RULES: Final = (
    Rule("dot-not-doubled", "a message that its own lone dot cut short", dot_not_doubled),
    Rule("message-stalled", "a message whose rest never came", stalled),
    Rule("delete-without-quit", "deletions that were never made true by QUIT", left_after_delete),
)
