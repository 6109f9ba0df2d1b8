"""Stands between the relay and the server's connection, above TLS, and spoils what passes.

Events come in by method, orders come out. What no fault touches passes unchanged and at once: a client's line is held
only while it may be a command that a fault waits for, a unit of the server only where a fault wants to see it whole.
A command that is not passed on is answered in its turn, behind the replies that the server still owes to those before.
"""

from collections.abc import Sequence

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.protocols import named
from mailproxy.protocols.turn import Turn
from mailproxy.talk.faults.asked import Asked, Manner
from mailproxy.talk.faults.asked import Piece as ClientPiece
from mailproxy.talk.faults.ear import Ear
from mailproxy.talk.faults.fault import NO_TLS_SPOIL, Fault, Place, Sort, TlsSpoil, Unit
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass
from mailproxy.talk.faults.places import Places
from mailproxy.talk.faults.said import Piece as ServerPiece
from mailproxy.talk.faults.said import Said
from mailproxy.talk.faults.times import SessionCount
from mailproxy.talk.faults.units import Units
from mailproxy.talk.faults.withheld import Withheld


class Spoiler:
    """The party that spoils one session. `tls` is what is wrong with TLS with the client, once that was `shown`."""

    def __init__(self, protocol: str, faults: Sequence[Fault], session: SessionCount) -> None:
        self.tls: TlsSpoil = NO_TLS_SPOIL
        known = named(protocol)
        self._session = session
        self._ear = Ear(known)
        self._said = Said(self._ear)
        self._places = Places(faults, session)
        self._units = Units(known, self._places)
        self._withheld = Withheld(known, self._ear, self._places)
        wanted = self._withheld.wanted()
        careful = bool(wanted) or any(fault.where.place is Place.CONTENT for fault in faults)
        self._asked = Asked(self._ear, wanted, careful)

    # Events.

    def connected(self) -> list[Order]:
        """The server has taken the connection."""
        self._places.come_to(Place.ANYWHERE, "from the start")
        self._places.come_to(Place.CONNECT, "on connect")
        return self._places.taken()

    def said(self, octets: bytes, at: int = 0) -> list[Order]:
        """The server has said something."""
        self._ear.at = at
        for part in self._places.parts(Side.SERVER, octets):
            while part and not self._places.over:
                piece = self._said.next(part)
                part = part[len(piece.octets) :]
                self._server_said(piece)
        return self._places.taken()

    def asked(self, octets: bytes, at: int = 0) -> list[Order]:
        """The client has said something, which is on its way to the server."""
        self._ear.at = at
        for part in self._places.parts(Side.CLIENT, octets):
            self._asked.add(part)
            self._go_on()
        return self._places.taken()

    def ended(self, notified: bool | None) -> list[Order]:
        """The server has ended its stream; under TLS, `notified` tells whether with a close_notify."""
        self._let_go()
        self._places.give(Close(notified is not False))
        return self._places.taken()

    def broke(self, how: How) -> list[Order]:
        """The connection with the server has broken."""
        self._let_go()
        self._places.give(Break(how))
        return self._places.taken()

    def client_ended(self) -> list[Order]:
        """The client has ended its stream: what was held of it goes on."""
        self._go_on(let_go=True)
        self._units.release(Side.CLIENT)
        return self._places.taken()

    def secured(self) -> list[Order]:
        """TLS with the server has begun: both sides speak anew."""
        self._let_go()
        self._places.give(Pass(self._asked.anew()))
        self._ear.secured()
        self._said = Said(self._ear)
        self._withheld.forget()
        return self._places.taken()

    def shown(self) -> list[Order]:
        """TLS with the client is about to begin: `tls` says what is to be wrong with it."""
        for fault in self._places.faults:
            spoil = fault.what.tls()
            if spoil != NO_TLS_SPOIL and self._session.due(fault):
                self._places.tell(fault, f"{fault.what.says} in TLS with the client")
                alert = self.tls.alert if spoil.alert is None else spoil.alert
                self.tls = TlsSpoil(alert, self.tls.faults | spoil.faults)
        return self._places.taken()

    def leave(self) -> None:
        """The session is over."""
        self._session.leave()

    # What the client says.

    def _go_on(self, let_go: bool = False) -> None:
        while not self._places.over and (piece := self._asked.next(let_go)):
            match piece.manner, piece.turn:
                case Manner.COMMAND, Turn() as turn:
                    self._command(piece.octets, turn)
                case Manner.MESSAGE, Turn() as turn:
                    self._client_message(piece, turn)
                case _, turn if turn not in self._withheld:
                    self._places.give(Pass(piece.octets))
            self._answer()

    def _command(self, line: bytes, turn: Turn) -> None:
        number = self._ear.number_of(turn)
        self._places.come_to(Place.COMMAND, f"before {turn.verb} {number}", number, turn.verb)
        if not self._withheld.take(turn):
            self._places.give(Pass(line))

    def _client_message(self, piece: ClientPiece, turn: Turn) -> None:
        if piece.first:
            number = self._ear.new_message(turn)
            self._units.begin(Unit(Side.CLIENT, Sort.MESSAGE, turn.verb, self._ear.number_of(turn), number))
        if turn not in self._withheld:
            self._units.go_on(Side.CLIENT, piece.octets, piece.last)
        if piece.last:
            self._units.end(Side.CLIENT)
            if turn in self._withheld:
                self._withheld.answer_message(turn)

    # What the server says, and what is said in its place.

    def _server_said(self, piece: ServerPiece) -> None:
        unit = piece.unit
        if unit is None:
            self._units.release(Side.SERVER)
            self._places.give(Hand(piece.octets))
            return
        if piece.first:
            self._units.begin(unit)
        self._units.go_on(Side.SERVER, piece.octets, piece.last, piece.code)
        if not piece.last:
            return
        self._units.end(Side.SERVER)
        self._ended(piece.told)
        self._answer()
        self._go_on()

    def _answer(self) -> None:
        """Give the replies that are due in the server's place, if the server is not in the midst of one."""
        while not self._places.over and self._said.unit is None and (turn := self._ear.head):
            reply = self._withheld.owed(turn)
            if reply is None:
                return
            self._places.give(Hand(reply, own=True))
            self._ended(self._ear.stand_in(turn, reply))

    def _ended(self, told: Sequence[Exchange]) -> None:
        """Exchanges are over: what is to happen behind them."""
        for exchange in told:
            number = self._ear.done(exchange)
            if Flag.GREETING in exchange.flags:
                self._places.come_to(Place.GREETING, "behind the greeting", after=True)
            elif exchange.replies and number:
                self._places.come_to(
                    Place.COMMAND, f"behind {exchange.verb} {number}", number, exchange.verb, after=True
                )

    def _let_go(self) -> None:
        for side in Side:
            self._units.release(side)
