"""Clients that speak something else than mail."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, NETWORK, PROGRAM, others
from mailproxy.analysis.step import UPGRADES, accepted, evidence, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Flag
from mailproxy.model.finding import Evidence, Outcome, Stage

OTHERS: Final = (
    ("IMAP", re.compile(r"\* (?:OK|PREAUTH|BYE)\b"), frozenset({"smtp", "lmtp", "pop3", "pop2"})),
    ("POP3", re.compile(r"(?:\+OK|-ERR)\b"), frozenset({"smtp", "lmtp"})),
    ("SMTP", re.compile(r"[25]\d\d[ -]"), frozenset({"pop3", "pop2"})),
    ("HTTP", re.compile(r"HTTP/\d|<!DOCTYPE|<html", re.I), frozenset({"smtp", "lmtp", "pop3", "pop2"})),
    ("SSH", re.compile(r"SSH-\d"), frozenset({"smtp", "lmtp", "pop3", "pop2"})),
)


def another_server(view: View) -> Iterator[Cause]:
    """The server's first line is that of another protocol."""
    first = next((index for index, each in enumerate(view.steps) if each.replies), None)
    each = view.steps[first] if first is not None else None
    if first is None or each is None or not each.reply or view.begins_with_gap:
        return
    line = f"{each.reply.code} {said(each)}".strip()
    for name, pattern, here in OTHERS:
        if pattern.match(line) and view.protocol in here:
            yield Cause(
                first, 75, Stage.GREETING, CONFIG, f"The server speaks {name} at this port.",
                "Check the port and the kind of server in the mail program (SMTP 587 or 465, POP3 995 or 110).",
                evidence(each), others((PROGRAM, NETWORK)), outcome=Outcome.FAILED,
            )  # fmt: skip


def another_protocol(view: View) -> Iterator[Cause]:
    """HTTP, SSH or a PROXY header at a mail port."""
    for index, each in enumerate(view.steps):
        if Flag.NOT_MAIL in each.flags:
            yield Cause(
                index, 75, Stage.HELLO, CONFIG, f"The client speaks no mail: it began with {each.verb}.",
                "Check the port; a PROXY header must be switched on at both ends or at none.", evidence(each),
                others((PROGRAM, NETWORK)), outcome=Outcome.FAILED,
            )  # fmt: skip
            return


def tls_in_clear(view: View) -> Iterator[Cause]:
    """TLS from the first octet, to a server that speaks in clear."""
    hello = next((at for at, note in view.notes if note.text.startswith("TLS passes through: the client offers")), None)
    upgraded = any(each.verb in UPGRADES and accepted(each) for each in view.steps)
    answered = any(note.text.startswith("TLS passes through: the server chose") for _, note in view.notes)
    if hello is not None and not upgraded and not answered:
        yield Cause(
            0, 85, Stage.TLS, CONFIG, "The client begins with TLS, and the server speaks in clear at this port.",
            "Set the connection security to STARTTLS, or use the port for SSL/TLS (465, 995).", (Evidence(note=hello),),
            outcome=Outcome.FAILED,
        )  # fmt: skip


RULES: Final = (
    Rule("another-server", "a server that greets in another protocol", another_server),
    Rule("not-mail", "HTTP, SSH or a PROXY header at a mail port", another_protocol),
    Rule("tls-at-clear-port", "TLS from the start at a port that speaks in clear", tls_in_clear),
)
