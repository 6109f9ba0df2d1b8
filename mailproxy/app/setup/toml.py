"""Routes, written into `mailproxy.toml` behind what is there."""

import os
import stat
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mailproxy.app.routes import LOOPBACK, Route, is_private, make, place, scheme, spread
from mailproxy.app.setup.error import SetupError
from mailproxy.app.setup.server import IMAP, Server
from mailproxy.model.tls import Security


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
            return str(self.port) if self.host == LOOPBACK else place(self.host, self.port)
        return f"{scheme(self.server.protocol, self.security)}://{place(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole text of a settings file, and the routes of an account in it."""

    text: str
    routes: tuple[Written, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is new."""
        return any(route.new for route in self.routes)


def plan(text: str, there: Sequence[Route], servers: Sequence[Server], path: Path) -> Plan:
    """Add what it lacks to the text of the file at `path`, which has the routes `there`. Raises SetupError."""
    there = spread(there)
    taken = {each.listen_port for each in there}
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
    try:
        tomllib.loads(whole)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: give each route a [[route]] table of its own first; {error}") from error
    return Plan(whole, tuple(routes))


def reads_itself(server: Server, there: Sequence[Route]) -> bool:
    """Whether a server is mailproxy itself, as where a mail program is pointed at it already."""
    return is_private(server.host) and server.port in {each.listen_port for each in spread(there)}


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


def _known(server: Server, security: Security, there: Sequence[Route]) -> Written | None:
    """The route that the file has already."""
    wanted = (server.protocol, server.security, server.host.lower(), server.port)
    for each in there:
        if (each.protocol, each.server, each.host.lower(), each.port) == wanted and each.client is security:
            return Written(server, security, each.listen_port, each.listen_host, new=False)
    return None


def _twice(server: Server, security: Security, routes: Sequence[Written]) -> Written | None:
    """The route that another account has to the same server."""
    for each in routes:
        if each.server.upstream == server.upstream and each.security is security:
            return replace(each, server=server, new=False)
    return None


def _free(server: Server, security: Security, taken: set[int]) -> Written:
    """A new route at the usual port for its kind, or the next free one."""
    clear = security is Security.NONE
    port = make(server.upstream, "" if clear else f"{scheme(server.protocol, security)}://").listen_port
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
