"""A server's end with a spoiler before it: all that passes, passes by the spoiler, and what it wants is done here.

While a pause goes on that a spoiler wants, events wait in their order, and the server is not read.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.net.leg import Hold, Leg, Listener
from mailproxy.net.played import PlayedLeg
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass, Tell, Wait
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

if TYPE_CHECKING:
    from mailproxy.talk.faults.spoiler import Spoiler


Event = Callable[[], list[Order]]


class Spoilt(Listener, Protocol):
    """Whoever hears what the spoiler has left of a server."""

    def injected(self, octets: bytes) -> None:
        """Octets that mailproxy says in the server's place."""

    def noted(self, text: str) -> None:
        """What was done to what passed."""

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """What has become of TLS with a server that stands in."""

    def fell(self, failure: Exception) -> None:
        """mailproxy has failed, by an error of ours."""


class SpoiledLeg:
    """Stands before the `inner` leg, which it hears in the conversation's place."""

    def __init__(self, spoiler: "Spoiler", nursery: trio.Nursery, listener: Spoilt) -> None:
        self.inner: Leg | PlayedLeg
        self._spoiler = spoiler
        self._nursery = nursery
        self._listener = listener
        self._events: deque[tuple[Event | None, Callable[[], None] | None]] = deque()
        self._orders: deque[Order] = deque()
        self._then: Callable[[], None] | None = None
        self._busy = False
        self._pausing = False
        self._secure = False
        self._cut = False  # the spoiler has ended the connection

    @property
    def closed(self) -> bool:
        """Whether the connection is no more."""
        return self._cut or self.inner.closed

    # What the conversation wants.

    def open(self) -> None:
        """Begin."""
        self._happen(self._spoiler.connected)
        self.inner.open()

    def send(self, octets: bytes) -> None:
        """The client says something."""
        self._happen(lambda: self._spoiler.asked(octets))

    def hold(self, why: int, on: bool) -> None:
        """Do not read, or read."""
        self.inner.hold(why, on)

    def finish(self, notify: bool = True) -> None:
        """The client has ended its stream, behind what it said."""
        self._happen(self._spoiler.client_ended, lambda: self.inner.finish(notify))

    def reset(self) -> None:
        """Break off."""
        self._leave()
        self.inner.reset()

    def close(self) -> None:
        """All is over; what waits goes nowhere."""
        self._leave()
        self.inner.close()

    def secure(self, tls: Tls, early: bytes = b"") -> None:
        """Begin TLS with a server that has a connection."""
        if isinstance(self.inner, Leg):
            self.inner.secure(tls, early)

    def start_tls(self) -> None:
        """Begin TLS with one that stands in."""
        if isinstance(self.inner, PlayedLeg):
            self.inner.start_tls()

    # What becomes of the server.

    def received(self, side: Side, octets: bytes) -> None:
        """The server says something."""
        self._happen(lambda: self._spoiler.said(octets))

    def ended(self, side: Side, notified: bool | None) -> None:
        """It has ended its stream."""
        self._happen(lambda: self._spoiler.ended(notified), lambda: self._listener.ended(side, notified))

    def broke(self, side: Side, how: How) -> None:
        """Its connection has broken."""
        self._happen(lambda: self._spoiler.broke(how), lambda: self._listener.broke(side, how))

    def secured(self, side: Side, tls: Tls) -> None:
        """TLS with it has begun."""
        self._secure = True
        self._happen(self._spoiler.secured, lambda: self._listener.secured(side, tls))

    def insecure(self, side: Side, tls: Tls) -> None:
        """TLS with it has failed."""
        self._happen(None, lambda: self._listener.insecure(side, tls))

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """TLS with one that stands in has begun, or failed."""
        begun = self._spoiler.secured if isinstance(found, TlsFacts) else None
        self._happen(begun, lambda: self._listener.pretended(found))

    def congested(self, side: Side, congested: bool) -> None:
        """It takes no more for now."""
        self._listener.congested(side, congested)

    def fell(self, failure: Exception) -> None:
        """It has failed."""
        self._listener.fell(failure)

    # Inside.

    def _happen(self, event: Event | None, then: Callable[[], None] | None = None) -> None:
        """Have the spoiler hear an event, do what it wants, and then what follows."""
        if not self._cut:
            self._events.append((event, then))
            self._go_on()

    def _go_on(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while not self._pausing and self._step():
                pass
        finally:
            self._busy = False

    def _step(self) -> bool:
        """Do the next thing; whether there was one."""
        if self._orders:
            self._do(self._orders.popleft())
        elif self._then:
            then, self._then = self._then, None
            then()
        elif self._events:
            event, self._then = self._events.popleft()
            self._orders.extend(event() if event else [])
        else:
            return False
        return True

    def _do(self, order: Order) -> None:
        match order:
            case Hand(octets, own):
                if own:
                    self._listener.injected(octets)
                else:
                    self._listener.received(Side.SERVER, octets)
            case Pass(octets):
                self.inner.send(octets)
            case Tell(text):
                self._listener.noted(text)
            case Wait(seconds):
                self._pausing = True
                self.inner.hold(Hold.FAULT, True)
                self._nursery.start_soon(self._pause, seconds)
            case Close(notify):
                self._leave()
                self.inner.close()
                self._listener.ended(Side.SERVER, notify if self._secure else None)
            case Break(how):
                self._leave()
                self.inner.reset()
                self._listener.broke(Side.SERVER, how)

    async def _pause(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self._pausing = False
        if self._cut:
            return
        try:
            self.inner.hold(Hold.FAULT, False)
            self._go_on()
        except Exception as failure:  # a bug of ours ends one session, not all
            self._listener.fell(failure)

    def _leave(self) -> None:
        if not self._cut:
            self._cut = True
            self._spoiler.leave()
        self._events.clear()
        self._orders.clear()
        self._then = None
