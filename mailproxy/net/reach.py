"""The way to a server: it is dialled by its address or by its name, or it stands in and is there already."""

import math
import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.session import Leg as LegFacts
from mailproxy.net.dial import Attempt, Failure, by_name, family
from mailproxy.net.leg import Leg, Listener, at_once
from mailproxy.net.played import Audience, PlayedLeg
from mailproxy.net.poll import Poller
from mailproxy.talk.faults.spoiler import Spoiler
from mailproxy.talk.stand_in import StandIn


class Address(NamedTuple):
    """Where a server is; a `stand_in` is here, and in its place, with `patience` for so many seconds of silence. A
    `spoiler` spoils what passes."""

    host: str
    port: int
    stand_in: StandIn | None = None
    spoiler: Spoiler | None = None
    patience: float = math.inf


class Hears(Listener, Audience, Protocol):
    """Whoever hears a server, wherever it is."""


class Reached(NamedTuple):
    """The server has taken the connection: what makes its leg for whoever listens, and what is known of it."""

    make: Callable[[Hears], Leg | PlayedLeg]
    facts: LegFacts


class Reach:
    """Finds a server, once, and tells the `outcome`, which may be at once. `now` gives microseconds since the session
    began; where TLS comes first (`tls_first`), one that stands in greets under it."""

    __slots__ = ("_address", "_attempt", "_given_up", "_now", "_nursery", "_outcome", "_poller", "_told")

    def __init__(
        self,
        address: Address,
        poller: Poller,
        nursery: trio.Nursery,
        now: Callable[[], int],
        outcome: Callable[[Reached | Failure], None],
    ) -> None:
        self._address = address
        self._poller = poller
        self._nursery = nursery
        self._now = now
        self._outcome = outcome
        self._attempt: Attempt | trio.CancelScope | None = None
        self._told = False
        self._given_up = False

    def start(self, tls_first: bool) -> None:
        """Begin."""
        host, port, stand_in = self._address[:3]
        kind = family(host)
        if stand_in:
            self._stand_in(stand_in, tls_first)
        elif kind is not None:
            attempt = Attempt(host, port, kind, self._poller, self._dialled)
            if not self._told:
                self._attempt = attempt
        else:
            self._attempt = trio.CancelScope()
            self._nursery.start_soon(self._dial, self._attempt)

    def give_up(self) -> None:
        """Want the server no longer."""
        self._given_up = True
        attempt, self._attempt = self._attempt, None
        match attempt:
            case Attempt():
                attempt.abandon()
            case trio.CancelScope():
                attempt.cancel()

    def _stand_in(self, stand_in: StandIn, tls_first: bool) -> None:
        if absent := stand_in.absent():
            self._tell(Failure(*absent))
            return
        host, port = self._address[:2]
        facts = LegFacts(Side.SERVER, host, host, port, connected=self._now())
        nursery, patience = self._nursery, self._address.patience
        self._tell(Reached(lambda listener: PlayedLeg(stand_in, nursery, listener, not tls_first, patience), facts))

    async def _dial(self, scope: trio.CancelScope) -> None:
        with scope:
            await by_name(self._address.host, self._address.port, self._dialled)

    def _dialled(self, found: socket.socket | Failure) -> None:
        if isinstance(found, Failure):
            self._tell(found)
        elif self._given_up:
            found.close()
        else:
            self._connected(found)

    def _connected(self, sock: socket.socket) -> None:
        try:
            peer, own = sock.getpeername(), sock.getsockname()
        except OSError:
            sock.close()
            self._tell(Failure(How.REFUSED))
            return
        at_once(sock)
        facts = LegFacts(Side.SERVER, self._address.host, peer[0], peer[1], own[0], own[1], self._now())
        poller = self._poller
        self._tell(Reached(lambda listener: Leg(Side.SERVER, sock, poller, listener), facts))

    def _tell(self, found: Reached | Failure) -> None:
        self._told = True
        self._attempt = None
        if not self._given_up:
            self._outcome(found)
