"""Connections that end in the middle: of a message, before an answer, before the greeting."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, POLICY, PROGRAM, UNKNOWN, others
from mailproxy.analysis.standing import BY_THE_WAY, KNOWN
from mailproxy.analysis.view import LOGINS, View, accepted, complete, delivered, evidence, is_message
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Confidence, Evidence, Outcome, Stage
from mailproxy.model.octets import Frame, Note

ENDED: Final = re.compile(r"closed|reset|timed out|connection lost|lost connection|eof", re.I)
PATIENCE: Final = 10.0  # seconds of silence that a client may take for the end
PASSED: Final = re.compile(r"([\d.]+) s pass")
BY_SERVER: Final = re.compile(r"(?:closed|reset) by the server|timed out waiting for the server", re.I)
BY_CLIENT: Final = re.compile(r"(?:closed|reset) by the client", re.I)
STALL: Final = re.compile(r"stall|timed out|timeout", re.I)


def look(view: View) -> Iterator[Cause]:
    """Say of what was broken off whose it is."""
    ending = next(((at, text) for at, text in view.troubles if ENDED.match(text)), None)
    if ending is None or view.hidden:
        return
    at, text = ending
    steps = view.steps
    broken = next((i for i, each in enumerate(steps) if _broken(view, i, each)), None)
    if broken is not None:
        yield from _in_a_step(view, broken, at, text)
    elif (
        any(each.replies for each in steps)
        and BY_SERVER.match(text)
        and view.quit is None
        and not (view.sent or view.fetched)
    ):
        last = max(index for index, each in enumerate(steps) if each.replies)
        yield _cause(view, len(steps), at, view.stage(last), FAULT, (POLICY, NETWORK), "The server hung up while nothing was asked.",
                     "Try again; if it stays so, send the provider this transcript with the time.", Confidence.MEDIUM)  # fmt: skip
    elif not any(each.replies for each in steps):
        yield _cause(view, len(steps), at, Stage.GREETING, FAULT, (NETWORK, POLICY) if "client" not in text else (CONFIG, NETWORK),
                     "The connection ended before the server had said a word.",
                     "If the port wants TLS from the start (465, 995), set SSL/TLS; else ask the provider.")  # fmt: skip


def _broken(view: View, index: int, each: Exchange) -> bool:
    """Whether a step was under way when the connection ended."""
    if each.verb == "QUIT" or Flag.GREETING in each.flags:
        return False
    if not each.verb and each.argument == ".":
        return not each.replies
    if (
        is_message(each)
        and each.content
        and not delivered(each)
        and (not each.replies or (each.reply and each.reply.code[:1] in "13+"))
    ):
        return True
    if each.verb == "BDAT" and not each.replies:
        return True
    if each.content and {Flag.UNFINISHED, Flag.SHORT} & each.flags and not complete(each):
        return True
    if each.content:
        return False
    return not each.replies and each.command is not None


def _in_a_step(view: View, index: int, at: int, text: str) -> Iterator[Cause]:
    each = view.steps[index]
    by_client = BY_CLIENT.match(text) is not None
    if is_message(each):
        yield _message(view, index, each, at, text, by_client)
    elif each.content:
        silent = _silence(view, at) >= PATIENCE
        blame, also = (PROGRAM, (CONFIG, NETWORK)) if by_client and not silent else (NETWORK, (FAULT, PROGRAM))
        yield _cause(view, index, at, view.stage(index), blame, also, "The connection ended in the middle of a message that was being fetched.",
                     "Fetch again; if it is always the same message, a virus scanner or firewall on the way may stop it.")  # fmt: skip
    elif by_client:
        blame, also = PROGRAM, (FAULT, CONFIG)
        yield _cause(view, index, at, view.stage(index), blame, also, f"The client left before {each.verb or 'its command'} was answered.",
                     "Look how long the server took; raise the timeout in the mail program.", Confidence.MEDIUM)  # fmt: skip
    else:
        blame, also = (NETWORK, (FAULT, POLICY)) if STALL.match(text) else (FAULT, (POLICY, NETWORK))
        yield _cause(view, index, at, view.stage(index), blame, also, f"The server hung up in the place of an answer to {each.verb or 'a command'}.",
                     "Try again; if it stays so, send the provider this transcript with the time.", Confidence.MEDIUM)  # fmt: skip


def _message(view: View, index: int, each: Exchange, at: int, text: str, by_client: bool) -> Cause:
    if complete(each) and not STALL.search(text):
        blame, also = (PROGRAM, (NETWORK, FAULT)) if by_client else (FAULT, (UNKNOWN, NETWORK))
        summary = "The message was sent to its end, and never answered: it may have arrived all the same."
        remedy = "Look whether it arrived before sending it again; ask the provider what its log says at this time."
    elif STALL.search(text) or (complete(each) and not by_client):
        blame, also = NETWORK, (FAULT, UNKNOWN)
        summary = "Large packets seem not to come through: the message stalled, and the connection was lost."
        remedy = "Lower the MTU (1400) on the way or in the VPN, and look at firewalls that block ICMP."
    elif by_client:
        blame, also = PROGRAM, (NETWORK, CONFIG)
        summary = "The client left in the middle of its message."
        remedy = "Look at the mail program's own log; a virus scanner on this machine may have cut it."
    else:
        blame, also = (
            UNKNOWN if each.verb == "BDAT" else NETWORK,
            (NETWORK if each.verb == "BDAT" else FAULT, FAULT if each.verb == "BDAT" else UNKNOWN),
        )
        summary = "The connection was lost in the middle of the message."
        remedy = "Try a short message: if that passes, the way between loses large packets (MTU), or a firewall inspects the content."
    return _cause(view, index, at, Stage.CONTENT, blame, also, summary, remedy, Confidence.MEDIUM)


def _cause(
    view: View, index: int, at: int, stage: Stage, blame: Blame, also: tuple[Blame, ...], summary: str, remedy: str,
    confidence: Confidence = Confidence.HIGH,
) -> Cause:  # fmt: skip
    note = view.recording.entries[at]
    assert isinstance(note, Note)
    proof = (*(evidence(view.steps[index]) if index < len(view.steps) else ()), Evidence(note=at))
    return Cause(index, 15, stage, blame, summary, remedy, proof, others(also), confidence)


def _silence(view: View, at: int) -> float:
    """For how many seconds nobody had said anything when the connection ended."""
    entries = view.recording.entries
    last = max((entry.at for entry in entries[:at] if isinstance(entry, Frame) and entry.length), default=0)
    passed = sum(float(found[1]) for _, note in view.notes if (found := PASSED.match(note.text)))
    return max((entries[at].at - last) / 1_000_000, passed if entries[at].at == last else 0)


def left_after_refusal(view: View) -> Iterator[Cause]:
    """POP3: messages were deleted, and the session ended before QUIT was answered: nothing is deleted."""
    if view.smtp or view.ends_with_gap:
        return
    deleted = [i for i, each in enumerate(view.steps) if each.verb == "DELE" and accepted(each)]
    quit = view.quit
    left = next(((at, text) for at, text in view.troubles if ENDED.match(text)), None)
    if not deleted or not left or (quit is not None and view.steps[quit].replies):
        return
    blame, also = (PROGRAM, (NETWORK, CONFIG)) if BY_CLIENT.match(left[1]) else (NETWORK, (FAULT, PROGRAM))
    yield _cause(view, len(view.steps) if quit is None else quit, left[0], Stage.UPDATE, blame, also,
                 "Messages were marked as deleted, but the session ended before QUIT was answered: they come again.",
                 "Let the program finish; a message that breaks sessions off must be taken out on the web.")  # fmt: skip


def silent(view: View) -> Iterator[Cause]:
    """Both sides waited for the other."""
    said_login = any(each.verb in LOGINS for each in view.steps)
    for at, text in view.troubles:
        if text.startswith("timed out waiting for the server") and not said_login and not view.steps:
            yield Cause(0, 30, Stage.GREETING, CONFIG, "Both sides waited for the other to begin: the server expects TLS.",
                        "Set the connection security to SSL/TLS for this port.", (Evidence(note=at),), others((NETWORK, FAULT)))  # fmt: skip


def dot_not_doubled(view: View) -> Iterator[Cause]:
    """A message that ended at a lone dot of its own: the rest of it is taken for commands (RFC 5321 section 4.5.2)."""
    for index, each in enumerate(view.steps[:-1]):
        prose = view.steps[index + 1]
        known = prose.verb in KNOWN | BY_THE_WAY if prose.verb else prose.argument in {"", "."}
        if each.verb == "DATA" and delivered(each) and not known and prose.at - each.at < 5_000_000 and not view.gaps:
            yield Cause(
                index, 70, Stage.CONTENT, PROGRAM, "The message was cut at a line with a lone dot: the client does not double dots.",
                "Update the mail program; until then put no line with only a dot into a message.",
                (*evidence(each), *evidence(prose)), others((UNKNOWN,)), outcome=Outcome.PARTIAL,
            )  # fmt: skip
            return


def stalled(view: View) -> Iterator[Cause]:
    """The server waited for the rest of a message, and gave up."""
    for index, each in enumerate(view.steps):
        reply = each.reply
        if (
            is_message(each)
            and each.content
            and reply
            and reply.code in {"421", "451"}
            and re.search(r"time.?out", reply.text, re.I)
        ):
            yield Cause(
                index, 40, Stage.CONTENT, NETWORK, "The rest of the message never came, and the server gave up waiting.",
                "Try a short message: if that passes, the way between loses large packets (MTU 1400 helps), or a virus scanner holds them.",
                evidence(each), others((PROGRAM, CONFIG)), Confidence.MEDIUM,
            )  # fmt: skip


RULES: Final = (
    Rule("dot-not-doubled", "a message that its own lone dot cut short", dot_not_doubled),
    Rule("message-stalled", "a message whose rest never came", stalled),
    Rule("broken-off", "the connection ended in the middle of a message or before an answer", look),
    Rule("delete-without-quit", "deletions that were never made true by QUIT", left_after_refusal),
    Rule("both-wait", "both sides wait: TLS was expected", silent),
)
