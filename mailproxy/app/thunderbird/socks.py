"""Point Thunderbird at mailproxy as its SOCKS proxy (RFC 1928): servers, passwords and TLS stay as they are set."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from mailproxy.app.routes import LOOPBACK, is_private, place
from mailproxy.app.thunderbird.accounts import Server, servers
from mailproxy.app.thunderbird.plan import Plan, changes
from mailproxy.app.thunderbird.prefs import Prefs, Value

PORT: Final = 1080
_TYPE: Final = "network.proxy.type"
_HOST: Final = "network.proxy.socks"
_PORT: Final = "network.proxy.socks_port"
_EXCEPTIONS: Final = "network.proxy.no_proxies_on"
_LOOPBACK_TOO: Final = "network.proxy.allow_hijacking_localhost"
_MANUAL, _SCRIPT = 1, 2


def plan(prefs: Prefs, port: int = PORT) -> Plan:
    """Have Thunderbird ask mailproxy, on this port of this machine, for every connection.

    Names go to mailproxy unresolved, so that it knows which server is meant. A server that is excepted from the proxy
    is excepted no more.
    """
    found, now = servers(prefs), prefs.values()
    wanted: dict[str, Value | None] = {
        _TYPE: _MANUAL,
        _HOST: LOOPBACK,
        _PORT: port,
        "network.proxy.socks_version": 5,
        "network.proxy.socks_remote_dns": True,
    }
    if any(is_private(server.host) for server in found):
        wanted[_LOOPBACK_TOO] = True
    exceptions = now.get(_EXCEPTIONS)
    if isinstance(exceptions, str) and (kept := _kept(exceptions, found)) is not None:
        wanted[_EXCEPTIONS] = kept
    return Plan(changes(prefs, wanted), _warnings(now, port))


def excepts(entry: str, server: Server) -> bool:
    """Whether an entry of the list of exceptions is about a server: a name or the end of one, a network, a port."""
    if entry.lower() == "<local>":
        return "." not in server.host and ":" not in server.host
    host, port = _parted(entry.lower())
    if port and port != server.port:
        return False
    try:
        return ipaddress.ip_address(server.host) in ipaddress.ip_network(host, strict=False)
    except ValueError:
        return bool(host) and f".{server.host.lower()}".endswith((host, f".{host}"))


def _kept(exceptions: str, found: list[Server]) -> str | None:
    """The list without what is about these servers; None where nothing is."""
    entries = [entry for entry in re.split(r"[,\s]+", exceptions) if entry]
    kept = [entry for entry in entries if not any(excepts(entry, server) for server in found)]
    return None if kept == entries else ", ".join(kept)


def _parted(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]").removeprefix("*"), int(port)
    return entry.strip("[]").removeprefix("*"), None


def _warnings(now: Mapping[str, Value], port: int) -> tuple[str, ...]:
    """What goes another way than before."""
    if now.get(_TYPE) == _SCRIPT:
        return ("Thunderbird found its proxy by a script (PAC): now all goes to mailproxy, which connects directly",)
    host, before = now.get(_HOST), now.get(_PORT)
    if now.get(_TYPE) == _MANUAL and host and (host, before) != (LOOPBACK, port):
        known = place(str(host), before) if isinstance(before, int) else str(host)
        return (f"Thunderbird went through the SOCKS proxy {known}: mailproxy connects directly",)
    return ()
