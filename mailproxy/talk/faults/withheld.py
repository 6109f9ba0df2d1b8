"""Commands that do not reach the server: lost, or answered in its place."""

from typing import NamedTuple

from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.turn import Turn
from mailproxy.talk.faults import tells
from mailproxy.talk.faults.ear import Ear
from mailproxy.talk.faults.fault import Fault, Place
from mailproxy.talk.faults.places import Places


class Owed(NamedTuple):
    """A reply that is due in the server's place, by which fault."""

    reply: bytes
    fault: Fault


class Withheld:
    """Takes commands away. What is owed for them is given when their turn has come."""

    def __init__(self, protocol: Protocol, ear: Ear, places: Places) -> None:
        self._protocol = protocol
        self._ear = ear
        self._places = places
        self._owed: dict[int, Owed] = {}
        self._turns: set[int] = set()

    def wanted(self) -> set[bytes]:
        """The verbs of commands that faults wait for."""
        return {verb.encode() for fault in self._places.faults if (verb := self._wanted(fault))}

    def __contains__(self, turn: Turn | None) -> bool:
        """Whether a command was taken away."""
        return turn is not None and turn.number in self._turns

    def take(self, turn: Turn) -> bool:
        """Take a command away if a fault wants that."""
        number = self._ear.number_of(turn)
        fault = next((each for each in self._places.faults if self._takes(each, turn.verb, number)), None)
        if fault is None:
            return False
        self._turns.add(turn.number)
        reply = fault.what.instead(self._protocol)
        if reply is not None:
            self._owed[turn.number] = Owed(reply, fault)
        else:
            self._places.tell(fault, tells.dropped(turn.verb, number))
            self._ear.forget(turn)
        return True

    def answer_message(self, turn: Turn) -> None:
        """A message that has not gone on is answered here, if a fault says how."""
        number = self._ear.messages_of.get(turn.number, 0)
        for fault in self._places.faults:
            reply = fault.what.instead(self._protocol)
            if reply is not None and fault.where.is_at(Place.CONTENT, number) and self._places.session.due(fault):
                self._owed.setdefault(turn.number, Owed(reply, fault))

    def owed(self, turn: Turn) -> bytes | None:
        """The reply that is due now, which is told of; None where the server has to answer."""
        if not (owed := self._owed.pop(turn.number, None)):
            return None
        number = self._ear.number_of(turn)
        self._places.tell(owed.fault, tells.answered(turn.verb, number, owed.reply, bool(turn.replies)))
        return owed.reply

    def forget(self) -> None:
        """Both sides speak anew."""
        self._owed.clear()
        self._turns.clear()

    def _wanted(self, fault: Fault) -> str:
        """The verb of the command that a fault waits for, empty where it waits for none."""
        what, where = fault.what, fault.where
        if where.place is Place.ANYWHERE:
            return self._protocol.dialogue.upgrade if what.upgrades else ""
        acts = what.deed() or what.drops or what.pace() or what.instead(self._protocol) is not None
        return where.verb if acts and not where.after else ""

    def _takes(self, fault: Fault, verb: str, number: int) -> bool:
        if not (fault.what.drops or fault.what.instead(self._protocol) is not None):
            return False
        if fault.where.place is Place.ANYWHERE:
            here = fault.what.upgrades and verb == self._protocol.dialogue.upgrade
        else:
            here = fault.where.is_at(Place.COMMAND, number, verb)
        return here and self._places.session.due(fault)
