"""How both connections of a session are secured, and what is said of it."""

from typing import Final, NamedTuple

from mailproxy.model.octets import Side
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols.outcome import DISTRUST

ALERT_RECORD: Final = bytes((21, 3, 1, 0, 2, 2))
"""A fatal alert in clear, but for its number (RFC 8446 sections 5.1 and 6)."""


class Ways(NamedTuple):
    """Security of the `client`'s connection and of the `server`'s.

    Where both are NONE and `apart` holds, STARTTLS is taken apart: once the server grants it, both are upgraded.
    Without `apart` TLS passes through. A connection with STARTTLS of its own is upgraded whatever the other one does.
    """

    client: Security = Security.NONE
    server: Security = Security.NONE
    apart: bool = True
    verify: Verify = Verify.MIRROR

    @property
    def client_may_begin(self) -> bool:
        """Whether the client's first octets can be read, and handed on, as they come."""
        return self.client is not Security.TLS and self.server is Security.NONE

    @property
    def bridged(self) -> bool:
        """Whether mailproxy speaks for a peer: upgrades one connection while the other stays as it is."""
        return Security.STARTTLS in (self.client, self.server)


class Insecure(NamedTuple):
    """TLS with a peer has failed: why, with which alert by its number, through whom (None: mailproxy), and what a peer
    that speaks no TLS said in `clear`."""

    reason: str
    alert: int | None = None
    by: Side | None = None
    clear: bytes = b""


def agreed(side: Side, facts: TlsFacts) -> str:
    """What was agreed upon with a peer, as a line of a transcript."""
    said = f"TLS with the {side}: {', '.join(filter(None, [facts.version, facts.cipher])) or 'established'}"
    if side is Side.SERVER and facts.chain:
        return f"{said}, certificate of {facts.chain[0].title}"
    return said


def distrust(facts: TlsFacts) -> str:
    """Why a server's certificate is not trusted, as a line of a transcript."""
    return DISTRUST + (", ".join(facts.faults) or facts.reason)
