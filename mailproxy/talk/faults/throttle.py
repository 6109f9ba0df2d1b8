"""A slow line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailproxy.talk.faults.fault import SPOTS, Kind, Place, What
from mailproxy.talk.faults.orders import Hand, Order, Pass, Wait
from mailproxy.talk.faults.pace import Pace, parted
from mailproxy.talk.faults.written import count

TICKS: Final = 10
"""So many pauses a second, where there are octets enough."""


class Slow:
    """So many octets a second, of both sides together."""

    def __init__(self, rate: int) -> None:
        self._rate = rate

    def go(self, orders: list[Order]) -> Iterator[Order]:
        for order in orders:
            while isinstance(order, Hand | Pass) and order.octets:
                part, order = parted(order, max(self._rate // TICKS, 1))
                yield Wait(len(part.octets) / self._rate)
                yield part
            if not isinstance(order, Hand | Pass):
                yield order


@dataclass(frozen=True, slots=True)
class Throttle(What):
    """A rate in octets a second."""

    rate: int

    @property
    def says(self) -> str:
        return f"{self.rate} octets a second by mailproxy"

    def pace(self) -> Pace | None:
        return Slow(self.rate)


def read(text: str) -> What:
    return Throttle(count(text, "throttle"))


THROTTLE: Final = Kind(
    "throttle", "[at|after WHERE] throttle OCTETS", "so many octets a second, of both sides together, from there on",
    "at content throttle 1200", SPOTS | {Place.ANYWHERE}, read,
)  # fmt: skip
