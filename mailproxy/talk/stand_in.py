"""A server that stands in for one at the other end of a connection: here, and with no connection at all."""

from typing import NamedTuple, Protocol

from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.talk.practice.conversation import Action
from mailproxy.talk.ways import Insecure


class Absent(NamedTuple):
    """Nobody is there: how a connection fails, and why in words."""

    how: How
    reason: str = ""


class StandIn(Protocol):
    """One connection's server. It knows neither sockets nor clocks and raises on nothing that it is fed.

    The actions are to be done in their order; Close or Reset is the last of all.
    """

    def absent(self) -> Absent | None:
        """How no connection comes about; None where one does."""

    def receive(self, octets: bytes = b"") -> list[Action]:
        """What to do now that these octets have come. The first call, with none, earns the greeting."""

    def secure(self) -> TlsFacts | Insecure:
        """Begin TLS: what is known of it, or how it fails. What comes from now on is in clear again for the server."""

    def ended(self) -> list[Action]:
        """What to do now that the client has ended its stream."""

    def leave(self) -> None:
        """The client is gone: give back what was held for it."""
