"""Talk to a mail server by hand, as with telnet, and have it recorded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

import trio

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Side
from mailproxy.model.session import Ending, Leg
from mailproxy.net.dial import Failure
from mailproxy.net.typed import Connection, dial
from mailproxy.protocols import POP3, PROTOCOLS, SMTP, named
from mailproxy.talk import typist
from mailproxy.talk.relay import TROUBLE
from mailproxy.talk.typist import PROMPT, Action, Phase, Typist

PORTS: Final = {each.port: each for each in PROTOCOLS} | {465: SMTP, 587: SMTP, 995: POP3}
TLS_PORTS: Final = frozenset({465, 995})
TARGET: Final = re.compile(r"\[(?P<literal>[^]]+)](?::(?P<port>\d+))?|(?P<host>[^:\s]+)(?::(?P<number>\d+))?")
SIX: Final = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[^\s\[\]]*")


class Person(Protocol):
    """Who types: at a terminal, through a pipe, in a test.

    `patient` is true where the next line is read only when the reply to the last one has come, as a script needs it.
    """

    patient: bool

    def read(self, prompt: str) -> bytes | None:
        """Wait, in a thread of its own, for a line without its line end; None where nothing more comes."""

    def show(self, text: str) -> None:
        """Show lines of the server, and what mailproxy was asked for."""

    def warn(self, text: str) -> None:
        """Show a warning."""

    def remember(self, line: str) -> None:
        """Keep a line that may be recalled."""


class Over(NamedTuple):
    """What is known of a session once it is over; `at` is in microseconds since it began."""

    protocol: str
    user: str
    quit: bool
    endings: Mapping[Side, Ending]
    at: int


class Record(Protocol):
    """Where a session by hand is taken down. All of it is in recorded form: secrets are masked."""

    def connected(self, server: Leg) -> None:
        """The server has taken the connection; where it has not, this is not called."""

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Take down what was said, before it goes out, and what has been understood of it."""

    def ended(self, over: Over) -> None:
        """Take down what came of it; called once, last."""


class Unrecorded:
    """The record of a session that nobody wants to keep."""

    def connected(self, server: Leg) -> None:
        """Keep nothing."""

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Keep nothing."""

    def ended(self, over: Over) -> None:
        """Keep nothing."""


class Unreachable(Exception):
    """No connection came about; the message is one line."""


class Target(NamedTuple):
    """Where to connect, and what is spoken there; `sure` is false where the server's greeting must tell."""

    host: str
    port: int
    protocol: str
    sure: bool

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"


def target(where: str, port: int | None = None, protocol: str | None = None) -> Target:
    """Where `HOST`, `HOST:PORT`, `[ADDRESS]:PORT` or a bare IPv6 address points to.

    Without a port it is that of the protocol, SMTP's where none is named. Raises ValueError where `where` is no
    such thing or the port is none, KeyError where there is no such protocol.
    """
    found = TARGET.fullmatch(where)
    if not found and not SIX.fullmatch(where):
        raise ValueError(f"{where} is no HOST or HOST:PORT")
    host = (found["literal"] or found["host"]) if found else where
    written = (found["port"] or found["number"]) if found else None
    number = port or int(written or 0) or named(protocol or "smtp").port
    if number > 65535:
        raise ValueError(f"{number} is no port")
    spoken = named(protocol) if protocol else PORTS.get(number, SMTP)
    return Target(host, number, spoken.name, protocol is not None or number in PORTS)


async def by_hand(target: Target, person: Person, record: Record | None = None) -> None:
    """Connect, and let the person and the server talk until one of them ends it.

    Raises Unreachable where no connection comes about.
    """
    talk = _Talk(target, person, record or Unrecorded())
    try:
        await talk.run()
    finally:
        talk.over()


class _Talk:
    """The session: one task listens, one waits for the keyboard."""

    def __init__(self, target: Target, person: Person, record: Record) -> None:
        self._target = target
        self._typist = Typist(named(target.protocol), str(target), sure=target.sure)
        self._person = person
        self._record = record
        self._began = trio.current_time()
        self._heard = trio.Event()

    async def run(self) -> None:
        """Dial, and talk until it is over."""
        target = self._target
        found = await dial(target.host, target.port, lambda address: self._person.show(f"Trying {address}…"))
        if isinstance(found, Failure):
            self._show(self._typist.failed(found.how, found.reason, self._at()))
            raise Unreachable(f"{target}: {TROUBLE[found.how]}" + (f": {found.reason}" if found.reason else ""))
        self._connected(found.leg)
        async with found, trio.open_nursery() as nursery:
            nursery.start_soon(self._type, found, nursery.cancel_scope)
            await self._listen(found)
            nursery.cancel_scope.cancel()

    def over(self) -> None:
        """Take down what came of it, whatever has stopped it."""
        self._show(self._typist.left(self._at()))
        relay = self._typist.relay
        known = self._typist.protocol.name, relay.dialogue.user, relay.dialogue.quit
        self._record.ended(Over(*known, relay.endings, self._at()))

    def _at(self) -> int:
        return round((trio.current_time() - self._began) * 1_000_000)

    def _connected(self, server: Leg) -> None:
        self._record.connected(replace(server, connected=self._at()))
        self._show(self._typist.connected(server.host, server.address, self._at()))
        self._person.show(f"Connected to {server.host}.\nEscape character is '^]'.")
        if server.port in TLS_PORTS:
            self._person.warn(f"on port {server.port} a server waits for a TLS handshake, which nobody can type")

    async def _listen(self, connection: Connection) -> None:
        while isinstance(octets := await connection.receive(), bytes):
            self._show(self._typist.heard(octets, self._at()))
            self._heard.set()
            self._heard = trio.Event()
        self._show(self._typist.ended(octets, self._at()))
        self._person.show(f"Connection {octets} by foreign host.")

    async def _type(self, connection: Connection, talk: trio.CancelScope) -> None:
        while (line := await self._line()) is not None:
            actions = self._typist.typed(line, self._at())
            for octets in self._show(actions):
                await connection.send(octets)
            if typist.Close() in actions:
                self._person.show("Connection closed.")
                talk.cancel()
                return
        self._show(self._typist.typed_all(self._at()))
        await connection.end()

    async def _line(self) -> bytes | None:
        while self._person.patient and self._typist.phase is Phase.WAITING:
            await self._heard.wait()
        prompt = PROMPT if self._typist.escaped else ""
        return await trio.to_thread.run_sync(self._person.read, prompt, abandon_on_cancel=True)

    def _show(self, actions: Sequence[Action]) -> list[bytes]:
        """Do everything but sending; what is to be sent comes back."""
        sent = []
        for action in actions:
            match action:
                case typist.Send(octets):
                    sent.append(octets)
                case typist.Show(text) | typist.Tell(text):
                    self._person.show(text)
                case typist.Warn(text):
                    self._person.warn(text)
                case typist.Remember(line):
                    self._person.remember(line)
                case typist.TakeDown(entries, exchanges):
                    self._record.heard(entries, exchanges)
                case typist.Close():
                    pass
        return sent
