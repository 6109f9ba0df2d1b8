"""Point Thunderbird's servers at mailproxy: each host and port becomes the place where its route listens."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from mailproxy.app.routes import LOOPBACK, Route, place
from mailproxy.app.thunderbird.accounts import Server, host_name, security_name, servers
from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.plan import Plan, changes
from mailproxy.app.thunderbird.prefs import Prefs, Value

_ANY: Final = {"0.0.0.0": LOOPBACK, "::": "::1"}
_NUMBERS: Final = {"none": 0, "starttls": 2, "tls": 3}  # nsMsgSocketType
_BY_NAME: Final = {"oauth2": "OAuth2", "kerberos": "Kerberos"}
_FILTERS: Final = "*Mail/*/msgFilterRules.dat"


def plan(prefs: Prefs, profile: Path, routes: tuple[Route, ...], security: str | None = None) -> Plan:
    """Have Thunderbird connect to where these routes listen, with the connection security that suits the route.

    Where `security` is "none" or "same" (as before) it is that, whatever the route. Folders are named by their server,
    so the preferences that name one follow. Raises ThunderbirdError where no server has a route, or where Thunderbird
    would lose something.
    """
    found = servers(prefs)
    routed = {server: route for server in found if (route := _route(server, routes))}
    if not routed:
        names = ", ".join(_url(server) for server in found)
        raise ThunderbirdError(f"none of {names} has a route: write one into mailproxy.toml, or use --how socks")
    _distinct(found, routed)
    _filters(profile, routed)
    wanted: dict[str, Value | None] = {}
    for server, route in routed.items():
        wanted |= _server(prefs.values(), server, route, security)
    return Plan(changes(prefs, wanted), tuple(_warnings(found, routed, security)))


def _server(values: Mapping[str, Value], server: Server, route: Route, security: str | None) -> dict[str, Value | None]:
    host = _host(route)
    name = host_name(values, server.key)
    wanted: dict[str, Value | None] = {name: host, f"{server.key}.port": route.listen_port}
    if (wished := _security(server, route, security)) != server.security:
        wanted[security_name(server.key)] = _NUMBERS[wished]
    if server.protocol == "pop3" and name.endswith(".hostname"):
        wanted |= _folders(values, server, host)
    return wanted


def _security(server: Server, route: Route, asked: str | None) -> str:
    """The connection security to be: a route without TLS takes it as it comes, and never less than there was."""
    match asked, route.client.value, route.server.value:
        case "none", _, _:
            return "none"
        case ("same", _, _) | (_, "none", "none"):
            return server.security
        case _, client, _:
            return client


def _folders(values: Mapping[str, Value], server: Server, host: str) -> dict[str, Value]:
    """The preferences that name a folder of an account, as `mailbox://user@host/Sent`."""
    folder = _folder(server.host)
    named = {name: folder.fullmatch(value) for name, value in values.items() if isinstance(value, str)}
    return {
        name: f"{found['user']}{host}{found['path']}"
        for name, found in named.items()
        if found and unquote(found["user"]) == f"mailbox://{server.user}@"
    }


def _folder(host: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<user>mailbox://[^@/]*@){re.escape(host)}(?P<path>/.*|)", re.DOTALL)


def _route(server: Server, routes: Iterable[Route]) -> Route | None:
    said = (server.protocol, server.host.lower().rstrip("."), server.port)
    return next((each for each in routes if (each.protocol, each.host.lower().rstrip("."), each.port) == said), None)


def _host(route: Route) -> str:
    return _ANY.get(route.listen_host, route.listen_host)


def _distinct(found: list[Server], routed: Mapping[Server, Route]) -> None:
    """Two accounts of one user on one host are the same to Thunderbird, whatever their ports."""
    seen: dict[tuple[str, str], Server] = {}
    for server in found:
        if server.protocol != "pop3":
            continue
        host = _host(routed[server]) if server in routed else server.host
        if other := seen.get((server.user, host)):
            raise ThunderbirdError(
                f"{server.user} of {other.host} and of {server.host} would both be of {host}, which Thunderbird takes "
                "for one account: use --how socks"
            )
        seen[server.user, host] = server


def _filters(profile: Path, routed: Iterable[Server]) -> None:
    """Filters name the folders they move mail into by the server, and stand in files of their own."""
    hosts = {server.host for server in routed if server.protocol == "pop3"}
    for path in profile.glob(_FILTERS):
        text = path.read_text(encoding="utf-8", errors="replace")
        if host := next((each for each in hosts if re.search(rf'"mailbox://[^@"]*@{re.escape(each)}[/"]', text)), None):
            raise ThunderbirdError(
                f"message filters move mail into folders of {host}, which Thunderbird would not find under another "
                "name: use --how socks"
            )


def _warnings(found: list[Server], routed: Mapping[Server, Route], security: str | None) -> Iterable[str]:
    if left := [_url(server) for server in found if server not in routed]:
        yield f"{', '.join(left)}: no route in mailproxy.toml, left alone"
    hosts = ", ".join(sorted({_host(route) for route in routed.values()}))
    yield f"Thunderbird keeps passwords by the name of the server: it asks for them anew for {hosts}"
    for server, route in routed.items():
        if security == "none" and server.security != "none" and route.server.value == "none":
            yield f"{_url(server)} is spoken to without TLS now: its route should go to {_better(server)}"
        if way := _BY_NAME.get(server.auth):
            yield f"{_url(server)} logs in with {way}, which goes by the server's name: use --how socks if it fails"


def _better(server: Server) -> str:
    scheme = f"{server.protocol}s" if server.security == "tls" else f"{server.protocol}+starttls"
    return f"{scheme}://{place(server.host, server.port)}"


def _url(server: Server) -> str:
    return f"{server.protocol}://{place(server.host, server.port)}"
