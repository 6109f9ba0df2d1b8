"""Replies without words (RFC 5321 section 4.2 allows them, not every client does)."""

import re
from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import NO_ANSWER, UNITS, Kind, Place, Sort, Stream, Unit, What, Where, nothing
from mailproxy.talk.faults.streams import Whole

REPLY: Final = frozenset({Sort.GREETING, Sort.REPLY})
_CODE: Final = re.compile(rb"(?:(\d{3})-[^\n]*\n)*(\d{3}|\+OK|-ERR|[+\-#=])[^\n]*", re.I)


def bare(reply: bytes) -> bytes:
    """The code of a reply, of its last line where there are several; as it is where it has none."""
    found = _CODE.match(reply)
    return found[2] + b"\r\n" if found else reply


@dataclass(frozen=True, slots=True)
class CodeOnly(What):
    """A code, and nothing behind it."""

    @property
    def says(self) -> str:
        return "text taken away by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Whole(bare) if unit.sort in REPLY else None

    def unsuited(self, protocol: Protocol, where: Where) -> str:
        return NO_ANSWER.format(protocol.name) if where.place is Place.CONTENT and protocol.fetches else ""


def read(text: str) -> What:
    nothing(text, "code only")
    return CodeOnly()


CODE_ONLY: Final = Kind(
    "code only", "[at VERB|greeting|content] code only", "replies without text, in one line",
    "at RCPT code only", UNITS, read,
)  # fmt: skip
