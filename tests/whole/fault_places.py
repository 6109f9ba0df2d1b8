"""Where faults can be had: before a real server, in practice and before recorded servers, each as its user runs it."""

import json
import re
import socket
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Final, NamedTuple, Self

from .loopback import HOST
from .proxy import COMMAND, LIMIT, Proxy, until

SILENCE: Final = 10.0  # seconds after which nothing more is held to come
ENDS: Final = {"\\n": b"\n", "\\r\\": b"\r", "\\": b""}
"""How a line that does not end in CRLF is written, and how it ends."""
STAMP: Final = re.compile(rb"<\d+\.practice")
"""APOP's, another for each connection."""
PROTOCOLS: Final = ("smtp", "lmtp", "pop3", "pop2")


MX: Final = "<-  220 example.org ESMTP mailproxy practice server\n"
NOOP: Final = " -> NOOP\n<-  250 2.0.0 Done, which was nothing\n"
DONE: Final = "250 2.0.0 Done, which was nothing"
MAIL: Final = " -> MAIL FROM:<a@example.org>\n<-  250 2.1.0 The sender is fine\n"
RCPT: Final = " -> RCPT TO:<bob@example.org>\n<-  250 2.1.5 The recipient is fine\n"
DATA: Final = " -> DATA\n<-  354 Go on; end with a dot on a line of its own\n"
MESSAGE: Final = " -> Subject: x\n -> \n -> x\n -> .\n"
SENT: Final = MESSAGE + "<-  250 2.0.0 Delivered to bob\n"
EHLO: Final = """ -> EHLO c
<-  250-example.org
<-  250-PIPELINING
<-  250-SIZE 10485760
<-  250-8BITMIME
<-  250-AUTH PLAIN LOGIN CRAM-MD5
<-  250-ENHANCEDSTATUSCODES
<-  250-CHUNKING
<-  250-SMTPUTF8
<-  250 HELP
"""
POP: Final = "<-  +OK example.org POP3 mailproxy practice server <1.practice@example.org>\n"
CAPA: Final = """ -> CAPA
<-  +OK Capabilities follow
<-  TOP
<-  USER
<-  SASL PLAIN LOGIN CRAM-MD5
<-  RESP-CODES
<-  AUTH-RESP-CODE
<-  PIPELINING
<-  UIDL
<-  EXPIRE NEVER
<-  IMPLEMENTATION mailproxy-practice
<-  .
"""
USER: Final = " -> USER alice\n<-  +OK And the password?\n"
PASS: Final = USER + " -> PASS practice\n<-  +OK Welcome, alice: 3 messages\n"
LIST: Final = " -> LIST\n<-  +OK\n<-  1 211\n<-  2 1600\n<-  3 493\n<-  .\n"
RETR: Final = " -> RETR 1\n<-  +OK 211 octets\n"
STAT: Final = " -> STAT\n<-  +OK 3 2304\n"
BYE: Final = " -> QUIT\n<-  221 2.0.0 example.org closes the connection\n*** closed\n"
POP_BYE: Final = " -> QUIT\n<-  +OK example.org closes the connection\n*** closed\n"
POP2: Final = "<-  + POP2 example.org mailproxy practice server\n"
HELO: Final = " -> HELO alice practice\n<-  #3 messages\n"
READ: Final = " -> READ 1\n<-  =211 octets in message 1\n -> RETR\n"
POP2_BYE: Final = " -> ACKS\n<-  =1600 octets in message 2\n" + POP_BYE.replace("+OK", "+")
LETTER: Final = """<-  From: Bob <bob@example.org>
<-  To: Alice <alice@example.org>
<-  Subject: Welcome
<-  Date: Mon, 06 Jan 2025 09:00:00 +0000
<-  Message-ID: <welcome@example.org>
<-
<-  Dear Alice,
<-
<-  this is a message like any other.
<-
<-  Bob
<-  .
""".replace("<-\n", "<-  \n")


class Case(NamedTuple):
    """A rule, and what its client says and hears, line by line; what the record says was done."""

    protocol: str
    rule: str
    talk: str
    told: str


