"""The way of one unit past the faults: what changes it, and what happens in its midst."""

from collections.abc import Iterator, Sequence

from mailproxy.talk.faults.fault import Fault, Stream, Unit
from mailproxy.talk.faults.orders import Hand
from mailproxy.talk.faults.streams import Chain


class Passage:
    """Takes the octets of a unit. `changes` are the faults that change it, `inside` those that wait for octets."""

    def __init__(self, unit: Unit, changes: Sequence[tuple[Fault, Stream]] = (), inside: Sequence[Fault] = ()) -> None:
        self.unit = unit
        self._changes = list(changes)
        self._chain = Chain([stream for _, stream in changes]) if changes else None
        self._inside = sorted(inside, key=lambda fault: fault.where.octets)
        self._passed = 0

    def parts(self, octets: bytes) -> Iterator[tuple[bytes, Fault | None]]:
        """The octets, cut where something waits for them, each part with what happens behind it."""
        while self._inside and self._inside[0].where.octets <= self._passed + len(octets):
            fault = self._inside.pop(0)
            length = fault.where.octets - self._passed
            self._passed += length
            yield octets[:length], fault
            octets = octets[length:]
        self._passed += len(octets)
        yield octets, None

    def feed(self, octets: bytes, last: bool) -> list[Hand]:
        """What goes on now."""
        return self._chain.feed(octets, last) if self._chain else [Hand(octets)]

    def let_go(self) -> list[Hand]:
        """What was held, where the unit will have no end."""
        return self._chain.let_go() if self._chain else []

    def at_work(self) -> list[Fault]:
        """Faults that have begun to change it since this was asked last."""
        found = [fault for fault, stream in self._changes if stream.changed]
        self._changes = [(fault, stream) for fault, stream in self._changes if not stream.changed]
        return found
