"""Small pieces. Each is a write of its own; only a pause between them lets the peer read them one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from mailproxy.talk.faults.fault import SPOTS, Kind, Place, What
from mailproxy.talk.faults.orders import Hand, Order, Pass, Wait
from mailproxy.talk.faults.pace import Pace, parted
from mailproxy.talk.faults.written import count, seconds


class Slices:
    """Octets go on in pieces of these sizes, round and round, either way; what is left of one read is a piece. A pause
    of so many seconds stands before each, if there is to be one."""

    def __init__(self, sizes: tuple[int, ...], pause: float = 0) -> None:
        self._pause = pause
        self._sizes = {way: cycle(sizes) for way in (Hand, Pass)}

    def go(self, orders: list[Order]) -> Iterator[Order]:
        for order in orders:
            while isinstance(order, Hand | Pass) and order.octets:
                part, order = parted(order, next(self._sizes[type(order)]))
                if self._pause:
                    yield Wait(self._pause)
                yield part
            if not isinstance(order, Hand | Pass):
                yield order


@dataclass(frozen=True, slots=True)
class Slice(What):
    """Sizes of pieces in octets, and the seconds between them."""

    sizes: tuple[int, ...]
    pause: float = 0

    @property
    def says(self) -> str:
        every = f" every {self.pause:g} s" if self.pause else ""
        return f"slices of {', '.join(map(str, self.sizes))} octets{every} by mailproxy"

    def pace(self) -> Pace | None:
        return Slices(self.sizes, self.pause)


def read(text: str) -> What:
    sizes, *pause = re.split(r"\s+every\b", text, maxsplit=1, flags=re.I)
    return Slice(
        tuple(count(size.strip(), "slice") for size in sizes.split(",")),
        seconds(pause[0].strip(), "slice 1 every") if pause else 0,
    )


SLICE: Final = Kind(
    "slice", "[at|after WHERE] slice SIZE[,SIZE…] [every SECONDS]",
    "octets go on in pieces of these sizes, round and round, from there on. Each is sent by itself, but one that reads "
    "late may find several at once; with `every` it has so much time to read each.", "slice 1,7 every 0.02",
    SPOTS | {Place.ANYWHERE}, read,
)  # fmt: skip
