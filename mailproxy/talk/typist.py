"""A session that a person types: lines typed and octets heard come in, what is to be sent and shown goes out.

It is a relay whose client is the keyboard. Octets are sent as they were typed, with CRLF behind each line; whoever
types a message doubles its dots. What is taken down is in recorded form: secrets are masked, and so is what may be
recalled.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.mask import MARK
from mailproxy.model.octets import Entry, Frame, Side
from mailproxy.model.session import How
from mailproxy.protocols import LMTP, POP2, POP3, SMTP
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.guide import slip
from mailproxy.protocols.turn import Move, text
from mailproxy.talk import actions as orders
from mailproxy.talk import advice
from mailproxy.talk.relay import Relay

ESCAPE: Final = b"\x1d"
PROMPT: Final = "telnet> "
UNDOUBLED: Final = re.compile(rb"\.[^.]")
LONGEST_OPENING: Final = 512


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


class Close(NamedTuple):
    """End the connection."""


Action = Send | Show | Tell | Warn | Remember | TakeDown | Close


class Phase(StrEnum):
    """What the next line that is typed is."""

    WAITING = "a reply is awaited"
    COMMAND = "a command can be typed"
    CONTENT = "a message is being typed"
    SECRET = "a response to a login is being typed"


class Typist:
    """One session by hand. Times are in microseconds since it began. It raises on nothing typed or heard.

    Where the protocol is not `sure`, the server's first line says which it is. `escaped` tells that the next line
    is an order to mailproxy.
    """

    def __init__(self, protocol: Protocol, target: str, *, sure: bool = True) -> None:
        self.protocol = protocol
        self.relay = Relay(protocol.dialogue())
        self.escaped = False
        self._target = target
        self._opening: bytes | None = None if sure else b""
        self._unshown = b""
        self._last: Reply | None = None

    @property
    def phase(self) -> Phase:
        """What the next line that is typed is."""
        pending = self._dialogue.pending
        if not self._dialogue.greeted:
            return Phase.WAITING
        if not pending:
            return Phase.COMMAND
        if pending[-1].verb == "BDAT" and pending[-1].open:
            return Phase.CONTENT
        if pending[0].move is Move.CLIENT:
            return Phase.SECRET if pending[0].verb == "AUTH" else Phase.CONTENT
        return Phase.WAITING

    def typed(self, line: bytes, at: int) -> list[Action]:
        """A line was typed; `line` is without its line end."""
        if self.escaped or line.startswith(ESCAPE):
            return self._order(line.removeprefix(ESCAPE).strip())
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
        return self._settle(at) + self._done(self.relay.ended(Side.CLIENT, at))

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

    def ended(self, how: How, at: int) -> list[Action]:
        """The server has ended the connection: nothing more can be typed."""
        actions = self._settle(at) + self._show_rest()
        if how is not How.CLOSED:
            return actions + self._done(self.relay.broke(Side.SERVER, how, at))
        return actions + self._done(self.relay.ended(Side.SERVER, at)) + self.left(at)

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
        self.relay.dialogue = self.protocol.dialogue()
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
        return self._done([orders.Record(heard.entries), orders.Send(side.other, heard.forward)])

    def _done(self, wanted: list[orders.Action]) -> list[Action]:
        """What the relay orders, as far as it concerns the server: there is no other connection."""
        actions: list[Action] = []
        for order in wanted:
            match order:
                case orders.Record(entries) if entries or self._dialogue.exchanges:
                    actions.append(self._taken_down(entries))
                case orders.Send(Side.SERVER, octets):
                    actions.append(Send(octets))
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
                if line.strip().upper() == self._dialogue.upgrade.encode() != b"":
                    yield advice.UPGRADE
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
        lines = [f"{self.protocol.name.upper()} with {self._target}: {self.phase}."]
        if self._unshown:
            lines.append(f"The server has said {len(self._unshown)} octets with no line end yet.")
        if self._last:
            lines.append(advice.reply(self.protocol.name, self._last.code, self._last.enhanced))
        return "\n".join(lines)


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
