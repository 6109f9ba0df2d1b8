"""The server's end of a conversation whose server stands in: it has no socket, and what it does is done in its turn.

What the client says waits until all that the stand-in wanted before is done, its pauses too; and what it says waits
while the client takes no more. Everything is done in a task of its own, so that no call ends up within itself.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.talk.practice.conversation import Action, Close, Reset, Send, Wait
from mailproxy.talk.stand_in import StandIn
from mailproxy.talk.ways import Insecure

_SIDE: Final = Side.SERVER


class Audience(Protocol):
    """Whoever hears a server that stands in."""

    def received(self, side: Side, octets: bytes) -> None:
        """It says something."""

    def ended(self, side: Side, notified: bool | None) -> None:
        """It has ended its stream."""

    def broke(self, side: Side, how: How) -> None:
        """It has broken the connection."""

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """What has become of TLS with it."""

    def fell(self, failure: Exception) -> None:
        """It has failed, by an error of ours."""


class PlayedLeg:
    """What a `net.leg.Leg` is for a server with a socket."""

    def __init__(
        self,
        stand_in: StandIn,
        nursery: trio.Nursery,
        audience: Audience,
        greets: bool = True,
        patience: float = math.inf,
    ) -> None:
        """`greets` is false where TLS comes before the greeting. The connection ends after `patience` seconds in which
        the stand-in hears nothing."""
        self.closed = False
        self._patience = patience
        self._until = math.inf
        self._greets = greets
        self._stand_in = stand_in
        self._nursery = nursery
        self._audience = audience
        self._asked: deque[Callable[[], list[Action]]] = deque()
        self._wanted: deque[Action] = deque()
        self._secure = False
        self._over = False  # it has taken its leave
        self._holds = 0
        self._wake = trio.Event()

    def open(self) -> None:
        """Begin: the stand-in greets, unless TLS comes first."""
        if self._greets:
            self._asked.append(self._stand_in.receive)
        self._nursery.start_soon(self._play)

    def start_tls(self) -> None:
        """Begin TLS, in its turn."""
        self._ask(self._secured)

    def send(self, octets: bytes) -> None:
        """Have the stand-in hear octets of the client."""
        self._ask(lambda: self._stand_in.receive(octets))

    def hold(self, why: int, on: bool) -> None:
        """Let what the stand-in says wait for a reason, or for that reason no longer."""
        self._holds = self._holds | why if on else self._holds & ~why
        self._wake.set()

    def finish(self, notify: bool = True) -> None:
        """Have the stand-in hear that the client has ended its stream."""
        self._ask(self._stand_in.ended)

    def reset(self) -> None:
        """The client has broken off."""
        self.close()

    def close(self) -> None:
        """All is over."""
        if not self.closed:
            self.closed = True
            self._wake.set()
            self._stand_in.leave()

    def _ask(self, event: Callable[[], list[Action]]) -> None:
        if not self._over:
            self._asked.append(event)
            self._wake.set()

    def _secured(self) -> list[Action]:
        found = self._stand_in.secure()
        self._secure = isinstance(found, TlsFacts)
        self._audience.pretended(found)
        return self._stand_in.receive() if self._secure else []

    async def _play(self) -> None:
        try:
            while not self.closed:
                if self._holds or not (self._wanted or self._asked):
                    await self._wait()
                    continue
                if self._wanted:
                    await self._do(self._wanted.popleft())
                else:
                    self._wanted.extend(self._asked.popleft()())
                self._until = trio.current_time() + self._patience
        except Exception as failure:  # a bug of ours ends one session, not all
            self._audience.fell(failure)

    async def _wait(self) -> None:
        """Wait until there is something to do, or for as long as there is patience."""
        self._wake = trio.Event()
        with trio.move_on_at(math.inf if self._wanted else self._until) as waiting:
            await self._wake.wait()
        if waiting.cancelled_caught:
            await self._do(Close())

    async def _do(self, action: Action) -> None:
        match action:
            case Send(octets):
                self._audience.received(_SIDE, octets)
                await trio.lowlevel.checkpoint()
            case Wait(seconds, or_heard):
                with trio.move_on_after(seconds):
                    while not (self.closed or (or_heard and self._asked)):
                        self._wake = trio.Event()
                        await self._wake.wait()
            case Close():
                self._take_leave()
                self._audience.ended(_SIDE, True if self._secure else None)
            case Reset():
                self._take_leave()
                self._audience.broke(_SIDE, How.RESET)

    def _take_leave(self) -> None:
        self._over = True
        self._patience = self._until = math.inf
        self._asked.clear()
        self._wanted.clear()
