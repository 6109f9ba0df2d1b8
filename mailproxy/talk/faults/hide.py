"""A capability that the server has and does not name."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults import capabilities
from mailproxy.talk.faults.fault import SESSION, FaultError, Kind, Place, Stream, Unit, What, Where


@dataclass(frozen=True, slots=True)
class Hide(What):
    """Lines that name it are left out."""

    capability: str

    @property
    def says(self) -> str:
        return f"{self.capability} hidden by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        word = self.capability.encode()
        return capabilities.stream(
            unit, protocol, lambda lines: [line for line in lines if not capabilities.names(line, word)]
        )

    def unsuited(self, protocol: Protocol, where: Where) -> str:
        return capabilities.unsuited(protocol, where)


def read(text: str) -> What:
    if not text:
        raise FaultError("hide what? write the capability: hide PIPELINING")
    return Hide(text)


def upgrades(protocol: Protocol) -> bool:
    return protocol.upgrading is not None


HIDE: Final = Kind(
    "hide", "[at VERB] hide CAPABILITY", "a capability is left out of answers to EHLO, LHLO or CAPA", "hide PIPELINING",
    SESSION | {Place.COMMAND}, read, fits=upgrades,
)  # fmt: skip
