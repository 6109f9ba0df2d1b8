"""Connections that end in the middle: of a message, before an answer, before the greeting."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, NETWORK, POLICY, PROGRAM, UNKNOWN, others
from mailproxy.analysis.rules.minimum import MUST_KNOW
from mailproxy.analysis.standing import KNOWN
from mailproxy.analysis.step import FETCHES, HELLOS, LOGINS, complete, delivered, evidence, is_message, refused
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Confidence, Evidence, Stage
from mailproxy.model.octets import Frame

ENDED: Final = re.compile(r"closed|reset|timed out|connection lost|lost connection|eof", re.I)
ERROR: Final = re.compile(r"error|broken pipe|unexpected|fail|abort|lost|closed|reset|incomplete", re.I)
"""How others put it that a transfer ended."""
PATIENCE: Final = 10.0  # seconds of silence that a client may take for the end
PASSED: Final = re.compile(r"([\d.]+) s pass")
BY_SERVER: Final = re.compile(r"(?:closed|reset) by the server|timed out waiting for the server", re.I)
BY_CLIENT: Final = re.compile(r"(?:closed|reset) by the client", re.I)
STALL: Final = re.compile(r"stall|timed out|timeout", re.I)
LOCAL: Final = re.compile(r"localhost(?:\.\S+)?|\[?(?:127\.[\d.]+|(?:IPv6:)?::1)\]?|[\w-]*", re.I)
"""Names in a hello that say nothing of the machine."""
TLS_PORTS: Final = frozenset({465, 993, 995})
AGAIN: Final = "Try again; if it stays so, send the provider this transcript with the time."
Told = tuple[Blame, tuple[Blame, ...], str, str]
"""Whose it is, who else it may be, one sentence, what to do."""

HALF_A_DOT: Final = (b"\n.\r", b"\n.", b"\n.\n")
NO_END: Final[Told] = (
    FAULT, (NETWORK, PROGRAM), "The dot that ends a message came without its line end, and the client waited for it.",
    "Tell the provider which message it is, and take it out on the web.",
)  # fmt: skip


def look(view: View) -> Iterator[Cause]:
    """Say of what was broken off whose it is."""
    broken = next((i for i, each in enumerate(view.steps) if _broken(each)), None)
    within = broken is not None and view.steps[broken].content is not None
    ends = (each for each in view.troubles if ENDED.match(each[1]) or (within and ERROR.search(each[1])))
    ending = next(ends, None)
    if ending is None or view.hidden:
        return
    at, text = ending
    answered = [i for i, each in enumerate(view.steps) if each.replies]
    if broken is not None:
        yield _in_a_step(view, broken, at, text)
    elif not answered:
        blame, also = (FAULT, (CONFIG, NETWORK) if "client" in text else (NETWORK, POLICY))
        if view.recording.session.server.port in TLS_PORTS and view.secure_from is None and "TLS" not in view.facts:
            blame, also = CONFIG, (NETWORK, FAULT)
        told = (
            blame, also, "The connection ended before the server had said a word.",
            "If the port wants TLS from the start (465, 995), set SSL/TLS; else ask the provider.",
        )  # fmt: skip
        yield _cause(view, len(view.steps), at, Stage.GREETING, told)
    elif BY_SERVER.match(text) and view.quit is None and not (view.sent or view.fetched):
        told = (FAULT, (POLICY, NETWORK), "The server hung up while nothing was asked.", AGAIN)
        yield _cause(view, len(view.steps), at, view.stage(answered[-1]), told, Confidence.MEDIUM)


def _broken(each: Exchange) -> bool:
    """Whether a step was under way when the connection ended."""
    if each.verb == "QUIT" or Flag.GREETING in each.flags:
        return False
    if not each.verb and each.argument == ".":
        return not each.replies
    if is_message(each) and each.content and not delivered(each) and _unanswered(each):
        return True
    if refused(each):
        return False
    if each.verb == "BDAT" and not each.replies:
        return True
    if each.content:
        return bool({Flag.UNFINISHED, Flag.SHORT} & each.flags) and not complete(each)
    return _prompted(each) or (not each.replies and each.command is not None)


def _prompted(each: Exchange) -> bool:
    """Whether a login waits for the server: the client has answered all that it was asked."""
    return each.verb == "AUTH" and _unanswered(each) and 0 < len(each.replies) <= len(each.extra)


def _unanswered(each: Exchange) -> bool:
    """Whether a message got no answer but the one to its command."""
    return each.reply is None or each.reply.code[:1] in "13+"


def _in_a_step(view: View, index: int, at: int, text: str) -> Cause:
    each = view.steps[index]
    by_client = BY_CLIENT.match(text) is not None
    if is_message(each):
        return _cause(view, index, at, Stage.CONTENT, _message(each, text, by_client), Confidence.MEDIUM)
    if each.content:
        told = NO_END if (b"\n" + view.octets(each.content.span)).endswith(HALF_A_DOT) else None
        left = by_client and _silence(view, at) < PATIENCE
        return _cause(view, index, at, view.stage(index), told or _fetched(left, each.verb in FETCHES))
    return _cause(view, index, at, view.stage(index), _command(each, text, by_client), Confidence.MEDIUM)


def _fetched(left: bool, message: bool) -> Told:
    """A message or a listing on its way to the client; `left` is whether the client had no reason to go.

    Long messages get lost on the way; a listing, which is short, stays behind in the server.
    """
    blame, also = (NETWORK, (FAULT, PROGRAM)) if message else (FAULT, (NETWORK, PROGRAM))
    if left:
        blame, also = PROGRAM, (CONFIG, NETWORK)
    what = "message" if message else "listing"
    return (
        blame, also, f"The connection ended in the middle of a {what} that was being fetched.",
        "Fetch again; if it is always the same message, a virus scanner or firewall on the way may stop it.",
    )  # fmt: skip


def _command(each: Exchange, text: str, by_client: bool) -> Told:
    """A command that was never answered."""
    if by_client:
        return (
            PROGRAM, (FAULT, CONFIG), f"The client left before {each.verb or 'its command'} was answered.",
            "Look how long the server took; raise the timeout in the mail program.",
        )  # fmt: skip
    if STALL.match(text):
        return (
            FAULT, (NETWORK, POLICY), f"The server never answered {each.verb or 'a command'}, though it spoke before.",
            AGAIN,
        )  # fmt: skip
    blame, also = FAULT, (POLICY, NETWORK)
    if each.verb in LOGINS:
        return (
            CREDENTIALS, (POLICY, FAULT), f"The server hung up in the place of an answer to {each.verb}.",
            "Check the password (some providers hang up on a wrong one); else try again later.",
        )  # fmt: skip
    if each.verb in HELLOS and text.startswith("reset"):
        blame, also = NETWORK, (POLICY, FAULT)
    elif each.verb in HELLOS and LOCAL.fullmatch(each.argument.strip()):
        return (
            CONFIG, (POLICY, FAULT), f"The server hung up on a client that calls itself {each.argument.strip()}.",
            "Give the program (or its machine) a full host name for its greeting; else ask the provider.",
        )  # fmt: skip
    return blame, also, f"The server hung up in the place of an answer to {each.verb or 'a command'}.", AGAIN


def _message(each: Exchange, text: str, by_client: bool) -> Told:
    """A message on its way to the server."""
    stalled = STALL.search(text) is not None
    if complete(each):
        blame, also = (PROGRAM, (NETWORK, FAULT)) if by_client else (FAULT, (PROGRAM if stalled else UNKNOWN, NETWORK))
        return (
            blame, also, "The message was sent to its end, and never answered: it may have arrived all the same.",
            "Look whether it arrived before sending it again; ask the provider what its log says at this time.",
        )  # fmt: skip
    if stalled:
        return (
            NETWORK, (FAULT, UNKNOWN),
            "Large packets seem not to come through: the message stalled, and the connection was lost.",
            "Lower the MTU (1400) on the way or in the VPN, and look at firewalls that block ICMP.",
        )  # fmt: skip
    if by_client:
        return (
            PROGRAM, (NETWORK, CONFIG), "The client left in the middle of its message.",
            "Look at the mail program's own log; a virus scanner on this machine may have cut it.",
        )  # fmt: skip
    blame, also = (UNKNOWN, (NETWORK, FAULT)) if each.verb == "BDAT" else (NETWORK, (FAULT, UNKNOWN))
    return (
        blame, also, "The connection was lost in the middle of the message.",
        "Try a short message: if that passes, the way between loses large packets (MTU), or a firewall inspects the "
        "content.",
    )  # fmt: skip


def _cause(
    view: View, index: int, at: int, stage: Stage, told: Told, confidence: Confidence = Confidence.HIGH
) -> Cause:
    blame, also, summary, remedy = told
    proof = (*(evidence(view.steps[index]) if index < len(view.steps) else ()), Evidence(note=at))
    return Cause(index, 15, stage, blame, summary, remedy, proof, others(also), confidence)


def _silence(view: View, at: int) -> float:
    """For how many seconds nobody had said anything when the connection ended."""
    entries = view.recording.entries
    last = max((entry.at for entry in entries[:at] if isinstance(entry, Frame) and entry.length), default=0)
    passed = sum(float(found[1]) for _, note in view.notes if (found := PASSED.match(note.text)))
    return max((entries[at].at - last) / 1_000_000, passed if entries[at].at == last else 0)


def half_a_line(view: View) -> Iterator[Cause]:
    """A command that ends in LF alone, and a server that waits for CRLF (RFC 5321 section 2.3.8)."""
    for index, each in enumerate(view.steps):
        text = each.reply.text if each.reply else ""
        waited = not each.replies or (refused(each) and re.search(r"time.?out|timed out", text, re.I))
        if Flag.BAD_LINE_END in each.flags and each.command and waited and view.troubles:
            yield Cause(
                index, 57, view.stage(index), PROGRAM,
                "The command ends in LF alone, and the server went on waiting for CRLF.",
                "Have the program end its lines in CRLF; openssl s_client does so with -crlf.",
                evidence(each), others((CONFIG, FAULT)),
            )  # fmt: skip
            return


def at_a_command(view: View) -> Iterator[Cause]:
    """The server does not know a command that it never offered, and hangs up at it."""
    left = next((at for at, text in view.troubles if BY_SERVER.match(text)), None)
    last = len(view.steps) - 1
    if left is None or last < 1 or view.sent or view.fetched or view.quit is not None:
        return
    each = view.steps[last]
    optional = each.command is not None and each.verb not in KNOWN | MUST_KNOW and not view.offers(last, each.verb)
    if optional and refused(each):
        yield Cause(
            last, 20, view.stage(last), PROGRAM,
            f"The server does not know {each.verb}, which it never offered, and hangs up at it.",
            "Update the mail program, or switch off what needs this command.",
            (*evidence(each), Evidence(note=left)), others((FAULT, POLICY)), Confidence.MEDIUM,
        )  # fmt: skip


def both_wait(view: View) -> Iterator[Cause]:
    """Both sides waited for the other: the server for a ClientHello."""
    for at, text in view.troubles:
        if text.startswith("timed out waiting for the server") and not view.steps:
            yield Cause(
                0, 30, Stage.GREETING, CONFIG, "Both sides waited for the other to begin: the server expects TLS.",
                "Set the connection security to SSL/TLS for this port.", (Evidence(note=at),), others((NETWORK, FAULT)),
            )  # fmt: skip


RULES: Final = (
    Rule("half-a-line", "a command that ends in LF alone, and a server that waits for CRLF", half_a_line),
    Rule("hung-up-at-command", "a server that hangs up at a command that it never offered", at_a_command),
    Rule("broken-off", "the connection ended in the middle of a message or before an answer", look),
    Rule("both-wait", "both sides wait: TLS was expected", both_wait),
)
