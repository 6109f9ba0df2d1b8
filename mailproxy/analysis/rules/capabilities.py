"""What was offered, against what the client wanted: capabilities that were never there."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import HELLOS, UPGRADES, accepted, evidence, said
from mailproxy.analysis.texts import TEXTS, find
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Stage

STOPS: Final = re.compile(r"\b(?:stops?|gives? up|gave up|quits?|leaves|error|disconnect|not supported)", re.I)

REFUSED: Final = re.compile(r"5|-")
OF_THE_PASSWORD: Final = frozenset({"bad-credentials", "login-throttled", "app-password", "basic-login-off"})
WANTED: Final = {row.name: row.summary for row in TEXTS if row.name in {"auth-wanted", "tls-first"}}

MEANT: Final = "access-denied"
BETWEEN_SERVERS: Final = 25
PRIVATE: Final = 1024
"""Ports from here on may be had by anybody: servers for tests, which often know no login, are found there."""
SUBMISSION: Final = frozenset({465, 587})
"""Ports at which a refusal of a client that did not log in means that it must (RFC 6409 section 4.3)."""


def mechanism(view: View) -> Iterator[Cause]:
    """AUTH with a mechanism that was not offered, or where none was."""
    for index in foremost(view):
        each = view.steps[index]
        offered = view.mechanisms(index)
        if each.verb != "AUTH" or offered is None:
            continue
        wanted = each.argument.split(" ")[0].upper()
        before = reversed(view.steps[:index])
        hello = next((one for one in before if one.verb in HELLOS | {"CAPA"} and accepted(one)), each)
        proof = (*evidence(hello), *evidence(each))
        if not offered and view.smtp and hello.verb != "HELO" and _meaning(each, "AUTH") != "tls-first":
            private = view.recording.session.server.port >= PRIVATE
            blame, other = (CONFIG, FAULT) if private else (FAULT, CONFIG)
            yield Cause(
                index, 55, Stage.AUTH, blame, "The server offers no login here, so none can succeed.",
                "Login may be offered only under TLS (set STARTTLS), or on another port (587, 465); else the server "
                "has it switched off: then enter no user name.",
                proof, others((other, POLICY)),
            )  # fmt: skip
        elif offered and wanted not in offered and REFUSED.match(_code(each)) and not _wrong(each):
            ways = ", ".join(sorted(offered - {""})) or "none"
            yield Cause(
                index, 55, Stage.AUTH, PROGRAM, f"The client logs in with {wanted}, which the server does not offer.",
                f"Choose another authentication method; the server offers {ways}.",
                proof, others((CONFIG, FAULT)),
            )  # fmt: skip


def _code(each: Exchange) -> str:
    return each.reply.code if each.reply else ""


def _meaning(each: Exchange, verb: str) -> str:
    """The name of the row that fits a refusal; empty where none does."""
    row = find(verb, _code(each), f"{each.reply.enhanced if each.reply else ''} {said(each)}")
    return row.name if row else ""


def _wrong(each: Exchange) -> bool:
    """Whether the refusal is of the password all the same."""
    return len(each.replies) > 1 and _meaning(each, "AUTH") in OF_THE_PASSWORD


def never_tried(view: View) -> Iterator[Cause]:
    """The server wants a login, and the client sent none."""
    for index in foremost(view):
        each = view.steps[index]
        meaning = _meaning(each, each.verb or "MAIL")
        if (
            meaning == MEANT
            and each.verb not in HELLOS
            and view.recording.session.server.port in SUBMISSION
            and not view.begins_with_gap
        ):
            meaning = "auth-wanted"
        if meaning not in WANTED or view.logged_in(index) or not view.smtp:
            continue
        if any(one.verb == "AUTH" for one in view.steps[: index + 1]):
            continue
        hello = view.hello(index)
        proof = (*(evidence(hello) if hello else ()), *evidence(each))
        if _no_login_there(view, index):
            yield Cause(
                index, 45, view.stage(index), POLICY,
                "The server wants to know who sends, and offers no login at this port.",
                "Send through the provider's submission server (587 or 465) with a login.", proof, others((CONFIG,)),
            )  # fmt: skip
            continue
        yield Cause(
            index, 45, view.stage(index), CONFIG, WANTED[meaning], _how(view, index), proof, others((POLICY, PROGRAM))
        )


def _no_login_there(view: View, index: int) -> bool:
    """Whether a port for mail between servers offers no login, in clear and under TLS."""
    between = view.recording.session.server.port == BETWEEN_SERVERS
    hidden = view.offers(index, "STARTTLS") and not view.secure(index)
    return between and not hidden and view.mechanisms(index) == frozenset()


def _how(view: View, index: int) -> str:
    if view.offers(index, "STARTTLS") and not view.secure(index) and not view.mechanisms(index):
        return "Set the connection security to STARTTLS: login is offered only then; and set an authentication method."
    return "Set an authentication method (password) and a user name for the outgoing server."


def no_upgrade(view: View) -> Iterator[Cause]:
    """STARTTLS was asked for though it was never offered."""
    for index in foremost(view):
        each = view.steps[index]
        if each.verb in UPGRADES and view.offers(index, each.verb) is False:
            yield Cause(
                index, 50, Stage.TLS, CONFIG, f"The client wants {each.verb}, which the server does not offer.",
                "Use SSL/TLS on port 465 or 995, or no security; or ask whether something on the way takes the offer "
                "out.",
                evidence(each), others((FAULT, NETWORK)),
            )  # fmt: skip


RULES: Final = (
    Rule("mechanism-not-offered", "a login with a mechanism that was not offered", mechanism),
    Rule("login-never-tried", "the server wants a login, and the client sent none", never_tried),
    Rule("upgrade-not-offered", "STARTTLS or STLS that was not offered", no_upgrade),
)
