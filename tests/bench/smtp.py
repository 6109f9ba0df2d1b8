"""SMTP under load, with the source and the sink of Postfix: many short sessions, few long messages, NOOP by NOOP."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from . import proc
from .figure import Figure, Goal
from .process import HOST, NotReady, find, free_port, listens, running
from .rounds import Effort, take
from .ways import Way, ways

MEGABYTE = 1_000_000
LIMIT = 300  # seconds for one load


@contextmanager
def sink() -> Iterator[int]:
    """Run Postfix's smtp-sink until the block ends and give its port. Raises `NotReady` where there is none."""
    program, port = find("smtp-sink"), free_port()
    if program is None:
        raise NotReady("smtp-sink of Postfix is not installed")
    with TemporaryDirectory(prefix="bench-") as place:
        log = Path(place) / "smtp-sink.log"
        with running([program, *_unprivileged(), f"{HOST}:{port}", "1000"], log, lambda: listens(port)):
            yield port


def _unprivileged() -> list[str]:
    """smtp-sink refuses to serve as root."""
    return ["-u", "nobody"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def send(way: Way, messages: int, octets: int, at_once: int) -> float:
    """Send messages with Postfix's smtp-source, one a connection, and say how many seconds that took.

    Raises `CalledProcessError` if one was not taken, `TimeoutExpired` if it takes too long, `NotReady` where
    there is no smtp-source.
    """
    program = find("smtp-source")
    if program is None:
        raise NotReady("smtp-source of Postfix is not installed")
    load = ["-m", str(messages), "-s", str(at_once), "-l", str(octets)]
    began = time.perf_counter()
    subprocess.run([program, *load, f"{HOST}:{way.port}"], check=True, capture_output=True, timeout=LIMIT)
    return time.perf_counter() - began


def sessions(effort: Effort) -> Iterator[Figure]:
    """Messages of 4,000 octets, one a connection, ten at a time: how many a second, and what each costs."""
    messages = effort.count(2000)

    def load(way: Way) -> tuple[float, ...]:
        before = proc.cpu(way.pid) if way.pid and proc.KNOWN else 0.0
        rate = messages / send(way, messages, 4000, 10)
        after = way.settled()
        return (rate,) if after is None else (rate, (after - before) / messages)

    with sink() as port, ways("smtp", port) as to:
        samples = take(to, effort.rounds, load)
    what = f"{messages:,} SMTP sessions, 10 at a time"
    yield Figure(what, "messages/s", Goal(0.2, relative=True, least=True), samples.column(0), samples.troubles)
    yield Figure("CPU of the proxy for each of them", "µs", Goal(350), samples.column(1), samples.troubles)


def bulk(effort: Effort) -> Iterator[Figure]:
    """Messages of 25 MB, one after another: how many megabytes a second."""
    with sink() as port, ways("smtp", port) as to:
        samples = take(to, effort.rounds, lambda way: (25 / send(way, 1, 25 * MEGABYTE, 1),))
    goal = Goal(0.7, relative=True, least=True)
    yield Figure("a message of 25 MB", "MB/s", goal, samples.column(0), samples.troubles)


def noop(effort: Effort) -> Iterator[Figure]:
    """NOOP and its reply, in strict turn: the median round trip."""
    times = effort.count(5000)
    with sink() as port, ways("smtp", port) as to:
        samples = take(to, effort.rounds, lambda way: (round_trip(way, times),))
    yield Figure("round trip of a NOOP", "µs", Goal(3, relative=True), samples.column(0), samples.troubles)


def round_trip(way: Way, times: int) -> float:
    """The median, in microseconds, between a NOOP and its reply. Raises `EOFError` if the server goes away."""
    with socket.create_connection((HOST, way.port), timeout=LIMIT) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.recv(1000)
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            server.sendall(b"NOOP\r\n")
            if not server.recv(1000).startswith(b"250"):
                raise EOFError("NOOP was not answered by 250")
            taken.append(time.perf_counter() - began)
        server.sendall(b"QUIT\r\n")
        server.recv(1000)
        return median(taken) * 1e6
