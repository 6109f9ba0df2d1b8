"""For whom a conversation over sockets is held, and what all conversations share."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import trio

from mailproxy.model.octets import Entry, Side
from mailproxy.model.session import How, Leg
from mailproxy.model.tls import TlsFacts
from mailproxy.net.patience import Patience
from mailproxy.net.poll import Poller

Preface = Callable[[How | None, str, int], bytes]
"""What the client, who asked for this connection, is told of it: how it failed, else from which address it goes."""


class Surroundings(NamedTuple):
    """What all conversations share."""

    poller: Poller
    nursery: trio.Nursery
    patience: Patience


class Owner(Protocol):
    """For whom a conversation is held."""

    def record(self, entries: list[Entry]) -> None:
        """Note what was said; the octets go on once this returns."""

    def understood(self) -> None:
        """The octets have gone on; there is time to look at what they meant."""

    def connected(self, server: Leg) -> None:
        """The server has taken the connection."""

    def secured(self, side: Side, facts: TlsFacts) -> None:
        """TLS on a leg has begun, or has failed: what is known of it."""

    def over(self) -> None:
        """Nothing more will come."""

    def failed(self, failure: Exception) -> None:
        """mailproxy itself has failed in this conversation, which is broken off."""
