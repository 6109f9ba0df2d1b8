"""What a proxy holds in memory: for sessions that wait, and for one long message."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

from . import proc
from .figure import Figure, Goal
from .greeter import GREETING
from .limits import open_files
from .process import HOST, script
from .rounds import Effort, take
from .smtp import MEGABYTE, send, sink
from .ways import SOCAT, Way, ways

KIB, MIB = 1024, 1024 * 1024
FEW = 200  # sessions, where each takes a process


def idle(effort: Effort) -> Iterator[Figure]:
    """Thousands of sessions that have been greeted and say nothing: kibioctets of memory for each."""
    sessions = min(effort.count(5000), (open_files() - 200) // 2)

    def load(way: Way) -> tuple[float, ...]:
        if way.pid is None or not proc.KNOWN:
            return ()
        return (growth(way, way.pid, FEW if way.name == SOCAT else sessions) / KIB,)

    with script("greeter.py") as port, ways("smtp", port) as to:
        samples = take(to, 1, load, warm=False)
    what = f"memory for each of {sessions:,} idle sessions ({SOCAT}: of {FEW})"
    yield Figure(what, "KiB", Goal(16), samples.column(0), samples.troubles)


def flat(effort: Effort) -> Iterator[Figure]:
    """One message of 500 MB: by how many mebioctets the most memory ever held grows."""
    megabytes = effort.count(500)

    def load(way: Way) -> tuple[float, ...]:
        if way.pid is None or not proc.KNOWN:
            return ()
        before = proc.resident(way.pid)
        send(way, 1, megabytes * MEGABYTE, 1)
        way.settled()
        return ((proc.peak(way.pid) - before) / MIB,)

    # socat -v would take minutes for it
    with sink() as port, ways("smtp", port, without=frozenset({SOCAT})) as to:
        samples = take(to, 1, load, warm=False)
    what = f"growth of memory over one message of {megabytes} MB"
    yield Figure(what, "MiB", Goal(32), samples.column(0), samples.troubles)


def growth(way: Way, pid: int, sessions: int) -> float:
    """Octets by which the process grows for each further session. Raises `EOFError` if one is not greeted."""
    with ExitStack() as stack:
        stack.enter_context(_greeted(way.port))
        way.settled()
        before = proc.resident(pid)
        for _ in range(sessions):
            stack.enter_context(_greeted(way.port))
        way.settled()
        return (proc.resident(pid) - before) / sessions


def _greeted(port: int) -> socket.socket:
    client = socket.create_connection((HOST, port), timeout=30)
    if client.recv(len(GREETING)) != GREETING:
        client.close()
        raise EOFError("a session was not greeted")
    return client
