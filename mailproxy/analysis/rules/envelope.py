"""Senders and recipients as the client gave them."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import accepted, evidence, said
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import View

SUBMISSION: Final = frozenset({465, 587})
NULL: Final = re.compile(r"FROM:\s*<>", re.I)
LOGGED_IN: Final = re.compile(r"logged in|log ?in (?:is |was )?(?:accepted|granted)|authenticat\w+ (?:ok|succe)", re.I)
"""How a gap tells of a login that is not shown."""
NOT_OWNED: Final = frozenset({"sender-not-owned", "sender-unregistered", "access-denied"})
USER: Final = re.compile(rb"<secret: [^>]*\buser (\S+@[^\s,>]+)")
DOMAIN: Final = re.compile(r"@([^<>@\s]+)")
OF_IT: Final = re.compile(r"sender|from|user|empty|null|address|owner|syntax|argument|path", re.I)


def null_sender(view: View) -> Iterator[Cause]:
    """The empty sender is for notices of servers (RFC 5321 section 4.5.5), and is refused."""
    for index in foremost(view):
        each = view.steps[index]
        if each.verb == "MAIL" and NULL.search(each.argument) and OF_IT.search(said(each)):
            yield Cause(
                index, 50, view.stage(index), CONFIG,
                "The message was sent with an empty sender, which the server does not take here.",
                "Enter the sender's address (envelope sender) in the program.",
                evidence(each), others((PROGRAM, POLICY)),
            )  # fmt: skip


def relay_without_login(view: View) -> Iterator[Cause]:
    """A submission port passes mail on for those who log in (RFC 6409 section 4.3), and so does the sender's own server
    where it offers a login."""
    submission = view.recording.session.server.port in SUBMISSION
    for index in foremost(view):
        each = view.steps[index]
        row = find(each.verb, each.reply.code if each.reply else "", said(each))
        if row is None or row.name != "relay-denied" or view.logged_in(index):
            continue
        offered = view.mechanisms(index) and _at_home(view, index)
        if ((submission and not _no_login(view, index)) or offered) and not any(map(LOGGED_IN.search, view.gaps)):
            yield Cause(
                index, 45, view.stage(index), CONFIG,
                "The server passes mail on only for those who log in, and the client did not.",
                "Set an authentication method (password) and a user name for the outgoing server.",
                evidence(each), others((POLICY,)),
            )  # fmt: skip


def _no_login(view: View, index: int) -> bool:
    """Whether the server offers none, in clear and under TLS."""
    return view.mechanisms(index) == frozenset() and not view.offers(index, "STARTTLS")


def _at_home(view: View, index: int) -> bool:
    """Whether the server, by what it calls itself, is of the sender's domain."""
    hello, sender = view.hello(index), _sender(view, index)
    name = hello.reply.text.split()[0].lower() if hello and hello.reply and hello.reply.text.split() else ""
    return bool(sender) and f".{name}".endswith(f".{sender}")


def sender_elsewhere(view: View) -> Iterator[Cause]:
    """The sender is of another domain than the account which logged in: it was left as the program had it."""
    for index in foremost(view):
        each = view.steps[index]
        row = find("MAIL", each.reply.code if each.reply else "", said(each))
        owner, sender = _account(view, index), _sender(view, index)
        if row is None or row.name not in NOT_OWNED or not owner or not sender or owner == sender:
            continue
        if each.verb == "MAIL" or OF_IT.search(said(each)):
            yield Cause(
                index, 45, view.stage(index), CONFIG, "The sender's address is of another domain than the account.",
                "Enter the address of the account as sender, or register the other one with the provider.",
                evidence(each), others((POLICY,)),
            )  # fmt: skip


def _account(view: View, index: int) -> str:
    """The domain of the account that logged in; empty where that is not known."""
    for each in view.steps[:index]:
        if each.verb == "AUTH" and accepted(each) and each.command:
            spoken = b" ".join(map(view.octets, (each.command, *each.extra)))
            found = USER.search(spoken)
            return found[1].decode("utf-8", "replace").rpartition("@")[2].lower() if found else ""
    return ""


def _sender(view: View, index: int) -> str:
    """The domain of the sender at a step."""
    mail = next((each for each in reversed(view.steps[: index + 1]) if each.verb == "MAIL"), None)
    found = DOMAIN.search(mail.argument) if mail else None
    return found[1].lower() if found else ""


RULES: Final = (
    Rule("null-sender", "an empty sender that is refused", null_sender),
    Rule(
        "relay-without-login",
        "relaying refused at a submission port or by the sender's own server, to a client that did not log in",
        relay_without_login,
    ),
    Rule("sender-elsewhere", "a sender of another domain than the account which logged in", sender_elsewhere),
)
