"""What is said goes nowhere."""

from dataclasses import dataclass
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import Kind, Place, Sort, Stream, Unit, What, nothing
from mailproxy.talk.faults.streams import Instead


@dataclass(frozen=True, slots=True)
class Drop(What):
    """A command, a greeting or a message is lost."""

    @property
    def says(self) -> str:
        return "all octets dropped by mailproxy"

    @property
    def drops(self) -> bool:
        return True

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Instead() if unit.sort in {Sort.GREETING, Sort.MESSAGE} else None


@dataclass(frozen=True, slots=True)
class DropReply(What):
    """What the server replies is lost, with the listing or the message that follows."""

    @property
    def says(self) -> str:
        return "all octets dropped by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return Instead() if unit.side is Side.SERVER else None


def read(text: str) -> What:
    nothing(text, "drop")
    return Drop()


def read_reply(text: str) -> What:
    nothing(text, "drop reply")
    return DropReply()


DROP: Final = Kind(
    "drop", "at VERB|greeting|content drop", "what is said there goes nowhere, and nobody answers it", "at QUIT drop",
    frozenset({Place.COMMAND, Place.GREETING, Place.CONTENT}), read,
)  # fmt: skip
DROP_REPLY: Final = Kind(
    "drop reply",
    "at VERB|content drop reply",
    "the server is asked, its reply goes nowhere",
    "at content drop reply first 1",
    frozenset({Place.COMMAND, Place.CONTENT}),
    read_reply,
)
