"""Talk to a mail server by hand, as with telnet, and have it recorded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple
from typing import Protocol as Interface

import trio

from mailproxy.app.routes import RouteError, make, place, scheme
from mailproxy.app.settings import authority
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Side
from mailproxy.model.session import Ending, Leg
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.net.authority import Authority
from mailproxy.net.dial import Failure
from mailproxy.net.securing import Office, Securing, Terms
from mailproxy.net.trust import Trust
from mailproxy.net.typed import Connection, Ended, Failed, Secured, dial
from mailproxy.protocols import POP3, PROTOCOLS, SMTP, named
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk import typist
from mailproxy.talk.relay import TROUBLE
from mailproxy.talk.typist import PROMPT, Action, Phase, Typist
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

PORTS: Final = {each.port: each for each in PROTOCOLS} | {465: SMTP, 587: SMTP, 995: POP3}
TLS_PORTS: Final = frozenset({465, 995})
TARGET: Final = re.compile(r"\[(?P<literal>[^]]+)](?::(?P<port>\d+))?|(?P<host>[^:\s]+)(?::(?P<number>\d+))?")
SIX: Final = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[^\s\[\]]*")


class Person(Interface):
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


class Record(Interface):
    """Where a session by hand is taken down. All of it is in recorded form: secrets are masked."""

    def connected(self, server: Leg) -> None:
        """The server has taken the connection; where it has not, this is not called."""

    def secured(self, facts: TlsFacts) -> None:
        """TLS has begun, or has failed: what is known of it."""

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Take down what was said, before it goes out, and what has been understood of it."""

    def ended(self, over: Over) -> None:
        """Take down what came of it; called once, last."""


