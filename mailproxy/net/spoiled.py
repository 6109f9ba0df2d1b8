"""A server's end with a spoiler before it: all that passes, passes by the spoiler, and what it wants is done here.

What happens is heard in its order, each thing once all that was wanted before is done. Pauses in a row add up, however
late each of them is over. While one goes on the server is not read. The client is, so that it is seen to leave, until
`ROOM` octets of it wait.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.net.leg import Hold, Leg, Listener
from mailproxy.net.played import PlayedLeg
from mailproxy.talk.faults.fault import TlsSpoil
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass, Tell, Wait
from mailproxy.talk.faults.spoiler import Spoiler
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

ROOM: Final = 1 << 20
_SIDE: Final = Side.SERVER

Event = Callable[[], list[Order]]
Deed = Callable[[], None]


class Spoilt(Listener, Protocol):
    """Whoever hears what the spoiler has left of a server."""

    def injected(self, octets: bytes) -> None:
        """Octets that mailproxy says in the server's place."""

    def noted(self, text: str) -> None:
        """What was done to what passed."""

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """What has become of TLS with a server that stands in."""

    def cut_off(self, how: How, notified: bool | None = None) -> None:
        """mailproxy has ended the connection in the server's place, under TLS with a close_notify or without."""

    def fell(self, failure: Exception) -> None:
        """mailproxy has failed, by an error of ours."""


