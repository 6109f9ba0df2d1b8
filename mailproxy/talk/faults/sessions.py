"""The faults that are wanted, over all sessions."""

from mailproxy.talk.faults.fault import Fault
from mailproxy.talk.faults.spoiler import Spoiler
from mailproxy.talk.faults.suits import suits
from mailproxy.talk.faults.times import SessionCount, Times


class Faults:
    """Holds the counts; a fault that is wanted twice is one."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        self._times = Times()

    def session(self, protocol: str) -> Spoiler:
        """What spoils a session that begins now, until it is told to `leave`: those that make sense in its protocol.

        Raises KeyError for no protocol.
        """
        fitting = [fault for fault in self.faults if suits(fault, protocol)]
        return Spoiler(protocol, fitting, SessionCount(self._times))
