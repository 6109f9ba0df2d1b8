"""The units at hand, at most one of each side, on their way past the faults."""

from collections.abc import Sequence

from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults import tells
from mailproxy.talk.faults.fault import Fault, Place, Sort, Stream, Unit
from mailproxy.talk.faults.orders import Hand, Pass
from mailproxy.talk.faults.passage import Passage
from mailproxy.talk.faults.places import Places
from mailproxy.talk.faults.streams import Instead


class Units:
    """Takes units, octets by octets, and gives what is left of them."""

    def __init__(self, protocol: Protocol, places: Places) -> None:
        self._protocol = protocol
        self._places = places
        self._passing: dict[Side, Passage] = {}
        self._told: set[Fault] = set()

    def begin(self, unit: Unit) -> None:
        """A unit begins: faults come to it."""
        places = self._places
        if unit.sort is Sort.GREETING:
            places.come_to(Place.GREETING, "before the greeting")
        elif unit.sort is Sort.MESSAGE:
            places.come_to(Place.CONTENT, f"before message {unit.message}", unit.message)
        changes = [(fault, stream) for fault in places.faults if (stream := self._stream(fault, unit))]
        message = unit.sort is Sort.MESSAGE
        inside = [fault for fault in places.faults if message and fault.where.octets and fault.where.covers(unit)]
        self._passing[unit.side] = Passage(unit, changes, [fault for fault in inside if places.session.due(fault)])

    def go_on(self, side: Side, octets: bytes, last: bool, code: str = "") -> None:
        """Octets of the unit of this side; `code` is that of the reply which ends with the `last`."""
        passage = self._passing[side]
        for part, fault in passage.parts(octets):
            self._hand(passage, passage.feed(part, last and fault is None), code)
            if fault:
                self._places.do(fault, f"behind {fault.where.octets} octets of message {passage.unit.message}")

    def end(self, side: Side) -> None:
        """The unit of this side is whole."""
        passage = self._passing.pop(side, None)
        if passage and passage.unit.sort is Sort.MESSAGE:
            number = passage.unit.message
            self._places.session.messages += 1
            self._places.come_to(Place.CONTENT, f"behind message {number}", number, after=True)

    def release(self, side: Side) -> None:
        """The unit of this side will have no end: what was held of it goes on."""
        if passage := self._passing.pop(side, None):
            self._hand(passage, passage.let_go())

    def _stream(self, fault: Fault, unit: Unit) -> Stream | None:
        if fault.where.after or not fault.where.covers(unit):
            return None
        stream = fault.what.stream(unit, self._protocol)
        if stream is None and fault.where.place in {Place.GREETING, Place.CONTENT} and unit.sort is not Sort.MESSAGE:
            reply = fault.what.instead(self._protocol)
            stream = Instead(reply) if reply is not None else None
        return stream if stream and self._places.session.due(fault) else None

    def _hand(self, passage: Passage, hands: Sequence[Hand], code: str = "") -> None:
        said = [hand for hand in hands[:1] if not hand.own]
        self._send(passage.unit.side, said)
        for fault in passage.at_work():
            if fault.where.place is not Place.ANYWHERE or fault not in self._told:
                self._told.add(fault)
                self._places.tell(fault, tells.spoiled(fault, passage.unit, fault.what.instead(self._protocol), code))
        self._send(passage.unit.side, hands[len(said) :])

    def _send(self, side: Side, hands: Sequence[Hand]) -> None:
        self._places.give(*(Pass(hand.octets) if side is Side.CLIENT else hand for hand in hands))
