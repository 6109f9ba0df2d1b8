"""What is said to a server and heard from it, and what stands of that in the record."""

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Origin, Side
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols import SMTP
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.turn import Move
from mailproxy.talk import actions as orders
from mailproxy.talk.probe import advice
from mailproxy.talk.probe.asked import Asked
from mailproxy.talk.probe.offers import LONGEST, spoken
from mailproxy.talk.probe.stages import Stage, Stages, State, Step, ladder, title
from mailproxy.talk.relay import Relay
from mailproxy.talk.typist import TakeDown
from mailproxy.talk.ways import Ways

MOST: Final = 1 << 20
"""Octets that an answer may have."""


class Send(NamedTuple):
    """Say these octets to the server."""

    octets: bytes


class StartTls(NamedTuple):
    """Begin TLS with the server."""


class Close(NamedTuple):
    """End the connection."""


Action = TakeDown | Send | StartTls | Close


class Asking(ABC):
    """A relay whose client is mailproxy itself. `step` is the stage at hand, `tls` what is known of TLS, once begun."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.protocol: Protocol = asked.protocol or SMTP
        self.over = False
        self.tls: TlsFacts | None = None
        self.implicit = asked.security is Security.TLS
        security = Security.TLS if self.implicit else Security.NONE
        self.relay = Relay(self.protocol.dialogue(), Ways(server=security, verify=Verify.OFF))
        self.progress = Stages()
        self.without_starttls = False
        self.answer = b""  # of the server, since it was spoken to last
        self._opening: bytes | None = None if asked.protocol else b""

    @property
    def step(self) -> Step:
        """What is waited for now."""
        return self.progress.step

    @property
    def stages(self) -> list[Stage]:
        """All stages in their order, those that were not reached among them."""
        steps = ladder(self.protocol, self.implicit, not self.without_starttls, self.asked.login is not None)
        return self.progress.along(steps, self.protocol)

    @abstractmethod
    def answered(self, exchange: Exchange, at: int) -> list[Action]:
        """Hear what an exchange came to."""

    @abstractmethod
    def challenged(self, at: int) -> list[Action]:
        """Hear that the server waits for more of a login."""

    # What is heard.

    @property
    def silent(self) -> bool:
        """Whether the server has not begun to answer."""
        return not (self._opening or self.answer)

    def heard(self, octets: bytes, at: int) -> list[Action]:
        """Hear the server; where nobody knows what it speaks, its first line tells."""
        if self._opening is None:
            return self._hear(octets, at)
        self._opening += octets
        return self.settled(at) if b"\n" in self._opening or len(self._opening) > LONGEST else []

    def settled(self, at: int) -> list[Action]:
        """Decide on the protocol, which cannot wait any longer, and hear what was held back until then."""
        if self._opening is None:
            return []
        octets, self._opening = self._opening, None
        self.adopt(octets)
        return self._hear(octets, at) if octets else []

    def adopt(self, opening: bytes) -> None:
        """Speak what this opening tells of, where nobody has said what is spoken."""
        if self.asked.protocol:
            return
        self.protocol = spoken(opening) or self.protocol
        before, self.relay.dialogue = self.relay.dialogue, self.protocol.dialogue()
        self.relay.dialogue.apart = before.apart
        if self.tls:
            for side in Side:
                self.relay.dialogue.secured(side)

    def _hear(self, octets: bytes, at: int) -> list[Action]:
        self.answer += octets
        heard = self.relay.received(Side.SERVER, octets, at)
        taken = TakeDown(heard.entries, self._understood())
        actions: list[Action] = [taken]
        for exchange in taken.exchanges:
            if not self.over:
                actions += self.answered(exchange, at)
        pending = self.relay.dialogue.pending
        if pending and pending[-1].move is Move.CLIENT and not self.over:
            actions += self.challenged(at)
        if len(self.answer) > MOST and not self.over:
            self.fail(f"more than {MOST} octets, and no end", "that is no answer of a mail server", at)
            actions += self.close(at)
        return actions

    # What is said.

    def say(self, octets: bytes, at: int) -> list[Action]:
        """Say something to the server."""
        self.answer = b""
        heard = self.relay.received(Side.CLIENT, octets, at)
        return [TakeDown(_own(heard.entries), self._understood()), Send(octets)]

    def close(self, at: int) -> list[Action]:
        """Say and hear nothing more."""
        self.over = True
        return [*self.left(at), Close()]

    def left(self, at: int) -> list[Action]:
        """mailproxy goes, whatever was waited for."""
        actions: list[Action] = []
        for side in Side:
            if side not in self.relay.endings:
                actions += self.ordered(self.relay.ended(side, at))
        return actions

    def ordered(self, wanted: list[orders.Action]) -> list[Action]:
        """What the relay orders, as far as it concerns the server: there is no other connection."""
        actions: list[Action] = []
        for order in wanted:
            match order:
                case orders.Record(entries) if entries or self.relay.dialogue.exchanges:
                    actions.append(TakeDown(entries, self._understood()))
                case orders.StartTls(Side.SERVER):
                    actions.append(StartTls())
                case _:
                    pass
        return actions

    # What becomes of the stage at hand.

    def settle(self, state: State, text: str, at: int, hint: str = "") -> None:
        """Say what became of it."""
        self.progress.settle(state, title(self.step, self.protocol), text, hint, at)

    def succeed(self, text: str, at: int) -> None:
        """It was passed."""
        self.settle(State.PASSED, text, at)

    def fail(self, text: str, hint: str, at: int) -> None:
        """It was not."""
        self.settle(State.FAILED, text, at, hint)

    def judge(self, exchange: Exchange, at: int) -> bool:
        """Let the server's reply decide; returns whether it was passed."""
        text, hint = advice.reply(self.protocol, exchange.reply)
        granted = exchange.reply is not None and exchange.reply.positive
        self.settle(State.PASSED if granted else State.FAILED, text, at, "" if granted else hint)
        return granted

    def _understood(self) -> list[Exchange]:
        exchanges, self.relay.dialogue.exchanges = self.relay.dialogue.exchanges, []
        return exchanges


def _own(entries: list[Entry]) -> list[Entry]:
    """What was said in the client's place, as mailproxy's own."""
    return [
        entry._replace(origin=Origin.PROXY) if isinstance(entry, Frame) and entry.side is Side.CLIENT else entry
        for entry in entries
    ]
