"""It takes its time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailproxy.talk.faults.fault import SPOTS, Kind, Place, What
from mailproxy.talk.faults.orders import Hand, Order, Pass, Wait
from mailproxy.talk.faults.pace import Pace
from mailproxy.talk.faults.written import seconds


class Late:
    """All that is said comes so many seconds late."""

    def __init__(self, late: float) -> None:
        self._late = late

    def go(self, orders: list[Order]) -> Iterator[Order]:
        if any(isinstance(order, Hand | Pass) for order in orders):
            yield Wait(self._late)
        yield from orders


@dataclass(frozen=True, slots=True)
class Delay(What):
    """A pause at a place, or before all that is said."""

    seconds: float

    @property
    def says(self) -> str:
        return f"delay of {self.seconds:g} s by mailproxy"

    def deed(self) -> tuple[Order, ...]:
        return (Wait(self.seconds),)

    def pace(self) -> Pace | None:
        return Late(self.seconds)


def read(text: str) -> What:
    return Delay(seconds(text, "delay"))


DELAY: Final = Kind(
    "delay",
    "[at|after WHERE] delay SECONDS",
    "a pause before what stands there goes on (behind it with `after`), in which all else waits too; without a place, "
    "before all that either side says",
    "at EHLO delay 35",
    SPOTS | {Place.ANYWHERE},
    read,
)
