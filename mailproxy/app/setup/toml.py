"""Routes, written into `mailproxy.toml` behind what is there."""

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mailproxy.app.routes import LOOPBACK, place
from mailproxy.app.setup.error import SetupError
from mailproxy.app.setup.server import IMAP, Security, Server, scheme, standard_port

_PLACE: Final = r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:/\[\]]*))(?::(?P<port>\d+))?"
_URL: Final = re.compile(rf"(?P<scheme>[A-Za-z0-9+]+)://{_PLACE}/?")
_PORT: Final = re.compile(r"(?:.*:)?(\d{1,5})/?")
_CLEAR: Final = {"smtp": 2525, "lmtp": 2524, "pop3": 2110, "pop2": 2109}


@dataclass(frozen=True, slots=True)
class Written:
    """A route as the file has it: mailproxy's own port, how it is secured, and the server behind."""

    server: Server
    security: Security
    port: int
    host: str = LOOPBACK
    new: bool = True

    @property
    def listen(self) -> str:
        """What the file says of where to listen: clear is the default."""
        if self.security is Security.NONE:
            return str(self.port)
        return f"{scheme(self.server.protocol, self.security)}://{place(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class _There:
    """A route of the file: its server, how its listener is secured, and where that is."""

    upstream: tuple[str, str, int | None]
    listens: str
    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole text of a settings file, and the routes of an account in it."""

    text: str
    routes: tuple[Written, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is new."""
        return any(route.new for route in self.routes)


def plan(text: str, servers: Sequence[Server], path: Path) -> Plan:
    """Add to a file's text what it lacks. Raises SetupError."""
    there = list(_there(_load(text, path)))
    taken = {each.port for each in there}
    routes: list[Written] = []
    for server in servers:
        if server.protocol == IMAP:
            continue
        for security in dict.fromkeys((Security.NONE, server.security)):
            route = _twice(server, security, routes) or _known(server, security, there)
            route = route or _free(server, security, taken)
            taken.add(route.port)
            routes.append(route)
    new = [route for route in routes if route.new]
    if not new:
        return Plan(text, tuple(routes))
    end = "\r\n" if "\r\n" in text else "\n"
    start = text if not text or text.endswith("\n") else text + end
    whole = start + (end if text.strip() else "") + end.join(end.join(_table(route)) for route in new)
    _load(whole, path)
    return Plan(whole, tuple(routes))


def reads_itself(server: Server, text: str, path: Path) -> bool:
    """Whether a server is mailproxy itself, as where a mail program is pointed at it already."""
    own = {each.port for each in _there(_load(text, path))}
    return server.port in own and (server.host == "localhost" or server.host.startswith("127.") or server.host == "::1")


def read(path: Path) -> str:
    """The text of a settings file, empty where there is none; raises SetupError."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path}: it is no text in UTF-8") from error


def write(path: Path, text: str) -> None:
    """Put the file in the place of the old one, whole; raises SetupError."""
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error


def _load(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: {error}; mend it, and have each route in a [[route]] table of its own") from error


def _there(said: dict[str, Any]) -> Iterator[_There]:
    """The routes that a file has; what is none is left to `mailproxy record` to complain of."""
    routes = said.get("route", [])
    taken: set[int] = set()
    for each in routes if isinstance(routes, list) else []:
        upstream = each.get("upstream") if isinstance(each, dict) else None
        if not isinstance(upstream, str) or not (url := _URL.fullmatch(upstream)):
            continue
        kind = url["scheme"].lower()
        protocol = kind.removesuffix("+starttls").removesuffix("s")
        listen = str(each.get("listen", ""))
        own = _URL.fullmatch(listen)
        port = _listen_port(listen, protocol, taken)
        if port:
            taken.add(port)
        server = (kind, (url["six"] or url["host"]).lower(), int(url["port"]) if url["port"] else standard_port(kind))
        host = (own["six"] or own["host"]) if own else listen.rpartition(":")[0].strip("[]")
        yield _There(server, own["scheme"].lower() if own else protocol, host or LOOPBACK, port)


def _listen_port(listen: str, protocol: str, taken: set[int]) -> int | None:
    """The port of a route's listener; where the file names none, what `record` gives it."""
    if found := _PORT.fullmatch(listen):
        return int(found[1])
    port = _CLEAR.get(protocol)
    while port in taken:
        port += 1
    return port


def _known(server: Server, security: Security, there: Sequence[_There]) -> Written | None:
    wanted = (server.scheme, server.host.lower(), server.port)
    listens = scheme(server.protocol, security)
    for each in there:
        if each.port and each.upstream == wanted and each.listens == listens:
            return Written(server, security, each.port, each.host, new=False)
    return None


def _twice(server: Server, security: Security, routes: Sequence[Written]) -> Written | None:
    """The route that another account has to the same server."""
    for each in routes:
        if each.server.upstream == server.upstream and each.security is security:
            return replace(each, server=server, new=False)
    return None


def _free(server: Server, security: Security, taken: set[int | None]) -> Written:
    """A new route at the usual port for its kind, or the next free one."""
    port = _CLEAR[server.protocol]
    if security is not Security.NONE:
        port = 2000 + (standard_port(scheme(server.protocol, security)) or 0)
    while port in taken:
        port += 1
    return Written(server, security, port)


def _table(route: Written) -> tuple[str, ...]:
    server = route.server
    how = "in clear" if route.security is Security.NONE else "under mailproxy's certificate"
    return (
        f"# {server.protocol.upper()}, the mail program {how}; found: {_comment(server.source)}",
        "[[route]]",
        f'upstream = "{server.upstream}"',
        f'listen = "{route.listen}"',
        "",
    )


def _comment(text: str) -> str:
    """A text as a comment, which holds no control characters (TOML 1.0, "Comment")."""
    return "".join(each if each.isprintable() else "?" for each in text)
