"""What a server offers, as it says in its answer to EHLO (RFC 5321 section 4.1.1.1) or CAPA (RFC 2449)."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.model.escape import escape, escape_text
from mailproxy.model.exchange import Reply
from mailproxy.protocols import LMTP, POP2, POP3, SMTP
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.turn import text

LONGEST: Final = 200
"""Characters of a server's that are repeated in one line."""
MANY: Final = 64
_APOP: Final = re.compile(r"<[^<>@\s]+@[^<>\s]*>")
_SASL: Final = re.compile(r"(?:AUTH|SASL)[ \t=]+(.*)", re.I)


class Offers(NamedTuple):
    """The lines of an answer, escaped for screens, and the ways to log in, in upper case."""

    lines: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()

    def has(self, keyword: str) -> bool:
        """Whether a line begins with this keyword."""
        return any(line.split()[:1] == [keyword] for line in map(str.upper, self.lines))


def of_reply(reply: Reply) -> Offers:
    """What the lines of a reply offer, behind the first, which greets."""
    return _offers(reply.text.split("\n")[1:])


def of_listing(answer: bytes, greeting: str) -> Offers:
    """What a listing offers up to its dot; APOP is offered by the greeting (RFC 1939 section 7)."""
    said = [line.rstrip("\r") for line in text(answer).split("\n")[1:]]
    found = _offers(said[: said.index(".")] if "." in said else said)
    return found._replace(mechanisms=(*found.mechanisms, "APOP")) if _APOP.search(greeting) else found


def _offers(lines: list[str]) -> Offers:
    mechanisms = dict.fromkeys(word for line in lines for word in _mechanisms(line))
    shown = tuple(cut(escape_text(line.strip())) for line in lines[:MANY] if line.strip())
    return Offers(shown, tuple(map(escape_text, list(mechanisms)[:MANY])))


def _mechanisms(line: str) -> Iterator[str]:
    """`AUTH=` is what some servers say for programs older than RFC 2554."""
    if found := _SASL.fullmatch(line.strip()):
        yield from found[1].upper().split()
    elif line.strip().upper() == "USER":
        yield "USER"


def spoken(opening: bytes) -> Protocol | None:
    """The protocol that a server's first line is of; None where it is none of them."""
    line = opening.split(b"\n", 1)[0].upper()
    if line[:3].isdigit():
        return LMTP if b"LMTP" in line else SMTP
    if line.startswith((b"+OK", b"-ERR")):
        return POP3
    return POP2 if line.startswith((b"+ ", b"- ")) else None


def told(reply: Reply) -> str:
    """A reply in one line, escaped for screens."""
    return cut(escape_text(f"{reply.code} {reply.text}".replace("\n", " / ").strip()))


def first_line(octets: bytes) -> str:
    """The first line of some octets, escaped for screens."""
    return cut(escape(octets.split(b"\n", 1)[0].rstrip(b"\r")))


def cut(line: str) -> str:
    """A line that is not too long."""
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
