"""The course of a session of POP3 (RFC 1939): what is volatile in it, what its commands are about."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Stage
from mailproxy.protocols.course import COMMON, Course, Octets, volatile

UID: Final = re.compile(r"^(\d+) \S+$")
LISTED: Final = re.compile(rb"^(\d+) (\S+)\r?$", re.M)
OF_A_MESSAGE: Final = frozenset({"RETR", "TOP", "DELE", "LIST", "UIDL"})


def about(exchange: Exchange) -> str:
    """The number of the message."""
    return exchange.argument.split(" ", 1)[0] if exchange.verb in OF_A_MESSAGE else exchange.verb


def line(verb: str, said: str) -> str:
    """A line of a listing; a unique id (RFC 1939 section 7) says nothing of its message."""
    return UID.sub(r"\1 <uid>", said) if verb == "UIDL" else said


def things(exchanges: Sequence[Exchange], octets: Octets) -> Iterator[Mapping[str, str]]:
    """The messages by their unique ids (RFC 1939 section 7), else by the sizes that no two of them share."""
    yield _listed(exchanges, octets, "UIDL")
    sizes = _listed(exchanges, octets, "LIST")
    often = Counter(sizes.values())
    yield {number: size for number, size in sizes.items() if often[size] == 1}


def _listed(exchanges: Sequence[Exchange], octets: Octets, verb: str) -> dict[str, str]:
    lines = (octets(each.content.span) for each in exchanges if each.verb == verb and each.content)
    return {found[1].decode(): found[2].decode("latin-1") for octets in lines for found in LISTED.finditer(octets)}


COURSE: Final = Course(
    volatile=(
        volatile(r"<[^<>\s]+@[^<>\s]*>", "<stamp>"),  # RFC 1939 section 7
        volatile(r"^[A-Za-z0-9+/]{8,}={0,2}$", "<challenge>"),
        *COMMON,
    ),
    line=line,
    about=about,
    offers=frozenset({"CAPA"}),
    numbered=OF_A_MESSAGE,
    things=things,
    messages=frozenset({"RETR", "TOP"}),
    logins=frozenset({"AUTH", "USER", "PASS", "APOP", "RPOP"}),
    upgrades=frozenset({"STLS"}),
    doors=(("STLS", Stage.TLS), ("SASL", Stage.AUTH), ("USER", Stage.AUTH)),
    leaves=frozenset({"QUIT"}),
)
