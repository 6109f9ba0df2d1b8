"""A capability that the server names and does not have."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults import capabilities
from mailproxy.talk.faults.fault import SESSION, FaultError, Kind, Place, Stream, Unit, What, Where
from mailproxy.talk.faults.hide import upgrades


@dataclass(frozen=True, slots=True)
class Add(What):
    """A line behind all others."""

    capability: str

    @property
    def says(self) -> str:
        return f"{self.capability} added by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return capabilities.stream(unit, protocol, lambda lines: [*lines, self.capability.encode()])

    def unsuited(self, protocol: Protocol, where: Where) -> str:
        return capabilities.unsuited(protocol, where)


def read(text: str) -> What:
    if not text:
        raise FaultError("add what? write the capability: add AUTH CRAM-MD5")
    return Add(text)


ADD: Final = Kind(
    "add", "[at VERB] add CAPABILITY", "a capability is added to answers to EHLO, LHLO or CAPA", "add AUTH CRAM-MD5",
    SESSION | {Place.COMMAND}, read, fits=upgrades,
)  # fmt: skip
