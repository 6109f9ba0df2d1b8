"""Lines that end in LF alone."""

from dataclasses import dataclass
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import UNITS, Kind, Stream, Unit, What, nothing


class Bare:
    """CRLF becomes LF; a CR is held until it is known what follows."""

    def __init__(self) -> None:
        self.changed = False
        self._held = b""

    def feed(self, octets: bytes, last: bool) -> bytes:
        octets = self._held + octets
        self._held = b"\r" if octets.endswith(b"\r") and not last else b""
        octets = octets.removesuffix(self._held)
        self.changed = self.changed or b"\r\n" in octets
        return octets.replace(b"\r\n", b"\n")

    def let_go(self) -> bytes:
        held, self._held = self._held, b""
        return held


@dataclass(frozen=True, slots=True)
class BareLf(What):
    """What the server says has no CR."""

    @property
    def says(self) -> str:
        return "CRLF made LF by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Bare() if unit.side is Side.SERVER else None


def read(text: str) -> What:
    nothing(text, "bare LF")
    return BareLf()


BARE_LF: Final = Kind(
    "bare LF", "[at VERB|greeting|content] bare LF",
    "CRLF becomes LF in replies, listings and messages of the server", "at RETR bare LF", UNITS, read,
)  # fmt: skip
