"""How often something has happened, over all sessions."""

from collections import Counter
from typing import Final

from mailproxy.talk.faults.fault import Fault, Place


class Times:
    """How often sessions have come to the place of a fault; how many sessions there have been, and are."""

    def __init__(self) -> None:
        self.came: Final[Counter[Fault]] = Counter()
        self.sessions = 0
        self.open = 0


class SessionCount:
    """What one session knows of that. `messages` have ended in it."""

    def __init__(self, times: Times | None = None) -> None:
        self.messages = 0
        self._times = times or Times()
        self._times.sessions += 1
        self._times.open += 1
        self._number = self._times.sessions
        self._whole: dict[Fault, bool] = {}
        self._left = False

    def due(self, fault: Fault) -> bool:
        """Whether it happens now that the session has come to its place, which counts as a time."""
        if not self._holds(fault):
            return False
        if fault.where.place is not Place.ANYWHERE:
            return self._turn(fault)
        if fault not in self._whole:
            self._whole[fault] = self._turn(fault)
        return self._whole[fault]

    def leave(self) -> None:
        """The session is over."""
        if not self._left:
            self._left = True
            self._times.open -= 1

    def _holds(self, fault: Fault) -> bool:
        when = fault.when
        return (
            self.messages >= when.messages
            and (not when.connections or self._times.open > when.connections)
            and when.since <= self._number <= (when.until or self._number)
        )

    def _turn(self, fault: Fault) -> bool:
        self._times.came[fault] += 1
        came = self._times.came[fault]
        first, one_in = fault.when.first, fault.when.one_in
        return (not first or came <= first) and (not one_in or came % one_in == 0)
