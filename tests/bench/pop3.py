"""POP3 under load: a maildrop of many messages, fetched in strict turn, as mail programs do."""

import socket
import time
from collections.abc import Iterator

from .figure import Figure, Goal
from .maildrop import GREETING, REPLIES
from .process import HOST, script
from .rounds import Effort, take
from .ways import Way, ways


def fetch(effort: Effort) -> Iterator[Figure]:
    """2,000 messages of 5 kB over one connection, one RETR at a time."""
    messages = effort.count(2000)
    with script("maildrop.py") as port, ways("pop3", port) as to:
        samples = take(to, effort.rounds, lambda way: (retrieve(way, messages),))
    what = f"{messages:,} POP3 messages of 5 kB, RETR in strict turn"
    yield Figure(what, "s", Goal(2, relative=True), samples.column(0), samples.troubles)


def retrieve(way: Way, messages: int) -> float:
    """Log in, fetch the messages, quit, and say how many seconds that took. Raises `EOFError` if cut short."""
    began = time.perf_counter()
    with socket.create_connection((HOST, way.port), timeout=60) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _expect(server, GREETING)
        _ask(server, "USER alice")
        _ask(server, "PASS wonderland")
        for number in range(1, messages + 1):
            _ask(server, f"RETR {number}")
        _ask(server, "QUIT")
    return time.perf_counter() - began


def _ask(server: socket.socket, command: str) -> None:
    octets = command.encode()
    server.sendall(octets + b"\r\n")
    _expect(server, REPLIES[octets[:4]])


def _expect(server: socket.socket, reply: bytes) -> None:
    missing = len(reply)
    while missing:
        came = server.recv(missing)
        if not came:
            raise EOFError("the server closed before its reply was whole")
        missing -= len(came)
