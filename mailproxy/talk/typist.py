"""A session that a person types: lines typed and octets heard come in, what is to be sent and shown goes out.

It is a relay whose client is the keyboard. Octets are sent as they were typed, with CRLF behind each line; whoever
types a message doubles its dots. What is taken down is in recorded form: secrets are masked, and so is what may be
recalled.

TLS, from the start or once the server has granted STARTTLS, is begun by mailproxy: nobody can type a handshake. Lines
that are typed meanwhile wait for its end.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.mask import MARK
from mailproxy.model.octets import Entry, Frame, Note, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols import LMTP, POP2, POP3, SMTP
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.guide import slip
from mailproxy.protocols.outcome import DISTRUST, DROPPED
from mailproxy.protocols.turn import Move, text
from mailproxy.talk import actions as orders
from mailproxy.talk import advice
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure, Ways

ESCAPE: Final = b"\x1d"
PROMPT: Final = "telnet> "
UNDOUBLED: Final = re.compile(rb"\.[^.]")
LONGEST_OPENING: Final = 512
AGREED: Final = "TLS with the server: "


class Send(NamedTuple):
    """Put these octets on the wire."""

    octets: bytes


class Show(NamedTuple):
    """A line that the server said, escaped."""

    text: str


class Tell(NamedTuple):
    """What mailproxy has to say, in one or more lines, because it was asked."""

    text: str


class Warn(NamedTuple):
    """What mailproxy has to say unasked, in one line."""

    text: str


class Remember(NamedTuple):
    """A line that may be recalled with the keyboard; a secret in it is masked."""

    text: str


class TakeDown(NamedTuple):
    """What was said, in recorded form, and what has been understood of it."""

    entries: list[Entry]
    exchanges: list[Exchange]


class StartTls(NamedTuple):
    """Begin TLS with the server."""


class Close(NamedTuple):
    """End the connection."""


Action = Send | Show | Tell | Warn | Remember | TakeDown | StartTls | Close


class Phase(StrEnum):
    """What the next line that is typed is."""

    WAITING = "a reply is awaited"
    COMMAND = "a command can be typed"
    CONTENT = "a message is being typed"
    SECRET = "a response to a login is being typed"


class Typist:
    """One session by hand. Times are in microseconds since it began. It raises on nothing typed or heard.

    Where the protocol is not `sure`, the server's first line says which it is. `security` is NONE, where TLS may be
    asked for by what is typed, or TLS from the start. `escaped` tells that the next line is an order to mailproxy.
    """

    def __init__(
        self, protocol: Protocol, target: str, *, sure: bool = True, security: Security = Security.NONE
    ) -> None:
        self.protocol = protocol
        self.relay = Relay(protocol.dialogue(), Ways(server=security, verify=Verify.OFF))
        self.escaped = False
        self._target = target
        self._opening: bytes | None = None if sure else b""
        self._unshown = b""
        self._last: Reply | None = None
        self._shaking = False
        self._early: list[bytes] = []  # typed before the end of the handshake
        self._tls: TlsFacts | None = None

    @property
    def phase(self) -> Phase:
        """What the next line that is typed is."""
        pending = self._dialogue.pending
        if self._shaking or not self._dialogue.greeted:
            return Phase.WAITING
        if not pending:
            return Phase.COMMAND
        if pending[-1].verb == "BDAT" and pending[-1].open:
            return Phase.CONTENT
        if pending[0].move is Move.CLIENT:
            return Phase.SECRET if pending[0].verb == "AUTH" else Phase.CONTENT
        return Phase.WAITING

    def typed(self, line: bytes, at: int) -> list[Action]:
        """A line was typed; `line` is without its line end. Once all is over, it goes nowhere."""
        if self.escaped or line.startswith(ESCAPE):
            return self._order(line.removeprefix(ESCAPE).strip())
        if self.relay.over:
            return []
        if self._shaking:
            self._early.append(line)
            return []
        actions = self._settle(at) + self._show_rest()
        phase = self.phase
        if _is_question(phase, line):
            return [*actions, Tell(advice.answer(self.protocol.name, text(line).strip()[1:], self._last))]
        if MARK.search(line):
            return [*actions, Warn(advice.MARKED)]
        actions += [Warn(warning) for warning in self._warnings(phase, line)]
        done = self._heard(Side.CLIENT, line + b"\r\n", at)
        return [*actions, *done, Remember(_recalled(done))]

    def typed_all(self, at: int) -> list[Action]:
        """Nothing more will be typed; what the server still says is heard."""
        return [] if self.relay.over else self._settle(at) + self._done(self.relay.ended(Side.CLIENT, at))

    def connected(self, host: str, address: str, at: int) -> list[Action]:
        """The server has taken the connection."""
        return self._done(self.relay.connected(host, address, at))

    def failed(self, how: How, reason: str, at: int) -> list[Action]:
        """No connection came about."""
        return self._done(self.relay.failed(how, reason, at))

    def heard(self, octets: bytes, at: int) -> list[Action]:
        """The server said something."""
        if self._opening is None:
            return self._hear(octets, at)
        self._opening += octets
        told = b"\n" in self._opening or len(self._opening) > LONGEST_OPENING
        return self._settle(at) if told else []

    def secured(self, facts: TlsFacts, at: int) -> list[Action]:
        """TLS with the server has begun; what was typed meanwhile goes out."""
        self._tls, self._shaking = facts, False
        self._dialogue.apart = False
        self._dialogue.secured(Side.CLIENT)
        actions = self._done(self.relay.secured(Side.SERVER, facts, at))
        early, self._early = self._early, []
        return [*actions, *(action for line in early for action in self.typed(line, at))]

    def insecure(self, why: Insecure, at: int) -> list[Action]:
        """TLS with the server has failed, in the handshake or later, and the connection with it."""
        self._shaking = False
        return self._show_rest() + self._done(self.relay.insecure(Side.SERVER, why, at))

    def ended(self, how: How, at: int, notified: bool | None = None) -> list[Action]:
        """The server has ended the connection: nothing more can be typed. Under TLS, `notified` tells whether with
        close_notify."""
        actions = self._settle(at) + self._show_rest()
        if how is not How.CLOSED:
            return actions + self._done(self.relay.broke(Side.SERVER, how, at))
        return actions + self._done(self.relay.ended(Side.SERVER, at, notified)) + self.left(at)

    def left(self, at: int) -> list[Action]:
        """The person is gone, and the connection with them."""
        actions = self._settle(at) + self._show_rest()
        for side in Side:
            if side not in self.relay.endings:
                actions += self._done(self.relay.ended(side, at))
        return actions

    # What is heard.

    def _settle(self, at: int) -> list[Action]:
        """Decide on the protocol, which cannot wait any longer, and hear what was held back until then."""
        if self._opening is None:
            return []
        octets, self._opening = self._opening, None
        self.protocol = _spoken(octets) or self.protocol
        before, self.relay.dialogue = self._dialogue, self.protocol.dialogue()
        self._dialogue.apart = before.apart
        for side in Side if self._tls else ():
            self._dialogue.secured(side)
        return self._hear(octets, at) if octets else []

    def _hear(self, octets: bytes, at: int) -> list[Action]:
        actions: list[Action] = []
        *lines, self._unshown = (self._unshown + octets).split(b"\n")
        actions += [Show(_shown(line)) for line in lines]
        before = self._last
        done = self._heard(Side.SERVER, octets, at)
        if any(each.content and each.content.span.side is Side.SERVER for each in _understood(done)):
            actions += self._show_rest()  # counted octets end without a line end
        if self.phase is Phase.SECRET and self._last and self._last is not before:
            asked = advice.challenge(self._last)
            actions += [Tell(asked)] if asked else []
        return actions + done

    def _show_rest(self) -> list[Action]:
        rest, self._unshown = self._unshown, b""
        return [Show(escape(rest) + "\\")] if rest else []

    def _heard(self, side: Side, octets: bytes, at: int) -> list[Action]:
        heard = self.relay.received(side, octets, at)
        done = self._done([orders.Record(heard.entries), orders.Send(side.other, heard.forward)])
        while self.relay.due:
            done += self._done(self.relay.proceed(at))
        return done

    def _done(self, wanted: list[orders.Action]) -> list[Action]:
        """What the relay orders, as far as it concerns the server: there is no other connection."""
        actions: list[Action] = []
        for order in wanted:
            match order:
                case orders.Record(entries) if entries or self._dialogue.exchanges:
                    actions += [self._taken_down(entries), *_told(entries)]
                case orders.Send(Side.SERVER, octets):
                    actions.append(Send(octets))
                case orders.StartTls(Side.SERVER):
                    self._shaking = True
                    actions.append(StartTls())
                case _:
                    pass
        return actions

    def _taken_down(self, entries: list[Entry]) -> TakeDown:
        exchanges, self._dialogue.exchanges = self._dialogue.exchanges, []
        replies = [each.replies for each in exchanges] + [tuple(turn.replies) for turn in self._dialogue.pending]
        self._last = next((said[-1] for said in reversed(replies) if said), self._last)
        return TakeDown(entries, exchanges)

    @property
    def _dialogue(self) -> Dialogue:
        return self.relay.dialogue

    # What is typed.

    def _warnings(self, phase: Phase, line: bytes) -> Iterable[str]:
        match phase:
            case Phase.COMMAND:
                if warning := slip(self.protocol.name, text(line)):
                    yield warning
            case Phase.CONTENT if UNDOUBLED.match(line) and self._dialogue.pending[-1].verb != "BDAT":
                yield advice.UNDOUBLED

    def _order(self, order: bytes) -> list[Action]:
        """A line behind the escape character."""
        self.escaped = not self.escaped and not order
        match order.lower():
            case b"":
                return []
            case b"quit" | b"close" | b"q":
                return [Close()]
            case b"status":
                return [Tell(self._status())]
            case b"?" | b"help":
                return [Tell(advice.ORDERS)]
            case _:
                return [Tell(f"?Invalid command\n{advice.ORDERS}")]

    def _status(self) -> str:
        under = f", under {self._tls.version}" if self._tls else ""
        phase = "the TLS handshake is under way" if self._shaking else self.phase
        lines = [f"{self.protocol.name.upper()} with {self._target}{under}: {phase}."]
        if self._unshown:
            lines.append(f"The server has said {len(self._unshown)} octets with no line end yet.")
        if self._last:
            lines.append(advice.reply(self.protocol.name, self._last.code, self._last.enhanced))
        return "\n".join(lines)


def _told(entries: list[Entry]) -> Iterable[Action]:
    """What the person must know of what was noted: that TLS has begun, and that something went nowhere."""
    for entry in entries:
        match entry:
            case Note(text=said) if said.startswith(AGREED):
                yield Tell(f"=== {said}")
            case Note(text=said) if said.startswith((DISTRUST, DROPPED)):
                yield Warn(said)


def _understood(actions: list[Action]) -> list[Exchange]:
    return [each for action in actions if isinstance(action, TakeDown) for each in action.exchanges]


def _recalled(actions: list[Action]) -> str:
    """What was typed, as it was taken down."""
    entries = [each for action in actions if isinstance(action, TakeDown) for each in action.entries]
    said = b"".join(each.octets for each in entries if isinstance(each, Frame) and each.side is Side.CLIENT)
    return text(said).rstrip("\r\n")


def _is_question(phase: Phase, line: bytes) -> bool:
    match phase:
        case Phase.CONTENT:
            return False
        case Phase.SECRET:
            return line.strip() == b"?"
        case _:
            return line.lstrip().startswith(b"?")


def _shown(line: bytes) -> str:
    """A line as a transcript writes it: a line end that is not CRLF says so."""
    return escape(line[:-1]) if line.endswith(b"\r") else escape(line) + "\\n"


def _spoken(opening: bytes) -> Protocol | None:
    """The protocol that a server's first line is of; None where it is none of them."""
    line = opening.split(b"\n", 1)[0].upper()
    if line[:3].isdigit():
        return LMTP if b"LMTP" in line else SMTP
    if line.startswith((b"+OK", b"-ERR")):
        return POP3
    return POP2 if line.startswith((b"+ ", b"- ")) else None
