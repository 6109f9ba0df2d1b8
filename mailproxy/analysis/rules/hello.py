"""How the client greeted, and what the server makes of it later."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import HELLOS, UPGRADES, accepted, evidence, said
from mailproxy.analysis.texts import TEXTS, find
from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence

AUTH_TEXT: Final = re.compile(r"auth|log ?in|account|hello|helo|ehlo|credential|session", re.I)
NAME: Final = re.compile(r"[\w.-]*|\[[^\s\]]+\]")
"""What may stand behind EHLO, underscores forgiven (RFC 5321 section 4.1.1.1)."""
ROW: Final = next(row for row in TEXTS if row.name == "hello-name")
UNHEARD: Final = re.compile(r"50[0-4]|530|550")
"""Refusals of what the server thinks was not to come yet."""
NO_NAME: Final = re.compile(r"[\W_]*|\[[^\s\]]+\]")
"""Nothing, or an address in the place of a name (RFC 5321 section 4.1.3): a program puts it there by itself."""
NO_AUTH: Final = re.compile(r"advertis|ehlo|not (?:available|enabled|supported)", re.I)


def name_refused(view: View) -> Iterator[Cause]:
    """The name of the greeting is refused, often as late as at RCPT: a program's own, or a machine's without a name."""
    for index in foremost(view):
        each = view.steps[index]
        row = find(each.verb, each.reply.code if each.reply else "", said(each))
        if (
            each.verb in HELLOS
            and row is not None
            and row.name == "not-understood"
            and not NAME.fullmatch(each.argument)
        ):
            row = ROW
        if row is None or row.name != ROW.name:
            continue
        inside = view.logged_in(index)
        said_so = each.argument.strip() if each.verb in HELLOS else None
        nameless = said_so is not None and NO_NAME.fullmatch(said_so) is not None
        blame, also = (PROGRAM, (POLICY, CONFIG)) if inside or nameless else (CONFIG, (POLICY, PROGRAM))
        greeted = view.hello(index)
        yield Cause(
            index, 50, view.stage(index), blame, row.summary, row.remedy,
            (*([Evidence(greeted.command)] if greeted and greeted.command else []), *evidence(each)), others(also),
        )  # fmt: skip


def not_remembered(view: View) -> Iterator[Cause]:
    """The server asks for a hello that it has taken already."""
    for index in foremost(view):
        each = view.steps[index]
        if (
            each.verb not in HELLOS
            and re.search(r"(?:send|say|need|polite|expected).{0,20}(?:helo|ehlo|hello)", said(each), re.I)
            and (greeted := view.hello(index))
            and not re.search(r"auth", said(each), re.I)
        ):
            yield _under_tls(view, index) or Cause(
                index, 55, view.stage(index), FAULT, "The server asks for a greeting that it has accepted before.",
                "Tell the server's administrator: its HELO handling forgets the greeting.",
                (*evidence(greeted), *evidence(each)), others((PROGRAM,)),
            )  # fmt: skip


def not_again(view: View) -> Iterator[Cause]:
    """AUTH or MAIL is refused under TLS, where no hello was said."""
    for index in foremost(view):
        each = view.steps[index]
        code = each.reply.code if each.reply else ""
        cause = _under_tls(view, index) if view.smtp and not view.gaps and each.verb in {"AUTH", "MAIL"} else None
        if cause and UNHEARD.fullmatch(code):
            yield cause


def _under_tls(view: View, index: int) -> Cause | None:
    """STARTTLS makes the server forget the hello (RFC 3207 section 4.2)."""
    for each in reversed(view.steps[:index]):
        if each.verb in HELLOS and accepted(each):
            return None
        if each.verb in UPGRADES and accepted(each):
            return Cause(
                index, 55, view.stage(index), PROGRAM, "The client did not say EHLO again once TLS had begun.",
                "Update the mail program; what was said before TLS does not count any more (RFC 3207 section 4.2).",
                (*evidence(each), *evidence(view.steps[index])), others((FAULT,)),
            )  # fmt: skip
    return None


def twice(view: View) -> Iterator[Cause]:
    """EHLO again after the login makes some servers forget it."""
    login = view.login
    if login is None or not view.smtp:
        return
    again = next(
        (i for i in range(login + 1, len(view.steps)) if view.steps[i].verb in HELLOS and accepted(view.steps[i])), None
    )
    for index in foremost(view):
        if again is not None and index > again and AUTH_TEXT.search(said(view.steps[index])):
            each = view.steps[index]
            yield Cause(
                index, 60, view.stage(index), PROGRAM,
                "The client said EHLO again after it had logged in, and the server forgot the login.",
                "Update the mail program; a server may take EHLO as a new beginning (RFC 5321 section 4.1.4).",
                (*evidence(view.steps[again]), *evidence(each)), others((FAULT,)),
            )  # fmt: skip


def login_without(view: View) -> Iterator[Cause]:
    """AUTH, or mail that needs one, after HELO: only EHLO tells what the server offers."""
    for index in foremost(view):
        each = view.steps[index]
        greeted = view.hello(index)
        if not view.smtp or greeted is None or greeted.verb != "HELO" or view.logged_in(index):
            continue
        row = find(each.verb or "MAIL", each.reply.code if each.reply else "", said(each))
        wanted = row is not None and row.name in {"auth-wanted", "tls-first"}
        if not wanted and not (each.verb == "AUTH" and NO_AUTH.search(said(each))):
            continue
        yield Cause(
            index, 60, view.stage(index), PROGRAM,
            "The client greets with HELO, so it learns of no login and of no TLS, which this server wants.",
            "Use a program or a setting that says EHLO.", (*evidence(greeted), *evidence(each)),
            others((CONFIG, CREDENTIALS if each.verb == "AUTH" else POLICY)),
        )  # fmt: skip


RULES: Final = (
    Rule("hello-refused", "the name in EHLO is refused, then or later", name_refused),
    Rule("hello-forgotten", "the server asks for a hello it has accepted", not_remembered),
    Rule("hello-not-again", "AUTH or MAIL refused under TLS, where no EHLO was said", not_again),
    Rule("hello-twice", "EHLO after the login makes the server forget the login", twice),
    Rule("hello-old", "HELO where a login or TLS is wanted", login_without),
)
