"""A dot that was not doubled (RFC 1939 section 3)."""

from dataclasses import dataclass
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import Kind, Place, Sort, Stream, Unit, What, nothing
from mailproxy.talk.faults.streams import Whole

DOT: Final = b".\r\n"


def unstuff(content: bytes) -> bytes:
    """With its first doubled dot single; where there is none, with a line of a dot in its midst."""
    if content.startswith(b".."):
        return content[1:]
    if (at := content.find(b"\r\n..")) >= 0:
        return content[: at + 2] + content[at + 3 :]
    body = content.removesuffix(DOT)
    at = body.find(b"\n", len(body) // 2) + 1
    return content[:at] + DOT + content[at:]


@dataclass(frozen=True, slots=True)
class UnstuffedDot(What):
    """A message that seems to end in its midst."""

    @property
    def says(self) -> str:
        return "dot not doubled by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Whole(unstuff, anyway=True) if (unit.side, unit.sort) == (Side.SERVER, Sort.MESSAGE) else None


def read(text: str) -> What:
    nothing(text, "unstuffed dot")
    return UnstuffedDot()


def fetches(protocol: Protocol) -> bool:
    return protocol.fetches


def dotted(protocol: Protocol) -> bool:
    return protocol.fetches and not protocol.counted


UNSTUFFED_DOT: Final = Kind(
    "unstuffed dot", "[at content] unstuffed dot",
    "the first doubled dot in a message of the server is sent single; where there is none (in the first 64 KiB), a "
    "line of a dot is put in its midst", "at content 2 unstuffed dot",
    frozenset({Place.CONTENT}), read, Place.CONTENT, dotted,
)  # fmt: skip
