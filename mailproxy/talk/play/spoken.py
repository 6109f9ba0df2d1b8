"""What the player of a recorded client and its server say, as it is relayed, understood and taken down."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Entry, Frame, Kind, Side
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols import named
from mailproxy.protocols.asking import Cue, Leave, Recorded
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.reading import read
from mailproxy.talk import actions as orders
from mailproxy.talk.play.acting import SAFELY, Acting
from mailproxy.talk.play.asked import Asked, Ledger
from mailproxy.talk.play.login import Login
from mailproxy.talk.play.script import Script
from mailproxy.talk.play.scripting import by_proxy, script
from mailproxy.talk.play.words import Words
from mailproxy.talk.relay import Relay
from mailproxy.talk.typist import Close, Send, StartTls, TakeDown
from mailproxy.talk.ways import Ways


class Pause(NamedTuple):
    """Call `woke` in so many seconds."""

    seconds: float


class Reset(NamedTuple):
    """Break the connection (RST)."""


class Refuse(NamedTuple):
    """Begin TLS, and refuse it with this alert once the server has said its hello: call `insecure` then."""

    alert: int


Action = Send | TakeDown | StartTls | Refuse | Close | Reset | Pause


class Ready(NamedTuple):
    """A line that is to be said, and what it stands for; `waits` for all that was said before to be answered."""

    line: bytes
    recorded: Exchange | None = None
    cue: Cue = Cue()
    waits: bool = True


class Spoken(ABC):
    """The relay of a player, and what has come of it so far."""

    def __init__(
        self,
        recording: Recording,
        acting: Acting = SAFELY,
        login: Login | None = None,
        security: Security = Security.NONE,
    ) -> None:
        self.protocol = named(recording.session.protocol)
        exchanges = recording.exchanges or read(recording.session.protocol, recording.entries).exchanges
        self.script: Script = script(recording, exchanges)
        self.stopped = ""
        self.remarks: list[str] = []
        self.otherwise: set[int] = set()
        self._acting = acting
        self._login = login and Login(login.user or self._named(exchanges), login.password)
        self._words = Words(recording.entries)
        self._by_proxy = by_proxy(recording, exchanges)
        if self.script.in_clear and security is Security.TLS:
            security = Security.NONE
            self._remark("the recorded client spoke in clear where TLS was expected, and does so again")
        self._security = security
        self.relay = Relay(
            self.protocol.dialogue(),
            Ways(server=Security.TLS if security is Security.TLS else Security.NONE, verify=Verify.OFF),
        )
        self._streams = Streams(recording.entries)
        self._prompter = self.protocol.asking.prompter(
            Recorded(exchanges, self._streams), _leave(acting), self._login
        )  # fmt: skip
        self._ledger = Ledger()
        self._played: dict[int, Asked] = {}
        self._numbers: list[int] = []  # of what was played, in order
        self._next = 0  # part of the script
        self._ready: deque[Ready] = deque()
        self._message: Iterator[tuple[bytes, int]] = iter(())  # what is left of one, and the pauses before it
        self._ended: deque[Asked] = deque()
        self._listing: list[Frame] = []  # what the server has said since all was answered
        self._actions: list[Action] = []
        self._tls: TlsFacts | None = None
        self._connected = False
        self._host = ""  # of the server, as it was called
        self._shaking = False
        self._refusing = False  # TLS, as the recorded client did
        self._strayed = False  # what is released once TLS is refused has been said already
        self._slipped = False  # TLS has been begun that nobody granted
        self._paused = False
        self._rested = -1  # the part before which there was a pause
        self._leaving = False  # nothing of the script is said any more
        self._closed = False
        self._unasked = 0  # what the server has said that nobody had asked for, or failed to say
        self._odd = ""  # the last of it
        self._told_body = True  # whether the last command's body is said
        self._opening = False  # TLS was asked for of our own accord

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.relay.over

    @property
    def _dialogue(self) -> Dialogue:
        return self.relay.dialogue

    def _relayed(self, side: Side, octets: bytes, at: int) -> None:
        heard = self.relay.received(side, octets, at)
        self._do([orders.Record(heard.entries), orders.Send(side.other, heard.forward)], at)
        while self.relay.due:
            self._do(self.relay.proceed(at), at)

    def _do(self, wanted: list[orders.Action], at: int) -> None:
        """What the relay orders, as far as it concerns the server: there is no other connection."""
        for order in wanted:
            match order:
                case orders.Record(entries):
                    self._take_down(entries)
                case orders.Send(Side.SERVER, octets) if octets:
                    if not (self._strayed and octets == self.script.stray):
                        self._actions.append(Send(octets))
                case orders.StartTls(Side.SERVER):
                    self._begin_tls(at)
                case _:
                    pass

    @abstractmethod
    def _begin_tls(self, at: int) -> None:
        """Begin TLS, which the server has granted, or which comes first of all."""

    def _take_down(self, entries: list[Entry]) -> None:
        exchanges, self._dialogue.exchanges = self._dialogue.exchanges, []
        for exchange in exchanges:
            if Flag.GREETING in exchange.flags and exchange.reply:
                self._prompter.greeted(exchange.reply)
            elif exchange.command is None:
                self._unasked += len(exchange.replies)
                self._odd = exchange.reply.text if exchange.reply else self._odd
        self._ended.extend(self._ledger.look(self._dialogue, exchanges))
        if self.protocol.asking.listings:
            said = (entry for entry in entries if isinstance(entry, Frame) and entry.side is Side.SERVER)
            self._listing += [frame for frame in said if frame.kind is Kind.SPEECH]
        if entries or exchanges:
            self._actions.append(TakeDown(entries, exchanges))

    def _octets(self, exchange: Exchange) -> bytes:
        content = exchange.content
        if exchange.verb not in self.protocol.asking.listings or not content or content.span.side is not Side.SERVER:
            return b""
        return Streams(self._listing).octets(content.span)

    def _done(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def _remark(self, line: str) -> None:
        self.remarks.append(escape_text(line))

    def _named(self, exchanges: tuple[Exchange, ...]) -> str:
        """Who logged in, in the record."""
        users = (self.protocol.asking.user(exchange.verb, exchange.argument) for exchange in exchanges)
        return next((user for user in (*users, self.script.user) if user.isprintable() and user), "")


def _leave(acting: Acting) -> Leave:
    """What may be done; raises ValueError where the recipient is no address."""
    address = acting.rcpt_to
    if address and (not address.isprintable() or {" ", "<", ">"} & {*address}):
        raise ValueError(f"{address!r} is no address")
    return Leave(acting.deliver or bool(address), acting.delete, address)
