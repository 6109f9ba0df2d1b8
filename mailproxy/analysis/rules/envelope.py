"""Senders and recipients as the client gave them."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, POLICY, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import evidence, said
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import View

SUBMISSION: Final = frozenset({465, 587})
NULL: Final = re.compile(r"FROM:\s*<>", re.I)
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
    """A submission port passes mail on for those who log in (RFC 6409 section 4.3)."""
    if view.recording.session.server.port not in SUBMISSION:
        return
    for index in foremost(view):
        each = view.steps[index]
        row = find(each.verb, each.reply.code if each.reply else "", said(each))
        if row and row.name == "relay-denied" and not view.logged_in(index):
            yield Cause(
                index, 45, view.stage(index), CONFIG,
                "The server passes mail on only for those who log in, and the client did not.",
                "Set an authentication method (password) and a user name for the outgoing server.",
                evidence(each), others((POLICY,)),
            )  # fmt: skip


RULES: Final = (
    Rule("null-sender", "an empty sender that is refused", null_sender),
    Rule(
        "relay-without-login",
        "relaying refused at a submission port, to a client that did not log in",
        relay_without_login,
    ),
)
