"""The ways to a server: direct, through mailproxy, through other programs that pass on and record."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from . import proc
from .figure import DIRECT, MAILPROXY
from .limits import open_files
from .process import HOST, NotReady, find, free_port, listens, running

SOCAT, MITMDUMP, HAPROXY = "socat -v", "mitmdump", "haproxy"


class Way(NamedTuple):
    """A port that leads to the server, and the pid of what listens there (None: the server itself).

    `quiet` is how many seconds without work show that all it put off is done.
    """

    name: str
    port: int
    pid: int | None = None
    quiet: float = 0.3

    def settled(self) -> float | None:
        """The processor time in microseconds that it has had, once it is idle; None where that is not known."""
        return proc.settled_cpu(self.pid, self.quiet) if self.pid and proc.KNOWN else None


class Road(NamedTuple):
    """Where a way shall lead: to `port` of loopback, where `protocol` is spoken. `place` is for what it records."""

    protocol: str
    port: int
    place: Path


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways that are open, and why others are not."""

    open: list[Way] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)


@contextmanager
def ways(protocol: str, port: int, without: frozenset[str] = frozenset()) -> Iterator[Ways]:
    """Open each way to this port of loopback whose program is installed, until the block ends."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as place, ExitStack() as stack:
        found = Ways([Way(DIRECT, port)])
        for name, begin in PROGRAMS.items():
            program = find(name.split()[0])
            if name in without or (program is None and name != MAILPROXY):
                continue
            try:
                found.open.append(stack.enter_context(begin(program or name, Road(protocol, port, Path(place)))))
            except (NotReady, OSError) as trouble:
                found.troubles[name] = str(trouble)
        yield found


@contextmanager
def _mailproxy(program: str, road: Road) -> Iterator[Way]:
    with recording(program, road.place, f"0={road.protocol}://{HOST}:{road.port}") as way:
        yield way


@contextmanager
def recording(program: str, place: Path, route: str, *more: str, name: str = MAILPROXY) -> Iterator[Way]:
    """mailproxy with one route and `more` options; what it keeps is in `place`."""
    ready = place / "ready.json"
    options = ["--db", str(place / "bench.sqlite"), "--ready-file", str(ready), "--quiet", *more]
    command, own = [program, "record", route, *options], {"MAILPROXY_CA": str(place / "ca")}
    with running(command, place / "mailproxy.log", ready.exists, own) as pid:
        port = json.loads(ready.read_text())["listeners"][0]["port"]
        yield Way(name, port, pid, quiet=2.5)


@contextmanager
def _socat(program: str, road: Road) -> Iterator[Way]:
    port = free_port()
    listen = f"TCP-LISTEN:{port},bind={HOST},fork,reuseaddr,nodelay,backlog=1000"
    command = [program, "-v", listen, f"TCP:{HOST}:{road.port},nodelay"]
    with running(command, road.place / "socat.log", lambda: listens(port)) as pid:
        yield Way(SOCAT, port, pid)


@contextmanager
def _mitmdump(program: str, road: Road) -> Iterator[Way]:
    port = free_port()
    mode = f"reverse:tcp://{HOST}:{road.port}@{HOST}:{port}"
    options = ["--set", f"confdir={road.place / 'mitmproxy'}", "-q", "-w", str(road.place / "flows")]
    with running([program, "--mode", mode, *options], road.place / "mitmdump.log", lambda: listens(port)) as pid:
        yield Way(MITMDUMP, port, pid)


@contextmanager
def _haproxy(program: str, road: Road) -> Iterator[Way]:
    port, config = free_port(), road.place / "haproxy.cfg"
    config.write_text(
        f"global\n maxconn {(open_files() - 100) // 2}\n"
        "defaults\n mode tcp\n timeout connect 10s\n timeout client 10m\n timeout server 10m\n"
        f"listen mail\n bind {HOST}:{port}\n server upstream {HOST}:{road.port}\n"
    )
    command = [program, "-db", "-f", str(config)]
    with running(command, road.place / "haproxy.log", lambda: listens(port)) as pid:
        yield Way(HAPROXY, port, pid)


PROGRAMS: Mapping[str, Callable[[str, Road], AbstractContextManager[Way]]] = {
    MAILPROXY: _mailproxy,
    SOCAT: _socat,
    HAPROXY: _haproxy,
    MITMDUMP: _mitmdump,
}
