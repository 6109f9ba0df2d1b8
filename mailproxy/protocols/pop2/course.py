"""The course of a session of POP2 (RFC 937): what its commands are about."""

from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.course import Course

OF_A_THING: Final = frozenset({"READ", "FOLD"})


def about(exchange: Exchange) -> str:
    """The message, or the mailbox."""
    return exchange.argument if exchange.verb in OF_A_THING else exchange.verb


COURSE: Final = Course(about=about)
