"""What to enter in a mail program, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailproxy.app.routes import LOOPBACK
from mailproxy.app.setup.server import SMTP, Server
from mailproxy.app.setup.toml import Written
from mailproxy.model.tls import Security

WORDS: Final = {Security.NONE: "none", Security.STARTTLS: "STARTTLS", Security.TLS: "SSL/TLS"}
"""How mail programs call it."""
_REACHED: Final = {"0.0.0.0": LOOPBACK, "::": "::1"}
"""Where this computer reaches what listens on all addresses."""


@dataclass(frozen=True, slots=True)
class Entry:
    """In the place of a server: mailproxy's host and port, and the connection security."""

    server: Server
    host: str
    port: int
    security: Security

    @property
    def sends(self) -> bool:
        """Whether mail goes out here."""
        return self.server.protocol == SMTP

    @property
    def user(self) -> str:
        """The name to log in with, or a word in its place."""
        return self.server.user or "YOUR_USER_NAME"


@dataclass(frozen=True, slots=True)
class Ways:
    """What to enter: in clear, or secured as before, which is empty where that is the same."""

    simple: tuple[Entry, ...] = ()
    faithful: tuple[Entry, ...] = ()


def ways(routes: Sequence[Written]) -> Ways:
    """Both ways for the routes of an account."""
    simple = tuple(_entry(route) for route in routes if route.security is Security.NONE)
    faithful = tuple(_entry(route) for route in routes if route.security is route.server.security)
    return Ways(simple, () if faithful == simple else faithful)


def _entry(route: Written) -> Entry:
    return Entry(route.server, _REACHED.get(route.host, route.host), route.port, route.security)
