"""Routes: where mailproxy listens, and which server it stands before."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from mailproxy.model.tls import Security, Verify
from mailproxy.protocols import named, names
from mailproxy.protocols.descriptor import Protocol

if TYPE_CHECKING:
    from mailproxy.talk.stand_in import StandIn

SOCKS: Final = "socks"
"""Stands for the protocol of a route on which clients ask for their server themselves."""
LOOPBACK: Final = "127.0.0.1"
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z0-9+]+)://(?P<place>[^/]*)/?")
_PLACE: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]\s]*))(?::(?P<port>\d{1,5}))?")


class RouteError(Exception):
    """A route that cannot be understood; the message is one line and says what to write."""


class Playing(NamedTuple):
    """Who stands in for a server: whose part it is (`server of 12`), and what makes one for a session by its number."""

    part: str
    make: "Callable[[int], StandIn]"


class Route(NamedTuple):
    """Listen on `listen_host` and `listen_port` (0 is any free one) for what goes to `host` and `port`.

    `asked` tells whether the port to listen on was asked for: a mail program counts on it then. `client` and `server`
    say how the two connections are secured; `verify`, `tls_min` and `apart` (whether TLS is taken apart) hold for this
    route alone, where they are not None. Where `playing` says so, a recorded server stands in for the one at `host`.
    """

    protocol: str
    listen_host: str
    listen_port: int
    host: str
    port: int
    asked: bool = False
    client: Security = Security.NONE
    server: Security = Security.NONE
    verify: Verify | None = None
    tls_min: str | None = None
    apart: bool | None = None
    playing: Playing | None = None

    @property
    def title(self) -> str:
        """What the protocol is for, in words."""
        if self.protocol == SOCKS:
            return "SOCKS v5, any server"
        return named(self.protocol).title

    @property
    def presents(self) -> bool:
        """Whether the mail program may be shown a certificate of mailproxy's."""
        return self.apart is not False and (self.client is not Security.NONE or self.server is Security.NONE)

    @property
    def security(self) -> str:
        """What to choose as connection security in the mail program, in its words."""
        match self.client, self.server:
            case Security.NONE, Security.NONE if self.protocol == SOCKS or named(self.protocol).upgrading:
                return "none, or STARTTLS where it was that"
            case Security.NONE, _:
                return "none"
            case Security.STARTTLS, _:
                return "STARTTLS"
            case _:
                return "SSL/TLS"

    @property
    def upstream(self) -> str:
        """The server as a URL; empty where clients ask for theirs."""
        if self.protocol == SOCKS:
            return ""
        return f"{scheme(self.protocol, self.server)}://{place(self.host, self.port)}"


def settled(route: Route, apart: bool) -> Route:
    """The route with its `apart` decided, which is `apart` where it says nothing.

    Where TLS passes through, the mail program speaks it with the server itself: it is secured as the server is.
    """
    route = route._replace(apart=apart if route.apart is None else route.apart)
    return route if route.apart else route._replace(client=route.server)


def scheme(protocol: str, security: Security) -> str:
    """The scheme of a URL: `smtp`, `smtps`, `smtp+starttls`."""
    return protocol + {Security.NONE: "", Security.STARTTLS: "+starttls", Security.TLS: "s"}[security]


def schemes() -> tuple[str, ...]:
    """All schemes of URLs that can be recorded."""
    return tuple(_schemes())


def socks(listen: str) -> Route:
    """The route of a SOCKS port on `[host:]port`; raises RouteError."""
    host, port = ("", _port(listen, listen)) if listen.isdecimal() else _place(listen, listen)
    if port is None:
        raise RouteError(f"{listen!r} has no port: write PORT or HOST:PORT, as in 1080")
    return Route(SOCKS, host or LOOPBACK, port, "", 0, True)


def known_protocols() -> tuple[str, ...]:
    """The names of the protocols that can be recorded."""
    return names()


