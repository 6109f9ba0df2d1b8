"""Small pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from mailproxy.talk.faults.fault import SPOTS, Kind, Place, What
from mailproxy.talk.faults.orders import Hand, Order, Pass
from mailproxy.talk.faults.pace import Pace, parted
from mailproxy.talk.faults.written import count


class Slices:
    """Octets go on in pieces of these sizes, round and round, either way; what is left of one read is a piece."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = {way: cycle(sizes) for way in (Hand, Pass)}

    def go(self, orders: list[Order]) -> Iterator[Order]:
        for order in orders:
            while isinstance(order, Hand | Pass) and order.octets:
                part, order = parted(order, next(self._sizes[type(order)]))
                yield part
            if not isinstance(order, Hand | Pass):
                yield order


@dataclass(frozen=True, slots=True)
class Slice(What):
    """Sizes of pieces in octets."""

    sizes: tuple[int, ...]

    @property
    def says(self) -> str:
        return f"slices of {', '.join(map(str, self.sizes))} octets by mailproxy"

    def pace(self) -> Pace | None:
        return Slices(self.sizes)


def read(text: str) -> What:
    return Slice(tuple(count(size.strip(), "slice") for size in text.split(",")))


SLICE: Final = Kind(
    "slice", "[at|after WHERE] slice SIZE[,SIZE…]",
    "octets go on in pieces of these sizes, round and round, from there on", "slice 1,7,1000",
    SPOTS | {Place.ANYWHERE}, read,
)  # fmt: skip