class Practice:
    """`mailproxy practice` with these words. `ports` are those of its servers."""

    def __init__(self, folder: Path, *words: str) -> None:
        ready = folder / "practice.json"
        free = [word for protocol in PROTOCOLS for word in (f"--{protocol}", "0")]
        command = [COMMAND, "practice", *free, *words, "--ready-file", str(ready)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
        until(ready.exists)
        self.ports: Final = {each["protocol"]: each["port"] for each in json.loads(ready.read_text())["listeners"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.terminate()
        assert self._process.wait(LIMIT) == 0


class Replayed(Proxy):
    """`mailproxy replay server` with these arguments."""

    command: ClassVar[tuple[str, ...]] = ("replay", "server")


class Heard(NamedTuple):
    """What a client heard in a case, and what was recorded of it: nothing in practice."""

    talk: list[str]
    notes: list[str] | None = None
    own: bool = False
    """Whether octets were recorded as mailproxy's own."""


def hold(port: int, talk: str) -> list[str]:
    """Say what a client says, and hear as many octets as it is to hear; then see whether the connection ends.

    What was said and heard, to be compared.
    """
    happened: list[str] = []
    with socket.create_connection((HOST, port), SILENCE) as sock:
        for mark, octets in _moves(talk):
            if mark == " -> ":
                with suppress(BrokenPipeError, ConnectionResetError):
                    sock.sendall(octets)
                happened += _lines(mark, octets)
            elif mark == "<-  ":
                happened += _lines(mark, _like(sock, octets))
            else:
                happened.append(f"*** {_end(sock)}")
    return happened


def _moves(talk: str) -> Iterator[tuple[str, bytes]]:
    """What is said and heard in one go."""
    mark, octets = "", b""
    for line in talk.splitlines():
        if mark and line[:4] != mark:
            yield mark, octets
            octets = b""
        mark = line[:4]
        octets += _octets(line[4:])
    yield mark, octets


def _octets(line: str) -> bytes:
    """A line, which ends in CRLF but where it says otherwise: in `\\n`, in `\\r\\`, or in a backslash."""
    for shown, end in ENDS.items():
        if line.endswith(shown):
            return line.removesuffix(shown).encode() + end
    return line.encode() + b"\r\n"


def _lines(mark: str, octets: bytes) -> list[str]:
    said = STAMP.sub(b"<1.practice", octets)
    return [mark + _shown(line) for line in re.findall(rb"[^\n]*\n|[^\n]+", said)]


def _shown(line: bytes) -> str:
    if line.endswith(b"\r\n"):
        return line[:-2].decode()
    end = next(each for each in ENDS.values() if line.endswith(each))
    return line.removesuffix(end).decode() + next(shown for shown, each in ENDS.items() if each == end)


def _like(sock: socket.socket, expected: bytes) -> bytes:
    """As many lines as are expected, and as many octets of one that is none."""
    lines, rest = expected.count(b"\n"), len(expected) - expected.rfind(b"\n") - 1
    octets = b""
    with suppress(TimeoutError, ConnectionResetError):
        while octets.count(b"\n") < lines or len(octets) - octets.rfind(b"\n") - 1 < rest:
            if not (more := sock.recv(1)):
                break
            octets += more
    return octets


def _end(sock: socket.socket) -> str:
    """How the server ends the connection."""
    try:
        more = sock.recv(65_536)
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "goes on"
    return f"goes on: {more!r}" if more else "closed"


def words(rules: Iterable[str]) -> list[str]:
    """Rules as options."""
    return [word for rule in rules for word in ("--fault", rule)]


def numbered(cases: Sequence[Case]) -> list[str]:
    """The rules of cases that are played one after the other, each for its session."""
    return [f"{case.rule} in session {number}" for number, case in enumerate(cases, start=1)]


def before_a_server(folder: Path, cases: Sequence[Case]) -> dict[Case, Heard]:
    """`record`, before servers that are as they should be."""
    with Practice(folder) as server:
        routes = [f"0={protocol}://{HOST}:{server.ports[protocol]}" for protocol in PROTOCOLS]
        with Proxy(folder / "record", *routes, *words(numbered(cases))) as proxy:
            talks = [hold(proxy.address(case.protocol).port, case.talk) for case in cases]
            return _recorded(proxy, cases, talks)


def in_practice(folder: Path, cases: Sequence[Case]) -> dict[Case, Heard]:
    """`practice`."""
    with Practice(folder, *words(numbered(cases))) as server:
        return {case: Heard(hold(server.ports[case.protocol], case.talk)) for case in cases}


def before_recorded_ones(folder: Path, cases: Sequence[Case]) -> dict[Case, Heard]:
    """`replay server`, of sessions with the same servers in which nothing was wrong; a process a protocol."""
    heard: dict[Case, Heard] = {}
    with course(folder) as files, ExitStack() as stack:
        by_protocol = defaultdict(list)
        for case in cases:
            by_protocol[case.protocol].append(case)
        for protocol, mine in by_protocol.items():
            arguments = [str(files[protocol]), "--listen", "0", *words(numbered(mine))]
            proxy = stack.enter_context(Replayed(folder / protocol, *arguments))
            talks = [hold(proxy.address(protocol).port, case.talk) for case in mine]
            heard |= _recorded(proxy, mine, talks)
    return heard


@contextmanager
def course(folder: Path) -> Iterator[dict[str, Path]]:
    """Transcripts of a session of each protocol in which nothing was wrong."""
    with Practice(folder) as server:
        routes = [f"0={protocol}://{HOST}:{server.ports[protocol]}" for protocol in PROTOCOLS]
        with Proxy(folder / "course", *routes) as proxy:
            for protocol in PROTOCOLS:
                assert hold(proxy.address(protocol).port, COURSES[protocol]) == COURSES[protocol].splitlines()
            proxy.stop()
            for number, protocol in enumerate(PROTOCOLS, start=1):
                (folder / f"{protocol}.talk").write_bytes(proxy.run("export", str(number), "-f", "talk"))
    yield {protocol: folder / f"{protocol}.talk" for protocol in PROTOCOLS}


def _recorded(proxy: Proxy, cases: Sequence[Case], talks: Sequence[list[str]]) -> dict[Case, Heard]:
    proxy.stop()
    sessions = proxy.sessions()
    assert len(sessions) == len(cases)
    entries = [session["entries"] for session in sessions]
    notes = [[each["text"] for each in mine if "mark" in each] for mine in entries]
    own = [any(each.get("origin") == "proxy" for each in mine) for mine in entries]
    each = zip(cases, talks, notes, own, strict=True)
    return {case: Heard(talk, told, ours) for case, talk, told, ours in each}


COURSES: Final = {
    "smtp": MX + EHLO + NOOP + MAIL + RCPT + DATA + SENT + BYE,
    "lmtp": (MX + EHLO).replace("EHLO", "LHLO").replace("ESMTP", "LMTP") + NOOP + MAIL + RCPT + DATA + SENT + BYE,
    "pop3": POP + CAPA + PASS + STAT + LIST + RETR + LETTER + POP_BYE,
    "pop2": POP2 + HELO + READ + LETTER.removesuffix("<-  .\n") + POP2_BYE,
}
