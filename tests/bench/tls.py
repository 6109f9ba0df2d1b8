"""TLS under load, on both connections: many handshakes, many sessions, one long message."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from . import proc
from .figure import Figure, Goal
from .process import NotReady, end, program
from .rounds import Effort, Load, take
from .tls_ways import CLEAR, TRIO, ways
from .ways import Way

CLIENTS: Final = 8  # at once, each a process of its own
MEGABYTE: Final = 1_000_000
LIMIT: Final = 60.0  # seconds: nothing that is measured here is as slow
FASTER: Final = Goal(1, relative=True, least=True, beside=TRIO)


def handshakes(effort: Effort) -> Iterator[Figure]:
    """Connections that are closed once the server has greeted: how many a second, and what each costs."""
    connections = effort.count(125) * CLIENTS
    with ways() as to:
        samples = take(to, effort.rounds, _counted(connections, 0), slowest=LIMIT)
    what = f"{connections:,} TLS handshakes, {CLIENTS} at a time"
    yield Figure(what, "handshakes/s", FASTER, samples.column(0), samples.troubles)
    goal = Goal(1, relative=True, beside=TRIO)
    yield Figure("CPU of the proxy for each of them", "µs", goal, samples.column(1), samples.troubles)


def sessions(effort: Effort) -> Iterator[Figure]:
    """Messages of 4,000 octets, one a connection: how many a second."""
    messages = effort.count(125) * CLIENTS
    with ways() as to:
        samples = take(to, effort.rounds, _counted(messages, 4000), slowest=LIMIT)
    what = f"{messages:,} SMTP sessions under TLS, {CLIENTS} at a time"
    yield Figure(what, "messages/s", FASTER, samples.column(0), samples.troubles)


def bulk(effort: Effort) -> Iterator[Figure]:
    """One message of 100 MB: how many megabytes a second, and what each costs."""
    megabytes = effort.count(100)

    def load(way: Way) -> tuple[float, ...]:
        before = _cpu(way)
        rate = megabytes / send(way, 1, megabytes * MEGABYTE, 1)
        return _with_cpu(way, rate, before, megabytes)

    with ways(clear=True) as to:
        samples = take(to, effort.rounds, load, slowest=LIMIT)
    yield Figure(f"a message of {megabytes} MB under TLS", "MB/s", FASTER, samples.column(0), samples.troubles)
    goal = Goal(1, relative=True, beside=TRIO)
    yield Figure("CPU of the proxy for each megabyte", "µs", goal, samples.column(1), samples.troubles)


def _counted(connections: int, octets: int) -> Load:
    def load(way: Way) -> tuple[float, ...]:
        before = _cpu(way)
        rate = connections / send(way, connections // CLIENTS, octets, CLIENTS)
        return _with_cpu(way, rate, before, connections)

    return load


def _cpu(way: Way) -> float:
    return proc.cpu(way.pid) if way.pid and proc.KNOWN else 0.0


def _with_cpu(way: Way, rate: float, before: float, units: int) -> tuple[float, ...]:
    after = way.settled()
    return (rate,) if after is None else (rate, (after - before) / units)


def send(way: Way, connections: int, octets: int, clients: int) -> float:
    """Have each of the clients make so many connections and send a message over each; returns seconds.

    Raises `NotReady` where a client fails.
    """
    mode = "clear" if way.name == CLEAR else "tls"
    command = program("tls_client.py", str(way.port), str(connections), str(octets), mode)
    with ExitStack() as stack:
        started = [stack.enter_context(_started(command)) for _ in range(clients)]
        try:
            for client in started:
                _hear(client, "ready")
            began = time.perf_counter()
            for client in started:
                assert client.stdin
                client.stdin.write("go\n")
                client.stdin.flush()
            for client in started:
                _hear(client, "done")
            return time.perf_counter() - began
        finally:
            for client in started:
                end(client)


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _hear(client: subprocess.Popen[str], word: str) -> None:
    assert client.stdout
    if client.stdout.readline().strip() != word:
        raise NotReady(f"a client was not {word}")
