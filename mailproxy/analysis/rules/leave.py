"""Clients that read what the server offers, and leave for want of something."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, PROGRAM, others
from mailproxy.analysis.step import HELLOS, accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Confidence, Stage

STOPS: Final = re.compile(r"\b(?:stops?|gives? up|gave up|quits?|leaves|error|disconnect|not supported)", re.I)
LOGIN: Final = re.compile(r"\bauth|log ?in", re.I)
IDLE: Final = HELLOS | {"CAPA", "QUIT", "", "NOOP", "RSET"}
BETWEEN_SERVERS: Final = 25  # the port on which no login is wanted


PROBES: Final = re.compile(r"health|check|probe|monitor|test|nagios|zabbix|haproxy|scan", re.I)


class Want(NamedTuple):
    """What a client missed: at which stage, one sentence, what to do."""

    stage: Stage
    summary: str
    remedy: str


NO_LOGIN: Final = Want(
    Stage.AUTH, "The server offers no login, and the client, which is set to log in, left.",
    "Switch authentication off in the mail program if the server wants none; else use its submission port (587 or "
    "465).",
)  # fmt: skip
NO_STARTTLS: Final = Want(
    Stage.TLS, "The server offers no STARTTLS, and the client, which is set to use it, left.",
    "Use SSL/TLS on port 465, or ask whether something on the way takes the offer out.",
)  # fmt: skip
NO_UIDL: Final = Want(
    Stage.AUTH, "The server does not list UIDL among what it can do, and the client, which needs it, left.",
    "Switch 'leave messages on the server' off, or ask the provider to list UIDL in CAPA.",
)  # fmt: skip
NO_STLS: Final = Want(
    Stage.TLS, "The server offers neither STLS nor a login in clear, and the client left.", "Use SSL/TLS on port 995."
)  # fmt: skip


def left_early(view: View) -> Iterator[Cause]:
    """The client read the offer, wanted something that is not there, and left without a word."""
    asked = [index for index, each in enumerate(view.steps) if each.verb in {"EHLO", "CAPA"} and accepted(each)]
    if not asked or not _left(view) or view.capabilities(asked[-1] + 1) is None:
        return
    want = _missing_smtp(view, asked[-1]) if view.smtp else _missing_pop(view, asked[-1])
    if want:
        yield Cause(
            len(view.steps), 20, want.stage, FAULT, want.summary, want.remedy, evidence(view.steps[asked[-1]]),
            others((CONFIG, PROGRAM)), Confidence.MEDIUM,
        )  # fmt: skip


def _left(view: View) -> bool:
    """Whether the client did nothing but look, as far as is known."""
    stops = any(map(STOPS.search, view.gaps))
    between_servers = view.recording.session.server.port == BETWEEN_SERVERS and not stops
    if between_servers or any(each.verb not in IDLE for each in view.steps):
        return False
    if any(_content(each) for each in view.steps):
        return False
    return not view.ends_with_gap or view.quit is not None or stops


def _content(each: Exchange) -> bool:
    """Whether a client shows that it came to look: it keeps the connection alive, or says so in its name."""
    return each.verb == "NOOP" or (each.verb in HELLOS and PROBES.search(each.argument) is not None)


def _missing_smtp(view: View, index: int) -> Want | None:
    if view.mechanisms(index + 1) == frozenset():
        told = any(STOPS.search(gap) and LOGIN.search(gap) for gap in view.gaps)
        return NO_LOGIN if told or not view.offers(index + 1, "STARTTLS") else None
    if not view.secure(index) and view.offers(index + 1, "STARTTLS") is False:
        return NO_STARTTLS
    return None


def _missing_pop(view: View, index: int) -> Want | None:
    if view.quit is not None:
        return None
    if view.offers(index + 1, "UIDL") is False:
        return NO_UIDL
    clear = view.offers(index + 1, "STLS") is False and view.offers(index + 1, "USER") is False
    return NO_STLS if clear and not view.secure(index) else None


RULES: Final = (Rule("left-for-want", "an early leave, for want of a capability that was not offered", left_early),)
