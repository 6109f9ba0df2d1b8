"""Replies of several lines that are wrong (RFC 5321 section 4.2.1)."""

import re
from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.code_only import REPLY
from mailproxy.talk.faults.fault import UNITS, FaultError, Kind, Stream, Unit, What
from mailproxy.talk.faults.streams import Whole

_LAST: Final = re.compile(rb"(?<![^\n])([1-5])(\d\d)(?: ([^\n]*)|(\r?))\n\Z")


def endless(reply: bytes) -> bytes:
    """With a last line that says that more follows."""
    return _LAST.sub(lambda found: found[1] + found[2] + b"-" + (found[3] or b"\r") + b"\n", reply)


def mixed(reply: bytes) -> bytes:
    """With a last line of another code: of success after failure, or the other way round."""
    found = _LAST.search(reply)
    if not found:
        return reply
    text = found[3] or b"\r"
    other = b"5" if found[1] in b"123" else b"2"
    first = b"" if found.start() else found[1] + found[2] + b"-" + text + b"\n"
    return reply[: found.start()] + first + other + found[2] + b" " + text + b"\n"


@dataclass(frozen=True, slots=True)
class BrokenMultiLine(What):
    """A last line that is none, or that contradicts."""

    codes: bool

    @property
    def says(self) -> str:
        return (
            "codes made to differ by mailproxy"
            if self.codes
            else "last line made to say that more follows by mailproxy"
        )

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Whole(mixed if self.codes else endless) if unit.sort in REPLY else None


def read(text: str) -> What:
    if text.lower() not in {"", "codes"}:
        raise FaultError(f"broken multi-line is followed by nothing or by codes: {text!r}")
    return BrokenMultiLine(bool(text))


def sends(protocol: Protocol) -> bool:
    return not protocol.fetches


BROKEN_MULTI_LINE: Final = Kind(
    "broken multi-line", "[at VERB|greeting|content] broken multi-line [codes]",
    "the last line of a reply carries `-`, so that it never ends; with `codes` its code differs from those before",
    "at EHLO broken multi-line", UNITS, read, fits=sends,
)  # fmt: skip
