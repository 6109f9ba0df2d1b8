"""Imports go down a floor or stay in the room."""

import ast
import re
from pathlib import Path

ROOMS = {
    "model": 0,
    "wire": 1,
    "protocols": 2,
    "talk": 3,
    "analysis": 3,
    "formats": 3,
    "store": 3,
    "net": 4,
    "app": 5,
    "cli": 6,
    "web": 6,
}
SCREENS = {"cli", "web"}
SOCKETS = (
    "socket", "socketserver", "ssl", "select", "selectors", "asyncio", "http.client", "http.server", "urllib.request",
    "smtplib", "poplib", "imaplib", "ftplib", "telnetlib", "dns",
)  # fmt: skip
"""What opens sockets, or takes some; TLS too, but that `wire/tls.py` puts it on and off without any."""
OF_TRIO = re.compile(
    r"trio\.(socket|Socket\w+|SSL\w+|DTLS\w+|open_(tcp|ssl|unix)_\w+|serve_\w+|lowlevel\.(wait|notify)_\w+)\b"
)
PACKAGE = Path(__file__).parent.parent / "mailproxy"


def imported(source: str) -> set[str]:
    """The rooms that a module imports from, whether at run time or for types only."""
    return {module.split(".")[1] for module in modules(source) if module.startswith("mailproxy.")}


def sockets(source: str) -> set[str]:
    """What a module names that has to do with sockets, whether at run time or for types only."""
    found = {name for name in modules(source) if any(f"{name}.".startswith(f"{each}.") for each in SOCKETS)}
    named = {ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return found | {name for name in modules(source) | named if OF_TRIO.match(name)}


def modules(source: str) -> set[str]:
    """The modules that a module imports, with the names that it takes from them."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                modules.update(f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom(level=level) if level > 0:
                modules.add("mailproxy.relative")
    return modules


def allowed(room: str, other: str) -> bool:
    """Whether `room` may import `other`; screens see use cases and values only."""
    if room in SCREENS:
        return other in {room, "app", "model"}
    return room == other or (other in ROOMS and ROOMS[other] < ROOMS[room])


def test_imports_go_down() -> None:
    broken = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in PACKAGE.rglob("*.py")
        if (room := path.relative_to(PACKAGE).parts[0]) in ROOMS
        for other in imported(path.read_text(encoding="utf-8"))
        if not allowed(room, other)
    ]
    assert broken == []


def test_an_import_that_goes_up_is_seen() -> None:
    source = "if TYPE_CHECKING:\n    from mailproxy.net import leg\n"
    assert not any(allowed("wire", other) for other in imported(source))
    assert "relative" in imported("from . import telnet\n")
    assert not allowed("cli", "protocols")


def test_all_sockets_are_on_one_floor() -> None:
    broken = [
        f"{path.relative_to(PACKAGE)} names {each}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "net"
        for each in sockets(path.read_text(encoding="utf-8"))
        if (each, path.relative_to(PACKAGE).as_posix()) != ("ssl", "wire/tls.py")
    ]
    assert broken == []


def test_a_socket_on_another_floor_is_seen() -> None:
    for source in (
        "import socket\n",
        "if TYPE_CHECKING:\n    import ssl\n",
        "import urllib.request\n",
        "from urllib import request\n",
        "from http.client import HTTPConnection\n",
        "import dns.resolver\n",
        "from trio import SocketStream\n",
        "import trio\n\nfound = trio.socket.getaddrinfo\n",
        "import trio\n\nopened: trio.SSLStream\n",
        "def later() -> None:\n    from trio import open_tcp_stream\n",
    ):
        assert sockets(source), source
    for source in (
        "from urllib.parse import urlsplit\n",
        "from http import HTTPStatus\n",
        "import trio\n\ntrio.open_nursery, trio.open_signal_receiver, trio.to_thread\n",
        "from mailproxy.wire import socks\n",
    ):
        assert not sockets(source), source
