"""The end of a message that never quite comes."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import Kind, Place, Sort, Stream, Unit, What, nothing
from mailproxy.talk.faults.streams import End


@dataclass(frozen=True, slots=True)
class NoLastLf(What):
    """The terminator is torn off before its last octet."""

    @property
    def says(self) -> str:
        return "last LF dropped by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return End(lambda octets: octets.removesuffix(b"\n")) if unit.sort in {Sort.MESSAGE, Sort.LISTING} else None


def read(text: str) -> What:
    nothing(text, "no last LF")
    return NoLastLf()


NO_LAST_LF: Final = Kind(
    "no last LF", "[at content|VERB] no last LF",
    "the last LF of a message, of either side, or of a listing is lost, so that its end never comes", "no last LF",
    frozenset({Place.CONTENT, Place.COMMAND}), read, Place.CONTENT,
)  # fmt: skip
