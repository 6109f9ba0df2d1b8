"""Stands between the relay and the server's connection, above TLS, and spoils what passes.

Events come in by method, orders come out. What no fault touches passes unchanged and at once: a client's line is held
only while it may be a command that a fault waits for, a unit of the server only where a fault wants to see it whole.
A command that is not passed on is answered in its turn, behind the replies that the server still owes to those before.
"""

from collections.abc import Iterator, Sequence

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.protocols import named
from mailproxy.protocols.turn import Turn
from mailproxy.talk.faults.asked import Asked, Manner
from mailproxy.talk.faults.asked import Piece as ClientPiece
from mailproxy.talk.faults.ear import Ear
from mailproxy.talk.faults.fault import NO_TLS_SPOIL, Fault, Place, Sort, Stream, TlsSpoil, Unit
from mailproxy.talk.faults.given import Given
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass, Tell
from mailproxy.talk.faults.passage import Passage
from mailproxy.talk.faults.said import Piece as ServerPiece
from mailproxy.talk.faults.said import Said
from mailproxy.talk.faults.streams import Instead
from mailproxy.talk.faults.tells import answered, dropped, spoiled
from mailproxy.talk.faults.times import SessionCount


class Spoiler:
    """The party that spoils one session. `tls` is what is wrong with TLS with the client, once that was `shown`."""

    def __init__(self, protocol: str, faults: Sequence[Fault], session: SessionCount) -> None:
        self.tls: TlsSpoil = NO_TLS_SPOIL
        self._protocol = named(protocol)
        self._faults = tuple(faults)
        self._session = session
        self._ear = Ear(self._protocol)
        self._said = Said(self._ear)
        wanted = {verb.encode() for fault in faults if (verb := self._wants(fault))}
        careful = bool(wanted) or any(fault.where.place is Place.CONTENT for fault in faults)
        self._asked = Asked(self._ear, wanted, careful)
        self._given = Given()
        self._own: dict[int, bytes] = {}  # replies in the server's place that are still to be given
        self._nowhere: set[int] = set()  # turns of commands that were not passed on
        self._passing: dict[Side, Passage] = {}  # the units at hand
        self._octets = dict.fromkeys(Side, 0)
        self._told: set[Fault] = set()

    # Events.

    def connected(self) -> list[Order]:
        """The server has taken the connection."""
        self._come_to(Place.ANYWHERE, "from the start")
        self._come_to(Place.CONNECT, "on connect")
        return self._given.taken()

    def said(self, octets: bytes, at: int = 0) -> list[Order]:
        """The server has said something."""
        self._ear.at = at
        for part in self._parts(Side.SERVER, octets):
            while part and not self._given.over:
                piece = self._said.next(part)
                part = part[len(piece.octets) :]
                self._server_said(piece)
        return self._given.taken()

    def asked(self, octets: bytes, at: int = 0) -> list[Order]:
        """The client has said something, which is on its way to the server."""
        self._ear.at = at
        for part in self._parts(Side.CLIENT, octets):
            self._asked.add(part)
            self._go_on()
        return self._given.taken()

    def ended(self, notified: bool | None) -> list[Order]:
        """The server has ended its stream; under TLS, `notified` tells whether with a close_notify."""
        self._let_go()
        self._given.give(Close(notified is not False))
        return self._given.taken()

    def broke(self, how: How) -> list[Order]:
        """The connection with the server has broken."""
        self._let_go()
        self._given.give(Break(how))
        return self._given.taken()

    def client_ended(self) -> list[Order]:
        """The client has ended its stream: what was held of it goes on."""
        self._go_on(let_go=True)
        self._release(Side.CLIENT)
        return self._given.taken()

    def secured(self) -> list[Order]:
        """TLS with the server has begun: both sides speak anew."""
        self._let_go()
        self._given.give(Pass(self._asked.anew()))
        self._ear.secured()
        self._said = Said(self._ear)
        self._own.clear()
        self._nowhere.clear()
        return self._given.taken()

    def shown(self) -> list[Order]:
        """TLS with the client is about to begin: `tls` says what is to be wrong with it."""
        for fault in self._faults:
            spoil = fault.what.tls()
            if spoil != NO_TLS_SPOIL and self._session.due(fault):
                self._tell(f"{fault.what.says} in TLS with the client")
                alert = self.tls.alert if spoil.alert is None else spoil.alert
                self.tls = TlsSpoil(alert, self.tls.faults | spoil.faults)
        return self._given.taken()

    def leave(self) -> None:
        """The session is over."""
        self._session.leave()

    # What the client says.

    def _wants(self, fault: Fault) -> str:
        """The verb of the command that a fault waits for, empty where it waits for none."""
        what, where = fault.what, fault.where
        if where.place is Place.ANYWHERE:
            return self._protocol.dialogue.upgrade if what.upgrades else ""
        acts = what.deed() or what.drops or what.pace() or what.instead(self._protocol) is not None
        return where.verb if acts and not where.after else ""

    def _go_on(self, let_go: bool = False) -> None:
        while not self._given.over and (piece := self._asked.next(let_go)):
            match piece.manner, piece.turn:
                case Manner.COMMAND, Turn() as turn:
                    self._command(piece.octets, turn)
                case Manner.MESSAGE, Turn() as turn:
                    self._client_message(piece, turn)
                case _, turn if not turn or turn.number not in self._nowhere:
                    self._given.give(Pass(piece.octets))
            self._answer()

    def _command(self, line: bytes, turn: Turn) -> None:
        number = self._ear.number_of(turn)
        self._come_to(Place.COMMAND, f"before {turn.verb} {number}", number, turn.verb)
        fault = next((each for each in self._faults if self._takes(each, turn.verb, number)), None)
        if fault is None:
            self._given.give(Pass(line))
            return
        self._nowhere.add(turn.number)
        reply = fault.what.instead(self._protocol)
        if reply is not None:
            self._own[turn.number] = reply
        else:
            self._tell(dropped(turn.verb, number))
            self._ear.forget(turn)

    def _takes(self, fault: Fault, verb: str, number: int) -> bool:
        """Whether a fault takes this command, so that it does not go on."""
        if not (fault.what.drops or fault.what.instead(self._protocol) is not None):
            return False
        if fault.where.place is Place.ANYWHERE:
            here = fault.what.upgrades and verb == self._protocol.dialogue.upgrade
        else:
            here = fault.where.is_at(Place.COMMAND, number, verb)
        return here and self._session.due(fault)

    def _client_message(self, piece: ClientPiece, turn: Turn) -> None:
        if piece.first:
            number = self._ear.new_message(turn)
            self._begin(Unit(Side.CLIENT, Sort.MESSAGE, turn.verb, self._ear.number_of(turn), number))
        if turn.number not in self._nowhere:
            self._pass(Side.CLIENT, piece.octets, piece.last)
        if piece.last:
            self._message_ended(self._passing.pop(Side.CLIENT).unit)
            self._reply_to_nothing(turn)

    def _reply_to_nothing(self, turn: Turn) -> None:
        """A message that has not gone on is answered here, if a fault says how."""
        if turn.number not in self._nowhere:
            return
        number = self._ear.messages_of.get(turn.number, 0)
        for fault in self._faults:
            reply = fault.what.instead(self._protocol)
            if reply is not None and fault.where.is_at(Place.CONTENT, number) and self._session.due(fault):
                self._own.setdefault(turn.number, reply)

    # What the server says, and what is said in its place.

    def _server_said(self, piece: ServerPiece) -> None:
        unit = piece.unit
        if unit is None:
            self._release(Side.SERVER)
            self._given.give(Hand(piece.octets))
            return
        if piece.first:
            self._begin(unit)
        self._pass(Side.SERVER, piece.octets, piece.last, piece.code)
        if not piece.last:
            return
        self._passing.pop(Side.SERVER, None)
        if unit.sort is Sort.MESSAGE:
            self._message_ended(unit)
        self._ended(piece.told)
        self._answer()
        self._go_on()

    def _answer(self) -> None:
        """Give the replies that are due in the server's place, if the server is not in the midst of one."""
        while not self._given.over and self._said.unit is None and (turn := self._ear.head):
            reply = self._own.pop(turn.number, None)
            if reply is None:
                return
            number = self._ear.number_of(turn)
            self._tell(answered(turn.verb, number, reply, bool(turn.replies)))
            self._given.give(Hand(reply, own=True))
            self._ended(self._ear.stand_in(turn, reply))

    def _ended(self, told: Sequence[Exchange]) -> None:
        """Exchanges are over: what is to happen behind them."""
        for exchange in told:
            number = self._ear.done(exchange)
            if Flag.GREETING in exchange.flags:
                self._come_to(Place.GREETING, "behind the greeting", after=True)
            elif exchange.replies and number:
                self._come_to(Place.COMMAND, f"behind {exchange.verb} {number}", number, exchange.verb, after=True)

    # What both say.

    def _parts(self, side: Side, octets: bytes) -> Iterator[bytes]:
        """Octets, cut where faults wait for one of them."""
        spots = {f.where.number for f in self._faults if f.where.place is Place.OCTET and f.where.side is side}
        for spot in sorted(spots):
            length = spot - 1 - self._octets[side]
            if 0 <= length < len(octets):
                yield octets[:length]
                self._octets[side] += length
                octets = octets[length:]
                self._come_to(Place.OCTET, f"before octet {spot} of the {side}", spot, side=side)
        self._octets[side] += len(octets)
        yield octets

    def _begin(self, unit: Unit) -> None:
        """A unit begins: faults come to it."""
        if unit.sort is Sort.GREETING:
            self._come_to(Place.GREETING, "before the greeting")
        elif unit.sort is Sort.MESSAGE:
            self._come_to(Place.CONTENT, f"before message {unit.message}", unit.message)
        changes = [(fault, stream) for fault in self._faults if (stream := self._stream(fault, unit))]
        message = unit.sort is Sort.MESSAGE
        inside = [fault for fault in self._faults if message and fault.where.octets and fault.where.covers(unit)]
        self._passing[unit.side] = Passage(unit, changes, [fault for fault in inside if self._session.due(fault)])

    def _stream(self, fault: Fault, unit: Unit) -> Stream | None:
        if fault.where.after or not fault.where.covers(unit):
            return None
        stream = fault.what.stream(unit, self._protocol)
        if stream is None and fault.where.place in {Place.GREETING, Place.CONTENT} and unit.sort is not Sort.MESSAGE:
            reply = fault.what.instead(self._protocol)
            stream = Instead(reply) if reply is not None else None
        return stream if stream and self._session.due(fault) else None

    def _pass(self, side: Side, octets: bytes, last: bool, code: str = "") -> None:
        passage = self._passing[side]
        for part, fault in passage.parts(octets):
            self._hand(passage, passage.feed(part, last and fault is None), code)
            if fault:
                self._do(fault, f"behind {fault.where.octets} octets of message {passage.unit.message}")

    def _hand(self, passage: Passage, hands: Sequence[Hand], code: str = "") -> None:
        said = [hand for hand in hands[:1] if not hand.own]
        self._send(passage.unit.side, said)
        for fault in passage.at_work():
            if fault.where.place is not Place.ANYWHERE or fault not in self._told:
                self._told.add(fault)
                self._tell(spoiled(fault, passage.unit, fault.what.instead(self._protocol), code))
        self._send(passage.unit.side, hands[len(said) :])

    def _send(self, side: Side, hands: Sequence[Hand]) -> None:
        self._given.give(*(Pass(hand.octets) if side is Side.CLIENT else hand for hand in hands))

    def _message_ended(self, unit: Unit) -> None:
        self._session.messages += 1
        self._come_to(Place.CONTENT, f"behind message {unit.message}", unit.message, after=True)

    def _release(self, side: Side) -> None:
        """A unit will have no end: what was held of it goes on."""
        if passage := self._passing.pop(side, None):
            self._hand(passage, passage.let_go())

    def _let_go(self) -> None:
        for side in Side:
            self._release(side)

    def _come_to(
        self, place: Place, here: str, number: int = 0, verb: str = "", after: bool = False, side: Side = Side.SERVER
    ) -> None:
        """Do what is to be done at a place."""
        for fault in self._faults:
            where, what = fault.where, fault.what
            here_it_is = where.is_at(place, number, verb, after) and where.side is side and not where.octets
            if here_it_is and (what.deed() or what.pace()) and self._session.due(fault):
                self._do(fault, here)

    def _do(self, fault: Fault, here: str) -> None:
        if self._given.over:
            return
        self._tell(f"{fault.what.says} {here}")
        deed = () if fault.where.place is Place.ANYWHERE else fault.what.deed()
        self._given.give(*deed)
        if not deed and (pace := fault.what.pace()):
            self._given.slow_down(pace)

    def _tell(self, text: str) -> None:
        self._given.give(Tell(f"fault: {text}"))
