"""What a relay wants done, done: with the legs of one conversation, TLS on them and its clocks."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.net.authority import AuthorityError
from mailproxy.net.leg import Hold, Leg
from mailproxy.net.owner import Owner, Preface, Surroundings
from mailproxy.net.patience import Wait
from mailproxy.net.played import PlayedLeg
from mailproxy.net.reach import Address, Reach
from mailproxy.net.securing import Securing
from mailproxy.net.spoiled import SpoiledLeg
from mailproxy.talk.actions import Action, Close, Finish, Listen, Record, Reset, Send, StartTls
from mailproxy.talk.faults.fault import NO_TLS_SPOIL
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

AnyLeg = Leg | PlayedLeg | SpoiledLeg


class Acting(ABC):
    """The legs of a conversation, and what is done with them. `now` gives microseconds since it began."""

    _client: Leg
    _reach: Reach
    __slots__ = (
        "_address",
        "_client",
        "_early",
        "_now",
        "_nursery",
        "_owner",
        "_patience",
        "_poller",
        "_preface",
        "_reach",
        "_relay",
        "_securing",
        "_server",
        "_stall",
        "_wait",
    )

    def __init__(
        self,
        address: Address,
        relay: Relay,
        owner: Owner,
        surroundings: Surroundings,
        now: Callable[[], int],
        securing: Securing | None = None,
        preface: Preface | None = None,
        early: bytes = b"",
    ) -> None:
        """`early` is what the client said already, behind what it asked for; `preface` answers that."""
        self._relay = relay
        self._owner = owner
        self._poller, self._nursery, self._patience = surroundings
        self._now = now
        self._securing = securing
        self._preface = preface
        self._early = early
        self._stall: Wait | None = None
        self._address = address
        self._server: AnyLeg | None = None
        self._wait: list[bytes] | None = None

    @abstractmethod
    def insecure(self, side: Side, tls: Tls) -> None:
        """TLS with a peer has failed."""

    @abstractmethod
    def _try(self, event: Callable[[], list[Action]]) -> None:
        """Have the relay hear of an event, and do what it wants then."""

    # What a relay wants.

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Record(entries):
                    if entries:
                        self._owner.record(entries)
                case Send(to, octets):
                    if leg := self._leg(to):
                        leg.send(octets)
                    else:
                        self._keep(octets)
                case StartTls(side):
                    self._start_tls(side)
                case Listen(side, on):
                    if leg := self._leg(side):
                        leg.hold(Hold.ORDER, not on)
                case Finish(to, notify):
                    self._finish(to, notify)
                case Reset(to):
                    if leg := self._leg(to):
                        leg.reset()
                case Close():
                    self._close()

    def _keep(self, octets: bytes) -> None:
        """Keep what the client says before there is a server."""
        if self._wait is None:
            self._wait = [octets]
            self._client.hold(Hold.SERVER, True)
        else:
            self._wait.append(octets)

    def _finish(self, to: Side, notify: bool) -> None:
        leg = self._leg(to)
        if leg:
            leg.finish(notify)
        elif self._wait is None:
            self._wait = []

    def _close(self) -> None:
        self._reach.give_up()
        self._stop_waiting()
        self._client.close()
        if self._server:
            self._server.close()
        self._leave_spoiler()
        self._owner.over()

    def _leave_spoiler(self) -> None:
        if self._address.spoiler:
            self._address.spoiler.leave()

    def _leg(self, side: Side) -> AnyLeg | None:
        return self._client if side is Side.CLIENT else self._server

    def _catch_up(self, server: AnyLeg) -> None:
        """Hand over what the client said, and that it has ended, before there was a server."""
        waiting, self._wait = self._wait, None
        if waiting is None:
            return
        self._client.hold(Hold.SERVER, False)
        for octets in waiting:
            server.send(octets)
        if Side.CLIENT in self._relay.endings:
            server.finish()

    def _answer_preface(self, how: How | None, own: tuple[str, int]) -> None:
        """Tell the client what became of the connection that it asked for, and listen to what it has to say."""
        if self._preface:
            self._client.send(self._preface(how, own[0], own[1]))
            if how is None and self._relay.ways.client_may_begin:
                self._client.hold(Hold.ORDER, False)

    # TLS.

    def _start_tls(self, side: Side) -> None:
        leg, other = self._leg(side), self._leg(side.other)
        assert self._securing is not None
        if leg is None or leg.closed:
            return
        if other:
            other.hold(Hold.HANDSHAKE, True)
        if isinstance(leg, PlayedLeg | SpoiledLeg) and self._address.stand_in:
            leg.start_tls()
            return
        spoil = self._server.shown() if side is Side.CLIENT and isinstance(self._server, SpoiledLeg) else NO_TLS_SPOIL
        try:
            tls = self._securing.begin(side, spoil)
        except (AuthorityError, OSError, ValueError) as error:
            self._perform(self._relay.insecure(side, Insecure(str(error)), self._now()))
            return
        self._stop_waiting()
        self._stall = self._patience.after(self._securing.patience, lambda: self._stalled(side, tls))
        early = b""
        if side is Side.CLIENT:
            early, self._early = self._early, b""
        if isinstance(leg, Leg | SpoiledLeg):
            leg.secure(tls, early)

    def _stalled(self, side: Side, tls: Tls) -> None:
        assert self._securing is not None
        what = "the handshake was not finished" if tls.peer_spoke else "nothing was said"
        tls.give_up(f"{what} within {self._securing.patience:g} s")
        self.insecure(side, tls)

    def _have_patience(self, side: Side, what: str) -> None:
        """Wait for TLS to begin, for as long as for a handshake."""
        assert self._securing is not None
        seconds = self._securing.patience
        why = Insecure(f"{what} within {seconds:g} s", by=side)
        self._stall = self._patience.after(
            seconds, lambda: self._try(lambda: self._relay.insecure(side, why, self._now()))
        )

    def _stop_waiting(self) -> None:
        stall, self._stall = self._stall, None
        if stall:
            stall.cancel()

    def _handshake_over(self, side: Side) -> None:
        self._stop_waiting()
        if other := self._leg(side.other):
            other.hold(Hold.HANDSHAKE, False)

    def _facts(self, tls: Tls) -> TlsFacts:
        assert self._securing is not None
        facts = self._securing.facts(tls)
        self._owner.secured(tls.peer, facts)
        return facts

    def _failure(self, tls: Tls) -> Insecure:
        self._facts(tls)
        by = tls.by if tls.by is tls.peer else None
        return Insecure(tls.failure, tls.alert_number, by, tls.clear)