def place(host: str, port: int) -> str:
    """Host and port in one word, IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(text: str) -> Route:
    """Read `[LISTEN=]UPSTREAM`; raises RouteError."""
    listen, equals, upstream = text.rpartition("=")
    return make(upstream, listen if equals else "")


def make(upstream: str, listen: str = "") -> Route:
    """A route to the URL `upstream`, listening on `[scheme://][host][:port]`; raises RouteError."""
    protocol, server, host, port = _server(upstream)
    client, listen_host, listen_port = _listen(listen, protocol)
    asked = listen_port is not None
    listens = _listens(protocol, client) if listen_port is None else listen_port
    return Route(protocol.name, listen_host or LOOPBACK, listens, host, port, asked, client, server)


def _schemes() -> dict[str, tuple[Protocol, Security]]:
    found: dict[str, tuple[Protocol, Security]] = {}
    for protocol in map(named, names()):
        found[protocol.name] = protocol, Security.NONE
        if protocol.tls:
            found[scheme(protocol.name, Security.TLS)] = protocol, Security.TLS
        if protocol.starttls:
            found[scheme(protocol.name, Security.STARTTLS)] = protocol, Security.STARTTLS
    return found


def _server(upstream: str) -> tuple[Protocol, Security, str, int]:
    """What is spoken with a server, how it is secured, its host and its port. No error repeats a password."""
    if "@" in upstream:
        raise RouteError("user name and password stay in the mail program: write smtp://mail.example.org")
    url = _URL.fullmatch(upstream)
    found = _schemes().get(url["scheme"].lower()) if url else None
    if not url or not found:
        known = ", ".join(f"{name}://host" for name in _schemes())
        raise RouteError(f"{upstream!r} is no server: write {known}; a port may follow, as in :587")
    protocol, security = found
    host, port = _place(url["place"], upstream)
    if not host:
        raise RouteError(f"{upstream!r} names no host: write {url['scheme']}://mail.example.org")
    if port == 0:
        raise RouteError(f"{upstream!r}: no server has the port 0")
    return protocol, security, host, port or _port_of(protocol, security)


def _port_of(protocol: Protocol, security: Security) -> int:
    match security:
        case Security.TLS if protocol.tls:
            return protocol.tls.server
        case Security.STARTTLS if protocol.starttls:
            return protocol.starttls.server
        case _:
            return protocol.port


def _listens(protocol: Protocol, security: Security) -> int:
    match security:
        case Security.TLS if protocol.tls:
            return protocol.tls.listen
        case Security.STARTTLS if protocol.starttls:
            return protocol.starttls.listen
        case _:
            return protocol.listen


def _listen(listen: str, protocol: Protocol) -> tuple[Security, str, int | None]:
    if url := _URL.fullmatch(listen):
        found = _schemes().get(url["scheme"].lower())
        if not found or found[0] is not protocol:
            known = ", ".join(f"{name}://" for name, (each, _) in _schemes().items() if each is protocol)
            raise RouteError(f"{listen!r}: a listener before {protocol.name} begins with {known}, or with no scheme")
        return found[1], *_place(url["place"], listen)
    if not listen:
        return Security.NONE, "", None
    if listen.isdecimal():
        return Security.NONE, "", _port(listen, listen)
    host, port = _place(listen, listen)
    if port is None:
        raise RouteError(f"{listen!r} has no port: write PORT, HOST:PORT or SCHEME://HOST:PORT before the =")
    return Security.NONE, host, port


def _place(text: str, whole: str) -> tuple[str, int | None]:
    found = _PLACE.fullmatch(text)
    if not found:
        raise RouteError(f"{whole!r} is no host and port: IPv6 addresses stand in brackets, as in [::1]:2525")
    port = _port(found["port"], whole) if found["port"] else None
    return found["six"] or found["host"] or "", port


def _port(text: str, whole: str) -> int:
    port = int(text)
    if port > 65_535:
        raise RouteError(f"{whole!r}: a port is at most 65535")
    return port


def spread(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The routes with each default port used once: a second server of the same protocol gets the next one.

    A port that was asked for stays what it is.
    """
    routes = tuple(routes)
    taken = {(route.listen_host, route.listen_port) for route in routes if route.asked}
    given: list[Route] = []
    for route in routes:
        while not route.asked and (route.listen_host, route.listen_port) in taken:
            route = route._replace(listen_port=route.listen_port + 1)
        taken.add((route.listen_host, route.listen_port))
        given.append(route)
    return tuple(given)


def is_private(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
