"""The places that a session comes to: what faults want done there is done, and told."""

from collections.abc import Iterator, Sequence
from typing import Final

from mailproxy.model.injected import Injected
from mailproxy.model.octets import Side
from mailproxy.talk.faults.fault import Fault, Place
from mailproxy.talk.faults.given import Given
from mailproxy.talk.faults.orders import Order, Tell
from mailproxy.talk.faults.times import SessionCount


class Places:
    """Knows the `faults` of one session and when they are due, and gives orders."""

    def __init__(self, faults: Sequence[Fault], session: SessionCount) -> None:
        self.faults: Final = tuple(faults)
        self.session: Final = session
        self._given = Given()
        self._octets = dict.fromkeys(Side, 0)

    @property
    def over(self) -> bool:
        """Whether the connection has ended, so that nothing follows."""
        return self._given.over

    def give(self, *orders: Order) -> None:
        """Have these done next."""
        self._given.give(*orders)

    def taken(self) -> list[Order]:
        """All that is to be done."""
        return self._given.taken()

    def come_to(
        self, place: Place, here: str, number: int = 0, verb: str = "", after: bool = False, side: Side = Side.SERVER
    ) -> None:
        """Do what is to be done at a place; `here` is how it is told."""
        for fault in self.faults:
            where, what = fault.where, fault.what
            here_it_is = where.is_at(place, number, verb, after) and where.side is side and not where.octets
            if here_it_is and (what.deed() or what.pace()) and self.session.due(fault):
                self.do(fault, here)

    def do(self, fault: Fault, here: str) -> None:
        """Do what a fault wants done, unless all is over."""
        if self._given.over:
            return
        self.tell(fault, f"{fault.what.says} {here}")
        deed = () if fault.where.place is Place.ANYWHERE else fault.what.deed()
        self._given.give(*deed)
        if not deed and (pace := fault.what.pace()):
            self._given.slow_down(pace)

    def tell(self, fault: Fault, text: str) -> None:
        """Note what a fault has done."""
        self._given.give(Tell(Injected(text, fault.written).text))

    def parts(self, side: Side, octets: bytes) -> Iterator[bytes]:
        """Octets, cut where faults wait for one of them."""
        spots = {f.where.number for f in self.faults if f.where.place is Place.OCTET and f.where.side is side}
        for spot in sorted(spots):
            length = spot - 1 - self._octets[side]
            if 0 <= length < len(octets):
                yield octets[:length]
                self._octets[side] += length
                octets = octets[length:]
                self.come_to(Place.OCTET, f"before octet {spot} of the {side}", spot, side=side)
        self._octets[side] += len(octets)
        yield octets
