"""The course of a session of POP3 (RFC 1939): what is volatile in it, what its commands are about."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.course import COMMON, Course, volatile

UID: Final = re.compile(r"^(\d+) \S+$")
OF_A_MESSAGE: Final = frozenset({"RETR", "TOP", "DELE", "LIST", "UIDL"})


def about(exchange: Exchange) -> str:
    """The number of the message."""
    return exchange.argument.split(" ", 1)[0] if exchange.verb in OF_A_MESSAGE else exchange.verb


def line(verb: str, said: str) -> str:
    """A line of a listing; a unique id (RFC 1939 section 7) says nothing of its message."""
    return UID.sub(r"\1 <uid>", said) if verb == "UIDL" else said


COURSE: Final = Course(
    volatile=(
        volatile(r"<[^<>\s]+@[^<>\s]*>", "<stamp>"),  # RFC 1939 section 7
        volatile(r"^[A-Za-z0-9+/]{8,}={0,2}$", "<challenge>"),
        *COMMON,
    ),
    line=line,
    about=about,
    offers=frozenset({"CAPA"}),
)
