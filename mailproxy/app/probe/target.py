"""Which servers are meant: by a URL, by host and port, or by a host whose usual ports are all asked."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mailproxy.app.by_hand import SIX, TARGET
from mailproxy.app.routes import RouteError, make, place, scheme
from mailproxy.model.tls import Security
from mailproxy.protocols import PROTOCOLS
from mailproxy.protocols.descriptor import Protocol

USUAL: Final = (465, 587, 25, 995, 110)
"""Ports of submission (RFC 8314, RFC 6409), of SMTP, and of POP3 with TLS from the start and without."""


class Target(NamedTuple):
    """A server. `protocol` and `security` are None where neither a scheme nor the port tells them; `usual` says that
    the port was not asked for, but is one of those that are usual."""

    host: str
    port: int
    protocol: Protocol | None = None
    security: Security | None = None
    usual: bool = False

    def __str__(self) -> str:
        where = place(self.host, self.port)
        if self.protocol is None or self.security is None:
            return where
        return f"{scheme(self.protocol.name, self.security)}://{where}"


def targets(said: Sequence[str]) -> tuple[Target, ...]:
    """The servers that HOST, HOST:PORT, [ADDRESS]:PORT and URLs mean, each once. Raises RouteError."""
    return tuple(dict.fromkeys(each for text in said for each in _targets(text)))


def _targets(text: str) -> list[Target]:
    if "://" in text:
        route = make(text)
        [protocol] = [each for each in PROTOCOLS if each.name == route.protocol]
        return [Target(route.host, route.port, protocol, route.server)]
    found = TARGET.fullmatch(text)
    if "@" in text or "/" in text or not (found or SIX.fullmatch(text)):
        raise RouteError(f"{text!r} is no server: write HOST, HOST:PORT or a URL as in smtps://mail.example.org")
    host = (found["literal"] or found["host"]) if found else text
    written = (found["port"] or found["number"]) if found else None
    if written is None:
        return [Target(host, port, *_known()[port], usual=True) for port in USUAL]
    port = int(written[:6])
    if not 0 < port < 65_536:
        raise RouteError(f"{text!r}: a port is between 1 and 65535")
    return [Target(host, port, *_known().get(port, (None, None)))]


def _known() -> dict[int, tuple[Protocol, Security]]:
    """What is spoken at which port, and how it is secured there."""
    found: dict[int, tuple[Protocol, Security]] = {}
    for protocol in PROTOCOLS:
        if protocol.tls:
            found[protocol.tls.server] = protocol, Security.TLS
        if protocol.starttls:
            found[protocol.starttls.server] = protocol, Security.STARTTLS
        found[protocol.port] = protocol, Security.NONE
    return found
