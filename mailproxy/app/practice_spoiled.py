"""The practice servers with faults before them: each connection is held as a recorded one is, and nothing is kept."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import trio

from mailproxy.model.octets import Entry, Side
from mailproxy.model.session import Leg
from mailproxy.model.tls import TlsFacts
from mailproxy.net.listen import Port, Socket
from mailproxy.net.owner import Surroundings
from mailproxy.net.patience import Patience
from mailproxy.net.perform import Conversation
from mailproxy.net.poll import Poller, open_poller
from mailproxy.net.reach import Address
from mailproxy.net.serve import IDLE
from mailproxy.net.serve import Address as Place
from mailproxy.protocols import named
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.practice.conversation import Action, Close, Party
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure

_log = logging.getLogger(__name__)


class Standing:
    """A party in a server's place."""

    def __init__(self, party: Party) -> None:
        self.receive = party.receive
        self.leave = party.leave

    def absent(self) -> None:
        """It is always there."""

    def secure(self) -> Insecure:
        """It knows no TLS."""
        return Insecure("it knows no TLS")

    def ended(self) -> list[Action]:
        """It ends with its client."""
        return [Close()]


class Guest:
    """One connection, of which nothing is kept."""

    def __init__(self, relay: Relay, left: Callable[["Guest"], None]) -> None:
        self._relay = relay
        self._left = left

    def record(self, entries: list[Entry]) -> None:
        """Nothing is recorded."""

    def understood(self) -> None:
        """Forget what was understood."""
        self._relay.dialogue.exchanges = []

    def connected(self, server: Leg) -> None:
        """Nothing is recorded."""

    def secured(self, side: Side, facts: TlsFacts) -> None:
        """Nothing is recorded."""

    def over(self) -> None:
        """The client has left."""
        self._left(self)

    def failed(self, failure: Exception) -> None:
        """Tell of an error of our own, by its kind only: its text may hold what was said."""
        _log.error("A connection ended in an internal error: %s", type(failure).__name__)
        self._left(self)


class House:
    """All servers and their guests."""

    def __init__(self, poller: Poller, nursery: trio.Nursery, faults: Faults) -> None:
        self._poller = poller
        self._surroundings = Surroundings(poller, nursery, Patience())
        self._faults = faults
        self._ports: list[Port] = []
        self._exhausted = False
        self._guests: dict[Guest, Conversation] = {}

    def open(self, protocol: str, make: Callable[[], Party], host: str, number: int) -> Place:
        """Open a server. Raises OSError, with the address as its filename."""
        try:
            port = Port(host, number, self._poller, partial(self._welcome, protocol, make), self._full)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(Place(host, number))) from error
        self._ports.append(port)
        return Place(port.host, port.number)

    def close(self) -> None:
        """Send everybody away."""
        ports, self._ports = self._ports, []
        for port in ports:
            port.close()
        for conversation in list(self._guests.values()):
            conversation.stop()

    def _welcome(self, protocol: str, make: Callable[[], Party], sock: Socket, _: tuple[str, int]) -> None:
        relay = Relay(named(protocol).dialogue())
        guest = Guest(relay, self._left)
        host, port = sock.getsockname()[:2]
        server = Address(host, port, Standing(make()), self._faults.session(protocol), IDLE)
        self._guests[guest] = Conversation(sock, server, relay, guest, self._surroundings, lambda: 0)
        self._guests[guest].start()

    def _left(self, guest: Guest) -> None:
        self._guests.pop(guest, None)
        if self._exhausted:
            self._pause(False)

    def _full(self, _: OSError) -> None:
        """No more can be taken: callers wait until one leaves."""
        self._pause(True)

    def _pause(self, paused: bool) -> None:
        self._exhausted = paused
        for port in self._ports:
            port.pause(paused)


@asynccontextmanager
async def spoiled(
    host: str, ports: Sequence[int], makers: Sequence[tuple[str, Callable[[], Party]]], faults: Faults
) -> AsyncIterator[list[Place]]:
    """The servers, each of a protocol on its port, for as long as the block runs. Raises OSError for a port that is
    taken."""
    async with open_poller() as poller, trio.open_nursery() as nursery:
        house = House(poller, nursery, faults)
        try:
            yield [house.open(protocol, make, host, port) for (protocol, make), port in zip(makers, ports, strict=True)]
        finally:
            house.close()
            nursery.cancel_scope.cancel()