class Unrecorded:
    """The record of a session that nobody wants to keep."""

    def connected(self, server: Leg) -> None:
        """Keep nothing."""

    def secured(self, facts: TlsFacts) -> None:
        """Keep nothing."""

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Keep nothing."""

    def ended(self, over: Over) -> None:
        """Keep nothing."""


class Unreachable(Exception):
    """No connection came about, or none that is secure; the message is one line."""


class Target(NamedTuple):
    """Where to connect, and what is spoken there; `sure` is false where the server's greeting must tell.

    `security` is NONE, where TLS may be asked for later, or TLS from the start.
    """

    host: str
    port: int
    protocol: str
    sure: bool
    security: Security = Security.NONE

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"

    @property
    def url(self) -> str:
        """It as a URL."""
        return f"{scheme(self.protocol, self.security)}://{place(self.host, self.port)}"


def target(where: str, port: int | None = None, protocol: str | None = None, tls: bool = False) -> Target:
    """Where `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, a bare IPv6 address or a URL points to.

    Without a port it is that of the protocol, SMTP's where none is named; with `tls`, or a URL that says so, TLS comes
    first. Raises ValueError where `where` is no such thing or the port is none, KeyError where there is no such
    protocol.
    """
    if "://" in where:
        return _of_url(where, port, tls)
    found = TARGET.fullmatch(where)
    if not found and not SIX.fullmatch(where):
        raise ValueError(f"{where} is no HOST or HOST:PORT")
    host = (found["literal"] or found["host"]) if found else where
    written = (found["port"] or found["number"]) if found else None
    number = port or int(written or 0) or _usual(named(protocol or "smtp"), tls)
    if number > 65535:
        raise ValueError(f"{number} is no port")
    spoken = named(protocol) if protocol else PORTS.get(number, SMTP)
    security = Security.TLS if tls else Security.NONE
    return Target(host, number, spoken.name, protocol is not None or number in PORTS, security)


def _of_url(where: str, port: int | None, tls: bool) -> Target:
    try:
        route = make(where)
    except RouteError as error:
        raise ValueError(str(error)) from error
    if route.server is Security.STARTTLS:
        verb = named(route.protocol).dialogue.upgrade
        raise ValueError(f"{where}: connect in clear, with {route.protocol}://, and type {verb}")
    return Target(route.host, port or route.port, route.protocol, True, Security.TLS if tls else route.server)


def _usual(protocol: Protocol, tls: bool) -> int:
    if not tls:
        return protocol.port
    if not protocol.tls:
        raise ValueError(f"{protocol.name} has no port of its own for TLS: name one")
    return protocol.tls.server


async def by_hand(target: Target, person: Person, record: Record | None = None, trust: tuple[Path, ...] = ()) -> None:
    """Connect, and let the person and the server talk until one of them ends it.

    A server's certificate is judged by the roots of this machine and of `trust`, PEM files. Raises Unreachable where no
    connection comes about, or TLS fails, and TrustError where one of the files holds no certificate.
    """
    talk = _Talk(target, person, record or Unrecorded(), trust)
    try:
        await talk.run()
    finally:
        talk.over()


class _Talk:
    """The session: one task listens, one waits for the keyboard."""

    def __init__(self, target: Target, person: Person, record: Record, trust: tuple[Path, ...]) -> None:
        self._target = target
        self._typist = Typist(named(target.protocol), str(target), sure=target.sure, security=target.security)
        self._person = person
        self._record = record
        office = Office(lambda: Authority(authority()), lambda: Trust(trust))
        self._securing = Securing(office, Terms(), target.host, ())
        self._began = trio.current_time()
        self._heard = trio.Event()
        self._insecure = ""  # why TLS has failed

    async def run(self) -> None:
        """Dial, and talk until it is over."""
        target = self._target
        found = await dial(target.host, target.port, lambda address: self._person.show(f"Trying {address}…"))
        if isinstance(found, Failure):
            self._show(self._typist.failed(found.how, found.reason, self._at()))
            raise Unreachable(f"{target}: {TROUBLE[found.how]}" + (f": {found.reason}" if found.reason else ""))
        async with found, trio.open_nursery() as nursery:
            await self._connected(found)
            nursery.start_soon(self._type, found, nursery.cancel_scope)
            await self._listen(found)
            nursery.cancel_scope.cancel()
        if self._insecure:
            raise Unreachable(f"{target}: TLS failed with the server: {self._insecure}")

    def over(self) -> None:
        """Take down what came of it, whatever has stopped it."""
        self._show(self._typist.left(self._at()))
        relay = self._typist.relay
        known = self._typist.protocol.name, relay.dialogue.user, relay.dialogue.quit
        self._record.ended(Over(*known, relay.endings, self._at()))

    def _at(self) -> int:
        return round((trio.current_time() - self._began) * 1_000_000)

    async def _connected(self, connection: Connection) -> None:
        server = connection.leg
        self._record.connected(replace(server, connected=self._at()))
        actions = self._typist.connected(server.host, server.address, self._at())
        self._person.show(f"Connected to {server.host}.\nEscape character is '^]'.")
        if server.port in TLS_PORTS and self._target.security is Security.NONE:
            self._person.warn(f"on port {server.port} a server waits for a TLS handshake: say --tls to begin with one")
        await self._do(actions, connection)

    async def _listen(self, connection: Connection) -> None:
        """Hear the server out."""
        while True:
            for event in await connection.hear():
                match event:
                    case bytes():
                        await self._do(self._typist.heard(event, self._at()), connection)
                    case Secured(tls):
                        self._record.secured(facts := self._securing.facts(tls))
                        await self._do(self._typist.secured(facts, self._at()), connection)
                    case Failed(tls):
                        self._failed(tls)
                        return
                    case Ended(how, notified):
                        self._show(self._typist.ended(how, self._at(), notified))
                        await connection.end()
                        self._person.show(f"Connection {how} by foreign host.")
                        return
            self._heard.set()
            self._heard = trio.Event()

    def _failed(self, tls: Tls) -> None:
        self._record.secured(self._securing.facts(tls))
        why = Insecure(tls.failure, tls.alert_number, tls.by, tls.clear)
        self._show(self._typist.insecure(why, self._at()))
        self._insecure = tls.failure

    async def _type(self, connection: Connection, talk: trio.CancelScope) -> None:
        while (line := await self._line()) is not None:
            actions = self._typist.typed(line, self._at())
            await self._do(actions, connection)
            if typist.Close() in actions:
                self._person.show("Connection closed.")
                talk.cancel()
                return
        await self._do(self._typist.typed_all(self._at()), connection)
        await connection.end()

    async def _line(self) -> bytes | None:
        while self._person.patient and self._typist.phase is Phase.WAITING:
            await self._heard.wait()
        prompt = PROMPT if self._typist.escaped else ""
        return await trio.to_thread.run_sync(self._person.read, prompt, abandon_on_cancel=True)

    async def _do(self, actions: Sequence[Action], connection: Connection) -> None:
        """Take down and show everything before anything is sent."""
        self._show(actions)
        for action in actions:
            match action:
                case typist.Send(octets):
                    await connection.send(octets)
                case typist.StartTls():
                    await connection.secure(self._securing.begin(Side.SERVER))
                case _:
                    pass

    def _show(self, actions: Sequence[Action]) -> None:
        """Do everything but sending."""
        for action in actions:
            match action:
                case typist.Show(text) | typist.Tell(text):
                    self._person.show(text)
                case typist.Warn(text):
                    self._person.warn(text)
                case typist.Remember(line):
                    self._person.remember(line)
                case typist.TakeDown(entries, exchanges):
                    self._record.heard(entries, exchanges)
                case typist.Send() | typist.StartTls() | typist.Close():
                    pass
