"""Clients that read what the server offers, and leave for want of something."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, POLICY, PROGRAM, others
from mailproxy.analysis.step import HELLOS, UPGRADES, accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Confidence, Stage
from mailproxy.model.octets import Frame, Mark, Side, Span

STOPS: Final = re.compile(r"\b(?:stops?|gives? up|gave up|quits?|leaves|error|disconnect|not supported)", re.I)
LOGIN: Final = re.compile(r"\bauth|log ?in", re.I)
TLS: Final = re.compile(r"\b(?:starttls|stls|tls|ssl|encrypt\w*)\b", re.I)
ABSENT: Final = re.compile(r"\b(?:not|no|neither|without|lacks?|missing|unsupported|unavailable)\b|n't\b", re.I)
"""How a program says that something is not offered."""
IDLE: Final = HELLOS | {"CAPA", "QUIT", "", "NOOP", "RSET"}
BETWEEN_SERVERS: Final = 25  # the port on which no login is wanted
USUAL: Final = frozenset({"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"})
"""Mechanisms of name and password that mail programs know."""
NOT_UNDERSTOOD: Final = "not understood: "
"""What stands before a line of a foreign record that is kept as it is."""
NO_NAME: Final = "EHLO localhost"
"""How msmtp greets, and no mail server."""
NOTHING: Final = Span(Side.CLIENT, 0, 0)
OPTIONAL: Final = ("TOP", "UIDL", "LAST", "APOP", "USER")
"""Commands that a server need not know (RFC 1939 section 7)."""
HUNG_UP: Final = re.compile(r"(?:closed|reset) by the client", re.I)


PROBES: Final = re.compile(r"health|check|probe|monitor|test|nagios|zabbix|haproxy|scan", re.I)


class Want(NamedTuple):
    """What a client missed: at which stage, whose it is, who else it may be, one sentence, what to do."""

    stage: Stage
    blame: Blame
    also: tuple[Blame, ...]
    summary: str
    remedy: str
    confidence: Confidence = Confidence.MEDIUM


NO_LOGIN: Final = Want(
    Stage.AUTH, FAULT, (CONFIG, PROGRAM), "The server offers no login, and the client, which is set to log in, left.",
    "Switch authentication off in the mail program if the server wants none; else use its submission port (587 or "
    "465).",
)  # fmt: skip
NO_WAY: Final = Want(
    Stage.AUTH, CONFIG, (PROGRAM, POLICY), "The server offers no login with name and password, and the client left.",
    "Choose one of the authentication methods that the server offers.",
)  # fmt: skip
NO_STARTTLS: Final = Want(
    Stage.TLS, CONFIG, (FAULT, NETWORK), "The server offers no STARTTLS, and the client, which is set to use it, left.",
    "Use SSL/TLS on port 465, or ask whether something on the way takes the offer out.",
)  # fmt: skip
NO_UIDL: Final = Want(
    Stage.AUTH, FAULT, (CONFIG, PROGRAM),
    "The server does not list UIDL among what it can do, and the client, which needs it, left.",
    "Switch 'leave messages on the server' off, or ask the provider to list UIDL in CAPA.",
)  # fmt: skip
NO_CLEAR_LOGIN: Final = Want(
    Stage.TLS, FAULT, (CONFIG, PROGRAM), "The server offers neither STLS nor a login in clear, and the client left.",
    "Use SSL/TLS on port 995.",
)  # fmt: skip
NO_STLS: Final = Want(
    Stage.TLS, CONFIG, (FAULT, NETWORK), "The server offers no STLS, and the client, which seems set to use it, left.",
    "Use SSL/TLS on port 995, or ask whether something on the way takes the offer out.", Confidence.LOW,
)  # fmt: skip


def left_early(view: View) -> Iterator[Cause]:
    """The client read the offer, wanted something that is not there, and left without a word."""
    asked = [index for index, each in enumerate(view.steps) if each.verb in {"EHLO", "CAPA"} and accepted(each)]
    if not asked or not _only_looked(view) or view.capabilities(asked[-1] + 1) is None:
        return
    want = _told(view, asked[-1]) or (_missing_smtp if view.smtp else _missing_pop)(view, asked[-1])
    if want:
        yield Cause(
            len(view.steps), 20, want.stage, want.blame, want.summary, want.remedy, evidence(view.steps[asked[-1]]),
            others(want.also), want.confidence,
        )  # fmt: skip


def _only_looked(view: View) -> bool:
    """Whether the client did nothing but look, as far as is known; one that was played has reasons of its own."""
    if view.recording.session.replays.startswith("client of "):
        return False
    if any(each.verb not in IDLE or _came_to_look(each) for each in view.steps):
        return False
    return not view.ends_with_gap or view.quit is not None or any(map(STOPS.search, view.gaps))


def _came_to_look(each: Exchange) -> bool:
    """Whether a client shows that it came to look: it keeps the connection alive, or says so in its name."""
    return each.verb == "NOOP" or (each.verb in HELLOS and PROBES.search(each.argument) is not None)


def _told(view: View, index: int) -> Want | None:
    """What the program itself says that it missed: swaks, msmtp, curl and others put it in words."""
    missed = list(filter(ABSENT.search, _words(view, index)))
    if any(map(TLS.search, missed)) and not view.offers(index + 1, "STARTTLS") and not view.offers(index + 1, "STLS"):
        return NO_STARTTLS if view.smtp else NO_STLS._replace(confidence=Confidence.MEDIUM)
    if any(map(LOGIN.search, missed)) and not view.mechanisms(index + 1):
        between = view.recording.session.server.port == BETWEEN_SERVERS
        return NO_LOGIN._replace(blame=CONFIG, also=(FAULT, POLICY)) if between else NO_LOGIN
    return None


def _words(view: View, index: int) -> Iterator[str]:
    """What is noted behind the answer to a step, but for facts."""
    reply = view.steps[index].reply
    heard = False
    for entry in view.recording.entries:
        if isinstance(entry, Frame):
            heard = heard or (reply is not None and entry.side is Side.SERVER and entry.end >= reply.span.end)
        elif heard and entry.mark is not Mark.FACT:
            yield entry.text.removeprefix(NOT_UNDERSTOOD)


def _missing_smtp(view: View, index: int) -> Want | None:
    stops = any(map(STOPS.search, view.gaps))
    if view.recording.session.server.port == BETWEEN_SERVERS and not stops:
        return _missing_between(view, index)
    found = view.mechanisms(index + 1)
    if found == frozenset():
        told = any(STOPS.search(gap) and LOGIN.search(gap) for gap in view.gaps)
        return NO_LOGIN if told or not view.offers(index + 1, "STARTTLS") else None
    if not view.secure(index) and view.offers(index + 1, "STARTTLS") is False:
        return NO_STARTTLS
    return NO_WAY if found and not found & USUAL else None


def _missing_between(view: View, index: int) -> Want | None:
    """At the port of servers many only greet: no program of theirs calls itself localhost, or hangs up with no QUIT."""
    bare = view.secure_from is None and view.offers(index + 1, "STARTTLS") is False
    nameless = view.said.octets(view.steps[index].command or NOTHING) == NO_NAME.encode() + b"\r\n"
    return NO_STARTTLS._replace(confidence=Confidence.LOW) if bare and (nameless or _hung_up(view)) else None


def _missing_pop(view: View, index: int) -> Want | None:
    if view.quit is not None:
        return None
    if view.offers(index + 1, "UIDL") is False:
        return NO_UIDL
    if view.secure(index) or view.offers(index + 1, "STLS") is not False:
        return None
    return NO_CLEAR_LOGIN if view.offers(index + 1, "USER") is False else NO_STLS if _hung_up(view) else None


def _hung_up(view: View) -> bool:
    return view.quit is None and any(HUNG_UP.match(text) for _, text in view.troubles)


def stopped(view: View) -> Iterator[Cause]:
    """The program says which command it misses, and the server does not list it."""
    asked = [index for index, each in enumerate(view.steps) if each.verb == "CAPA" and accepted(each)]
    last = len(view.steps) - 1
    for text in _words(view, asked[-1]) if asked else ():
        name = next((word for word in OPTIONAL if re.search(rf"\b{word}\b", text)), "")
        if name and ABSENT.search(text) and view.offers(asked[-1] + 1, name) is False:
            yield Cause(
                len(view.steps), 25, Stage.TRANSACTION if view.logged_in(last) else Stage.AUTH, FAULT,
                f"The server does not list {name} among what it can do, and the client, which needs it, stopped.",
                f"Ask the provider to list {name} in CAPA, or use a program that does without it.",
                evidence(view.steps[asked[-1]]), others((PROGRAM, CONFIG)), Confidence.MEDIUM,
            )  # fmt: skip
            return


def without_a_word(view: View) -> Iterator[Cause]:
    """The client secured the connection, or read an odd answer, and hung up behind its hello."""
    hello = len(view.steps) - 1
    each = view.steps[hello] if view.steps else None
    if each is None or each.verb not in HELLOS or not accepted(each) or not _hung_up(view) or _came_to_look(each):
        return
    upgraded = any(one.verb in UPGRADES and accepted(one) for one in view.steps) and view.secure(hello)
    odd = bool({Flag.ODD_REPLY, Flag.MIXED_CODES} & each.flags)
    if upgraded or odd or each.verb == "LHLO":
        yield Cause(
            len(view.steps), 15, Stage.HELLO, PROGRAM,
            f"The client hung up when {each.verb} was answered, without a word.",
            "Look at the mail program's own log: it may not read this answer, or miss something in it.",
            evidence(each), others((FAULT, CONFIG) if odd else (CONFIG, FAULT)), Confidence.LOW,
        )  # fmt: skip


RULES: Final = (
    Rule("left-for-want", "an early leave, for want of a capability that was not offered", left_early),
    Rule("stopped-for-want", "a client that says which command it misses", stopped),
    Rule("left-at-hello", "a client that hangs up once its hello is answered", without_a_word),
)
