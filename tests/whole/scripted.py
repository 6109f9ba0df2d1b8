"""A server that says exactly what its script says, and keeps what it was told.

A script is a transcript: `-> MAIL` waits for a line that begins so, `<- 250 fine` says a line, with what follows it in
one write; `-> (message)` waits for a message; `*** closed` and `*** reset` end the connection. A line of the server's
that does not end in CRLF ends as transcripts have it: in a backslash, or in the escaped octets that end it.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from typing import Final, NamedTuple, Self

from mailproxy.formats.talk_octets import heard

from .loopback import HOST, Address
from .proxy import until

LIMIT: Final = 60.0  # seconds after which a client is held to be stuck
MESSAGE: Final = "(message)"
AT_ONCE: Final = struct.pack("ii", 1, 0)  # close with RST


class Say(NamedTuple):
    """Octets for the client, in one write."""

    octets: bytes


class Hear(NamedTuple):
    """A line of the client's that begins so, in capitals or not, or its message."""

    begins: str


class End(NamedTuple):
    """The end of the connection."""

    reset: bool


Step = Say | Hear | End


class Scripted:
    """Each connection follows the next script, from the last on the same again.

    When a script is over, or its client says something else, QUIT is answered by `bye`, and anything else by hanging
    up. `heard` has the lines of each connection, in the order in which they were accepted.
    """

    def __init__(self, bye: str) -> None:
        self._scripts: list[list[Step]] = [[]]
        self._bye = bye
        self.heard: list[list[str]] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((HOST, 0))
        self.address = Address(*self._listener.getsockname())

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def follow(self, *scripts: str) -> None:
        """Forget what was heard; the next connections follow these."""
        self._scripts = [list(_steps(script)) for script in scripts]
        self.heard = []

    @property
    def verbs(self) -> list[list[str]]:
        """The first word of each line that was heard, by connection."""
        return [[(line.split() or [""])[0] for line in lines] for lines in self.heard]

    def hears(self, line: str, connections: int = 1) -> None:
        """Wait until this many connections heard this line. Raises AssertionError when they do not."""
        until(lambda: sum(line in lines for lines in list(self.heard)) >= connections)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(LIMIT)
                lines: list[str] = []
                script = self._scripts[min(len(self.heard), len(self._scripts) - 1)]
                self.heard.append(lines)
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection, script, lines), daemon=True).start()

    def _serve(self, connection: socket.socket, script: list[Step], lines: list[str]) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            _play(connection, _said(stream, lines), script, self._bye)


def _play(connection: socket.socket, said: Iterator[str], script: list[Step], bye: str) -> None:
    for step in script:
        match step:
            case Say(octets):
                connection.sendall(octets)
            case End(reset):
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                return
            case Hear(begins) if begins == MESSAGE:
                while next(said, ".") != ".":
                    pass
            case Hear(begins):
                if not (line := next(said, "")).upper().startswith(begins.upper()):
                    _leave(connection, line, bye)
                    return
    _leave(connection, next(said, ""), bye)


def _leave(connection: socket.socket, line: str, bye: str) -> None:
    if line.upper() == "QUIT":
        connection.sendall(f"{bye}\r\n".encode())


def _said(stream: Iterator[bytes], lines: list[str]) -> Iterator[str]:
    """The lines that come, without their ends; each is kept in `lines`."""
    for octets in stream:
        lines.append(octets.decode("utf-8", "replace").rstrip("\r\n"))
        yield lines[-1]


def _steps(script: str) -> Iterator[Step]:
    """The steps of a script; what the server says in a row is one."""
    lines = [line.lstrip().partition(" ")[::2] for line in script.strip("\n").splitlines()]
    for mark, run in groupby(lines, key=lambda line: line[0]):
        texts = [text for _, text in run]
        match mark:
            case "<-":
                yield Say(b"".join(map(heard, texts)))
            case "->":
                yield from map(Hear, texts)
            case "***":
                yield from (End(text == "reset") for text in texts)
            case _:
                raise ValueError(f"{mark!r} begins no line of a script")
