"""Octets that nobody asked for."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import FaultError, Kind, Place, Sort, Stream, Unit, What
from mailproxy.talk.faults.streams import End
from mailproxy.talk.faults.written import octets


@dataclass(frozen=True, slots=True)
class Behind(What):
    """Octets behind the last of a unit."""

    octets: bytes

    @property
    def says(self) -> str:
        return f"{len(self.octets)} octet{'s' * (len(self.octets) != 1)} put behind the end by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        return None if unit.sort is Sort.REPLY and unit.to_message else End(lambda said: said + self.octets)


def read(text: str) -> What:
    if not (said := octets(text)):
        raise FaultError(r"octets behind: which? write them: octets behind 250 again\r\n")
    return Behind(said)


BEHIND: Final = Kind(
    "octets behind",
    "[at VERB|greeting|content] octets behind TEXT",
    "octets are sent behind the end of a message, in its direction, or behind a reply; `\\r`, `\\n`, `\\xNN` stand for "
    "octets",
    r"octets behind X-Spam: no\r\n",
    frozenset({Place.CONTENT, Place.COMMAND, Place.GREETING}),
    read,
    Place.CONTENT,
)
