"""The course of a session of POP2 (RFC 937): what its commands are about."""

from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.course import Course

OF_A_THING: Final = frozenset({"READ", "FOLD"})
KINDS: Final = {"USER": "HELO"}
"""What a client of POP3 begins with, where POP2 has HELO."""


def about(exchange: Exchange) -> str:
    """The message, or the mailbox."""
    return exchange.argument if exchange.verb in OF_A_THING else kind(exchange)


def kind(exchange: Exchange) -> str:
    """USER is meant for HELO."""
    return KINDS.get(exchange.verb, exchange.verb)


COURSE: Final = Course(
    about=about,
    kind=kind,
    messages=frozenset({"RETR"}),
    counted=frozenset({"RETR"}),
    logins=frozenset({"HELO", "USER", "PASS"}),
    leaves=frozenset({"QUIT"}),
)
