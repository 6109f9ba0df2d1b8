"""The relay: what one peer says goes to the other, octet for octet, and is heard on its way.

It decides and does nothing itself: events come in by method, actions come out, in the order in which they
are to be done. `Record` stands before the `Send` of the same octets, so nothing a peer was handed can be
missing from the record.
"""

from typing import NamedTuple

from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import Ending, How
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Heard


class Record(NamedTuple):
    """Note these entries."""

    entries: list[Entry]


class Send(NamedTuple):
    """Hand octets to the peer `to`."""

    to: Side
    octets: bytes


class Finish(NamedTuple):
    """End the stream towards the peer `to`; what it still says is heard."""

    to: Side


class Reset(NamedTuple):
    """Break the connection with the peer `to` off."""

    to: Side


class Close(NamedTuple):
    """The session is over: close both connections once everything has been handed over."""


Action = Record | Send | Finish | Reset | Close

TROUBLE = {
    How.REFUSED: "connection refused",
    How.TIMED_OUT: "connection timed out",
    How.NO_ROUTE: "no route to host",
    How.NO_NAME: "no such host",
    How.FAILED: "connection failed",
}


class Relay:
    """The party between a client and a server."""

    __slots__ = ("_spoken", "dialogue", "endings", "over")

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.endings: dict[Side, Ending] = {}
        self.over = False
        self._spoken = False  # something was said since the first ending

    def connected(self, name: str, address: str, at: int) -> list[Action]:
        """The server has taken the connection."""
        where = name if name == address else f"{name} ({address})"
        return [Record([Note(Mark.FACT, f"connected to {where}", at)])]

    def failed(self, how: How, reason: str, at: int) -> list[Action]:
        """No connection to the server came about: the client gets a closed connection and no word."""
        text = TROUBLE[how] + (f": {reason}" if reason else "")
        self.endings[Side.SERVER] = Ending(Side.SERVER, how, at)
        return self._conclude([Note(Mark.TROUBLE, text, at)], None, at)

    def received(self, side: Side, octets: bytes, at: int) -> Heard:
        """A peer has said something: entries to record, octets to forward to the other peer, an answer to this one."""
        if self.endings:
            self._spoken = True
        return self.dialogue.feed(side, octets, at)

    def ended(self, side: Side, at: int) -> list[Action]:
        """A peer has ended its stream; it may still listen."""
        heard = self.dialogue.close(side, at)
        entries = heard.entries
        if not self.endings:
            known = side is Side.CLIENT and not self.dialogue.hidden
            without = " without QUIT" if known and not self.dialogue.quit else ""
            entries.append(Note(Mark.TROUBLE, f"closed by the {side}{without}", at))
        elif self._spoken:
            entries.append(Note(Mark.FACT, f"closed by the {side} too", at))
        self.endings[side] = Ending(side, How.CLOSED, at)
        actions: list[Action] = [Record(entries)]
        if heard.forward:
            actions.append(Send(side.other, heard.forward))
        actions.append(Finish(side.other))
        return self._conclude([], None, at, actions) if len(self.endings) == 2 else actions

    def broke(self, side: Side, how: How, at: int) -> list[Action]:
        """The connection with a peer has broken: reset by it, or timed out. The other is broken off likewise."""
        text = f"reset by the {side}" if how is How.RESET else f"timed out waiting for the {side}"
        entries: list[Entry] = self.dialogue.close(side, at).entries
        entries.append(Note(Mark.TROUBLE, text, at))
        self.endings[side] = Ending(side, how, at)
        return self._conclude(entries, side.other, at)

    def stopped(self, at: int) -> list[Action]:
        """mailproxy itself was stopped."""
        return self._conclude([Note(Mark.TROUBLE, "cut off: mailproxy was stopped", at)], None, at)

    def _conclude(
        self, entries: list[Entry], reset: Side | None, at: int, before: list[Action] | None = None
    ) -> list[Action]:
        self.over = True
        entries = [*self.dialogue.finish(at), *entries]
        for side in Side:
            self.endings.setdefault(side, Ending(None, How.CUT, at))
        actions = before or []
        actions.append(Record(entries))
        if reset:
            actions.append(Reset(reset))
        actions.append(Close())
        return actions
