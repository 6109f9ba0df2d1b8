"""Routes: where mailproxy listens, and which server it stands before."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from mailproxy.protocols import named, names
from mailproxy.protocols.descriptor import Protocol

TLS_SCHEMES: Final = frozenset({"smtps", "pop3s", "smtp+starttls", "pop3+starttls"})
LOOPBACK: Final = "127.0.0.1"
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z0-9+]+)://(?P<place>[^/]*)/?")
_PLACE: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]\s]*))(?::(?P<port>\d{1,5}))?")


class RouteError(Exception):
    """A route that cannot be understood; the message is one line and says what to write."""


class Route(NamedTuple):
    """Listen on `listen_host` and `listen_port` (0 is any free one) for what goes to `host` and `port`.

    `asked` tells whether the port to listen on was asked for: a mail program counts on it then.
    """

    protocol: str
    listen_host: str
    listen_port: int
    host: str
    port: int
    asked: bool = False

    @property
    def title(self) -> str:
        """What the protocol is for, in words."""
        return named(self.protocol).title

    @property
    def upstream(self) -> str:
        """The server as a URL."""
        return f"{self.protocol}://{place(self.host, self.port)}"


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
    """A route to the URL `upstream`, listening on `[host:]port`; raises RouteError."""
    protocol, host, port = _server(upstream)
    listen_host, listen_port = _listen(listen)
    asked = listen_port is not None
    listens = protocol.listen if listen_port is None else listen_port
    return Route(protocol.name, listen_host or LOOPBACK, listens, host, port, asked)


def _server(upstream: str) -> tuple[Protocol, str, int]:
    """What is spoken with a server, its host and its port. No error repeats a password."""
    if "@" in upstream:
        raise RouteError("user name and password stay in the mail program: write smtp://mail.example.org")
    url = _URL.fullmatch(upstream)
    scheme = url["scheme"].lower() if url else ""
    if scheme in TLS_SCHEMES:
        raise RouteError(
            f"{upstream!r}: mailproxy speaks no TLS of its own yet; write smtp:// or pop3:// and a clear port"
        )
    if not url or scheme not in names():
        known = ", ".join(f"{name}://host" for name in names())
        raise RouteError(f"{upstream!r} is no server: write {known}; a port may follow, as in :587")
    protocol = named(scheme)
    host, port = _place(url["place"], upstream)
    if not host:
        raise RouteError(f"{upstream!r} names no host: write {protocol.name}://mail.example.org")
    if port == 0:
        raise RouteError(f"{upstream!r}: no server has the port 0")
    return protocol, host, port or protocol.port


def _listen(listen: str) -> tuple[str, int | None]:
    if not listen:
        return "", None
    if listen.isdecimal():
        return "", _port(listen, listen)
    host, port = _place(listen, listen)
    if port is None:
        raise RouteError(f"{listen!r} has no port: write PORT or HOST:PORT before the =")
    return host, port


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
