"""What was offered, against what the client wanted: capabilities that were never there."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, POLICY, PROGRAM, others
from mailproxy.analysis.standing import standing
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import HELLOS, LOGINS, UPGRADES, View, accepted, evidence, said
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Confidence, Stage

STOPS: Final = re.compile(r"\b(?:stops?|gives? up|gave up|quits?|leaves|error|disconnect|not supported)", re.I)


def mechanism(view: View) -> Iterator[Cause]:
    """AUTH with a mechanism that was not offered, or where none was."""
    for index in standing(view):
        each = view.steps[index]
        offered = view.mechanisms(index)
        if each.verb != "AUTH" or offered is None:
            continue
        wanted = each.argument.split(" ")[0].upper()
        offers = view.steps[:index]
        hello = next((one for one in reversed(offers) if one.verb in HELLOS | {"CAPA"} and accepted(one)), each)
        if not offered and view.smtp and hello.verb != "HELO":
            yield Cause(
                index, 55, Stage.AUTH, FAULT, "The server offers no login here, so none can succeed.",
                "Login may be offered only under TLS (set STARTTLS), or on another port (587, 465); else the server has it switched off.",
                (*evidence(hello), *evidence(each)), others((CONFIG, POLICY)),
            )  # fmt: skip
        elif (
            offered
            and wanted not in offered
            and re.match(r"50[0-4]|5|-", each.reply.code if each.reply else "")
            and not _wrong(each)
        ):
            yield Cause(
                index, 55, Stage.AUTH, PROGRAM, f"The client logs in with {wanted}, which the server does not offer.",
                f"Choose another authentication method; the server offers {', '.join(sorted(offered - {''})) or 'none'}.",
                (*evidence(hello), *evidence(each)), others((CONFIG, FAULT)),
            )  # fmt: skip


def _wrong(each: Exchange) -> bool:
    """Whether the refusal is of the password all the same."""
    row = find(
        "AUTH", each.reply.code if each.reply else "", f"{each.reply.enhanced if each.reply else ''} {said(each)}"
    )
    return (
        row is not None
        and row.name in {"bad-credentials", "login-throttled", "app-password", "basic-login-off"}
        and len(each.replies) > 1
    )


def never_tried(view: View) -> Iterator[Cause]:
    """The server wants a login, and the client sent none."""
    for index in standing(view):
        each = view.steps[index]
        row = find(
            each.verb or "MAIL",
            each.reply.code if each.reply else "",
            f"{each.reply.enhanced if each.reply else ''} {said(each)}",
        )
        if row is None or row.name not in {"auth-wanted", "tls-first"} or view.logged_in(index) or not view.smtp:
            continue
        if any(one.verb == "AUTH" for one in view.steps[:index]):
            continue
        hello = view.hello(index)
        proof = (*(evidence(hello) if hello else ()), *evidence(each))
        yield Cause(
            index, 45, view.stage(index), CONFIG, row.summary, _how(view, index), proof, others((POLICY, PROGRAM))
        )


def _how(view: View, index: int) -> str:
    if view.offers(index, "STARTTLS") and not view.secure(index) and not view.mechanisms(index):
        return "Set the connection security to STARTTLS: login is offered only then; and set an authentication method."
    return "Set an authentication method (password) and a user name for the outgoing server."


def left_early(view: View) -> Iterator[Cause]:
    """The client read the offer, wanted something that is not there, and left without a word."""
    steps = view.steps
    if any(each.verb not in HELLOS | {"CAPA", "QUIT", "", "NOOP", "RSET"} for each in steps):
        return
    if view.ends_with_gap and view.quit is None and not any(map(STOPS.search, view.gaps)):
        return
    asked = [index for index, each in enumerate(steps) if each.verb in {"EHLO", "CAPA"} and accepted(each)]
    if not asked or any(each.verb in LOGINS | UPGRADES for each in steps) or view.recording.session.server.port == 25:
        return
    index = asked[-1]
    if view.capabilities(index + 1) is None:
        return
    found = _missing_smtp(view, index + 1) if view.smtp else _missing_pop(view, index + 1)
    if found:
        stage, summary, remedy = found
        yield Cause(
            len(steps),
            20,
            stage,
            FAULT,
            summary,
            remedy,
            evidence(steps[index]),
            others((CONFIG, PROGRAM)),
            Confidence.MEDIUM,
        )


def _missing_smtp(view: View, index: int) -> tuple[Stage, str, str] | None:
    secured = view.secure(index - 1)
    if view.mechanisms(index) == frozenset():
        if view.offers(index, "STARTTLS"):
            return None
        return (
            Stage.AUTH,
            "The server offers no login, and the client, which is set to log in, left.",
            (
                "Switch authentication off in the mail program if the server wants none; else use its submission port (587 or 465)."
            ),
        )
    if not secured and view.offers(index, "STARTTLS") is False:
        return (
            Stage.TLS,
            "The server offers no STARTTLS, and the client, which is set to use it, left.",
            ("Use SSL/TLS on port 465, or ask whether something on the way takes the offer out."),
        )
    return None


def _missing_pop(view: View, index: int) -> tuple[Stage, str, str] | None:
    if view.quit is not None:
        return None
    if view.offers(index, "UIDL") is False:
        return (
            Stage.AUTH,
            "The server does not list UIDL among what it can do, and the client, which needs it, left.",
            ("Switch 'leave messages on the server' off, or ask the provider to list UIDL in CAPA."),
        )
    if not view.secure(index - 1) and view.offers(index, "STLS") is False and view.offers(index, "USER") is False:
        return (
            Stage.TLS,
            "The server offers neither STLS nor a login in clear, and the client left.",
            "Use SSL/TLS on port 995.",
        )
    return None


def no_upgrade(view: View) -> Iterator[Cause]:
    """STARTTLS was asked for though it was never offered."""
    for index in standing(view):
        each = view.steps[index]
        if each.verb in UPGRADES and view.offers(index, each.verb) is False:
            yield Cause(
                index, 50, Stage.TLS, CONFIG, f"The client wants {each.verb}, which the server does not offer.",
                "Use SSL/TLS on port 465 or 995, or no security; or ask whether something on the way takes the offer out.",
                evidence(each), others((FAULT, NETWORK)),
            )  # fmt: skip


RULES: Final = (
    Rule("mechanism-not-offered", "a login with a mechanism that was not offered", mechanism),
    Rule("login-never-tried", "the server wants a login, and the client sent none", never_tried),
    Rule("left-for-want", "an early leave, for want of a capability that was not offered", left_early),
    Rule("upgrade-not-offered", "STARTTLS or STLS that was not offered", no_upgrade),
)