class SpoiledLeg:
    """Stands before the `inner` leg, which it hears in the conversation's place."""

    def __init__(self, spoiler: Spoiler, nursery: trio.Nursery, listener: Spoilt) -> None:
        self.inner: Leg | PlayedLeg
        self._spoiler = spoiler
        self._nursery = nursery
        self._listener = listener
        self._events: deque[tuple[Event, Deed]] = deque()
        self._orders: deque[Order] = deque()
        self._then: Deed | None = None
        self._still = True  # it has not begun, is about something, or a pause goes on
        self._secure = False
        self._pause: trio.CancelScope | None = None
        self._due: float | None = (
            None  # when the last pause is over, or should have been, if nothing was waited for since
        )
        self._shaking: Deed | None = None  # tells that the connection has ended in the TLS handshake
        self._past = False  # the server has ended its stream: there is nothing left to spoil
        self._cut = False  # the spoiler, or the conversation, has ended the connection
        self._waiting = 0  # octets of the client
        self._crowded = False  # the server takes no more for now
        self._full = False

    @property
    def closed(self) -> bool:
        """Whether the connection is no more."""
        return self._cut or self.inner.closed

    # What the conversation wants.

    def open(self) -> None:
        """Listen to the server; what it says waits until `begin`."""
        self._happen(self._spoiler.connected)
        self.inner.open()

    def begin(self) -> None:
        """Begin, now that it is known that the server has taken the connection."""
        self._still = False
        self._go_on()

    def send(self, octets: bytes) -> None:
        """The client says something."""
        if not self._cut:
            self._waiting += len(octets)
            self._happen(lambda: self._asked(octets))
            self._mind_room()

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
        leg = self.inner
        assert isinstance(leg, Leg)
        self._shaking = lambda: self._ended_early(tls)
        self._happen(_nothing, lambda: leg.secure(tls, early))

    def start_tls(self) -> None:
        """Begin TLS with one that stands in."""
        leg = self.inner
        assert isinstance(leg, PlayedLeg)
        self._shaking = lambda: self._listener.pretended(Insecure("closed before the handshake", by=_SIDE))
        self._happen(_nothing, leg.start_tls)

    def shown(self) -> TlsSpoil:
        """What is to be wrong with TLS with the client, which is about to begin."""
        for order in self._spoiler.shown():
            if isinstance(order, Tell):
                self._listener.noted(order.text)
        return self._spoiler.tls

    # What becomes of the server.

    def received(self, side: Side, octets: bytes) -> None:
        """The server says something."""
        self._happen(lambda: self._spoiler.said(octets))

    def ended(self, side: Side, notified: bool | None) -> None:
        """It has ended its stream. It still listens: what the client says goes on as it is."""
        self._happen(
            lambda: self._last([*self._spoiler.client_ended(), *self._spoiler.ended(notified)]),
            lambda: self._listener.ended(side, notified),
        )

    def broke(self, side: Side, how: How) -> None:
        """Its connection has broken."""
        self._happen(lambda: self._last(self._spoiler.broke(how)), lambda: self._listener.broke(side, how))

    def secured(self, side: Side, tls: Tls) -> None:
        """TLS with it has begun."""
        self._happen(self._spoiler.secured, lambda: self._shaken(True, lambda: self._listener.secured(side, tls)))

    def insecure(self, side: Side, tls: Tls) -> None:
        """TLS with it has failed."""
        self._happen(_nothing, lambda: self._shaken(False, lambda: self._listener.insecure(side, tls)))

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """TLS with one that stands in has begun, or failed."""
        begun = isinstance(found, TlsFacts)
        event = self._spoiler.secured if begun else _nothing
        self._happen(event, lambda: self._shaken(begun, lambda: self._listener.pretended(found)))

    def congested(self, side: Side, congested: bool) -> None:
        """It takes no more for now, or takes more again."""
        self._crowded = congested
        self._mind_room()

    def fell(self, failure: Exception) -> None:
        """It has failed."""
        self._listener.fell(failure)

    # One thing after the other.

    def _happen(self, event: Event, then: Deed | None = None) -> None:
        """Have the spoiler hear an event, do what it wants, and then what follows, all in its turn."""
        if not self._cut:
            self._events.append((event, then or _no_more))
            self._go_on()

    def _go_on(self) -> None:
        if self._still:
            return
        self._still = True
        try:
            while self._step():
                pass
        except Exception as failure:  # a bug of ours ends one session, not all
            self._listener.fell(failure)

    def _step(self) -> bool:
        """Do the next thing; whether another may follow at once."""
        if self._orders:
            return self._do(self._orders.popleft())
        if self._then:
            then, self._then = self._then, None
            then()
        elif self._events:
            event, self._then = self._events.popleft()
            self._orders.extend(event())
        else:
            self._still = False
            self._due = None
        return self._still

    def _do(self, order: Order) -> bool:
        match order:
            case Hand(octets, own):
                if own:
                    self._listener.injected(octets)
                else:
                    self._listener.received(_SIDE, octets)
            case Pass(octets):
                self.inner.send(octets)
            case Tell(text):
                self._listener.noted(text)
            case Wait(seconds):
                self.inner.hold(Hold.FAULT, True)
                self._pause = trio.CancelScope()
                self._due = (trio.current_time() if self._due is None else self._due) + seconds
                self._nursery.start_soon(self._let_pass, self._due, self._pause)
                return False
            case Close(notify):
                self._close(notify)
            case Break(how):
                self._leave()
                self.inner.reset()
                self._listener.cut_off(how)
        return True

    async def _let_pass(self, due: float, pause: trio.CancelScope) -> None:
        with pause:
            await trio.sleep_until(due)
            self.inner.hold(Hold.FAULT, False)
            self._still = False
            self._go_on()

    # Endings.

    def _last(self, orders: list[Order]) -> list[Order]:
        """What the spoiler has left to do. The end itself is the server's own."""
        self._past = True
        return [order for order in orders if not isinstance(order, Close | Break)]

    def _close(self, notify: bool) -> None:
        """End the connection in order, and go on reading the client, so that its end is heard."""
        self._leave()
        self.inner.finish(notify)
        self.inner.close()
        self._mind_room()
        if self._shaking:
            self._shaking()
        else:
            self._listener.cut_off(How.CLOSED, notify if self._secure else None)

    def _leave(self) -> None:
        self._cut = True
        if self._pause:
            self._pause.cancel()
        self._events.clear()
        self._orders.clear()
        self._then = None

    # TLS and room.

    def _shaken(self, begun: bool, tell: Deed) -> None:
        """The handshake is over."""
        self._shaking, self._secure = None, begun
        tell()

    def _ended_early(self, tls: Tls) -> None:
        tls.eof()
        self._listener.insecure(_SIDE, tls)

    def _asked(self, octets: bytes) -> list[Order]:
        self._waiting -= len(octets)
        self._mind_room()
        return [Pass(octets)] if self._past else self._spoiler.asked(octets)

    def _mind_room(self) -> None:
        full = not self._cut and (self._crowded or self._waiting > ROOM)
        if full != self._full:
            self._full = full
            self._listener.congested(_SIDE, full)


def _nothing() -> list[Order]:
    return []


def _no_more() -> None:
    """Nothing follows."""
