"""Clients that speak something else than mail."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, NETWORK, PROGRAM, others
from mailproxy.analysis.view import UPGRADES, View, accepted, evidence
from mailproxy.model.exchange import Flag
from mailproxy.model.finding import Evidence, Outcome, Stage


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
    Rule("not-mail", "HTTP, SSH or a PROXY header at a mail port", another_protocol),
    Rule("tls-at-clear-port", "TLS from the start at a port that speaks in clear", tls_in_clear),
)
