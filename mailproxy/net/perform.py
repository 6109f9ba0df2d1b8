"""Events in, actions done: one conversation, its two legs and the relay between them."""

import socket
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import trio

from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import How
from mailproxy.model.session import Leg as LegFacts
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.net.authority import AuthorityError
from mailproxy.net.dial import Failure
from mailproxy.net.leg import Hold, Leg, at_once
from mailproxy.net.patience import Patience, Wait
from mailproxy.net.played import PlayedLeg
from mailproxy.net.poll import Poller
from mailproxy.net.reach import Address, Reach, Reached
from mailproxy.net.securing import Securing
from mailproxy.net.spoiled import SpoiledLeg
from mailproxy.talk import in_place
from mailproxy.talk.actions import Action, Close, Finish, Listen, Record, Reset, Send, StartTls
from mailproxy.talk.bridge import own
from mailproxy.talk.faults.fault import NO_TLS_SPOIL
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

_CLIENT: Final = Side.CLIENT


Preface = Callable[[How | None, str, int], bytes]
"""What the client, who asked for this connection, is told of it: how it failed, else from which address it goes."""


class Surroundings(NamedTuple):
    """What all conversations share."""

    poller: Poller
    nursery: trio.Nursery
    patience: Patience


class Owner(Protocol):
    """For whom a conversation is held."""

    def record(self, entries: list[Entry]) -> None:
        """Note what was said; the octets go on once this returns."""

    def understood(self) -> None:
        """The octets have gone on; there is time to look at what they meant."""

    def connected(self, server: LegFacts) -> None:
        """The server has taken the connection."""

    def secured(self, side: Side, facts: TlsFacts) -> None:
        """TLS on a leg has begun, or has failed: what is known of it."""

    def over(self) -> None:
        """Nothing more will come."""

    def failed(self, failure: Exception) -> None:
        """mailproxy itself has failed in this conversation, which is broken off."""


class Conversation:
    """Holds a relay's conversation over sockets. `now` gives microseconds since it began."""

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
        client: socket.socket,
        address: Address,
        relay: Relay,
        owner: Owner,
        surroundings: "Surroundings",
        now: Callable[[], int],
        securing: Securing | None = None,
        preface: "Preface | None" = None,
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
        self._server: Leg | PlayedLeg | SpoiledLeg | None = None
        self._reach = Reach(address, self._poller, self._nursery, now, self._reached)
        self._wait: list[bytes] | None = None
        self._client = Leg(Side.CLIENT, client, self._poller, self)
        at_once(client)

    def start(self) -> None:
        """Listen to the client and connect to the server."""
        self._client.open(self._relay.ways.client_may_begin and not self._preface)
        self._reach.start(tls_first=self._relay.ways.server is Security.TLS)

    def stop(self) -> None:
        """Break off because mailproxy was stopped."""
        if not self._relay.over:
            self._perform(self._relay.stopped(self._now()))

    # What the legs tell.

    def received(self, side: Side, octets: bytes) -> None:
        """Octets came."""
        if not self._relay.over:
            try:
                self._hand_over(side, octets)
            except Exception as failure:  # a bug of ours ends one session, not all
                self._failed(failure)

    def _hand_over(self, side: Side, octets: bytes, ours: bool = False) -> None:
        relay = self._relay
        entries, forward, answer = relay.received(side, octets, self._now())
        if entries:
            self._owner.record(own(entries, side) if ours else entries)
        if forward:
            other = self._server if side is _CLIENT else self._client
            if other:
                other.send(forward)
            else:
                self._keep(forward)
        if answer and not relay.over:
            self._client.send(answer)
        self._proceed()
        self._owner.understood()

    def ended(self, side: Side, notified: bool | None) -> None:
        """A peer has ended its stream."""
        if not self._relay.over:
            self._try(lambda: self._relay.ended(side, self._now(), notified))

    def secured(self, side: Side, tls: Tls) -> None:
        """The TLS handshake with a peer is over."""
        self._handshake_over(side)
        if not self._relay.over:
            self._try(lambda: self._relay.secured(side, self._facts(tls), self._now()))
        if side is Side.SERVER and self._relay.ways.client is not Security.TLS:
            self._hear_early()

    def insecure(self, side: Side, tls: Tls) -> None:
        """TLS with a peer has failed."""
        self._handshake_over(side)
        if not self._relay.over:
            self._try(lambda: self._relay.insecure(side, self._failure(tls), self._now()))

    def broke(self, side: Side, how: How) -> None:
        """A connection has broken."""
        if not self._relay.over:
            self._try(lambda: self._relay.broke(side, how, self._now()))

    def injected(self, octets: bytes) -> None:
        """mailproxy says something in the server's place."""
        if not self._relay.over:
            try:
                self._hand_over(Side.SERVER, octets, ours=True)
            except Exception as failure:  # as above
                self._failed(failure)

    def noted(self, text: str) -> None:
        """A spoiler has done something."""
        if not self._relay.over:
            self._owner.record([Note(Mark.FACT, self._relay.dialogue.without_secrets(text), self._now())])

    def cut_off(self, how: How, notified: bool | None = None) -> None:
        """A spoiler has ended the connection in the server's place."""
        if not self._relay.over:
            self._try(lambda: in_place.ended(self._relay, how, self._now(), notified))

    def pretended(self, found: TlsFacts | Insecure) -> None:
        """A server that stands in has begun TLS, or has failed to."""
        self._handshake_over(Side.SERVER)
        if self._relay.over:
            return
        if isinstance(found, Insecure):
            self._try(lambda: self._relay.insecure(Side.SERVER, found, self._now()))
            return
        assert self._securing is not None
        self._securing.shown(found)
        self._owner.secured(Side.SERVER, found)
        self._try(lambda: self._relay.secured(Side.SERVER, found, self._now()))
        if self._relay.ways.client is not Security.TLS:
            self._hear_early()

    def fell(self, failure: Exception) -> None:
        """A server that stands in, or a spoiler, has failed."""
        if not self._relay.over:
            self._failed(failure)

    def congested(self, side: Side, congested: bool) -> None:
        """One peer takes no more for now: the other is not read."""
        other = self._client if side is Side.SERVER else self._server
        if other:
            other.hold(Hold.ROOM, congested)

    # Inside.

    def _proceed(self) -> None:
        relay = self._relay
        while relay.due and not relay.over:
            self._perform(relay.proceed(self._now()))

    def _try(self, event: Callable[[], list[Action]]) -> None:
        try:
            self._perform(event())
            self._proceed()
        except Exception as failure:  # as above
            self._failed(failure)

    def _failed(self, failure: Exception) -> None:
        self._relay.over = True
        self._reach.give_up()
        self._stop_waiting()
        self._client.reset()
        if self._server:
            self._server.reset()
        self._leave_spoiler()
        self._owner.failed(failure)

    def _reached(self, found: Reached | Failure) -> None:
        """The server has taken the connection, or has not."""
        if self._relay.over:
            return
        if isinstance(found, Failure):
            self._answer_preface(found.how, ("", 0))
            self._perform(self._relay.failed(found.how, found.reason, self._now()))
            return
        make, facts = found
        self._owner.connected(facts)
        leg: Leg | PlayedLeg | SpoiledLeg
        if self._address.spoiler:
            leg = SpoiledLeg(self._address.spoiler, self._nursery, self)
            leg.inner = make(leg)
        else:
            leg = make(self)
        self._server = leg
        self._answer_preface(None, (facts.local_address, facts.local_port))
        leg.open()
        at = facts.connected or 0
        self._try(lambda: self._relay.connected(self._address.host, facts.address, at))
        if isinstance(leg, SpoiledLeg):
            leg.begin()
        self._catch_up(leg)
        if self._relay.ways.server is Security.STARTTLS and not (self._stall or self._relay.over):
            self._have_patience(Side.SERVER, "TLS was not begun")
        if self._relay.ways.client_may_begin:
            self._hear_early()

    def _hear_early(self) -> None:
        """Hear what the client said before it could be read; where its connection is to be secured, TLS hears that."""
        early, self._early = self._early, b""
        if early:
            self.received(Side.CLIENT, early)

    def _catch_up(self, server: Leg | PlayedLeg | SpoiledLeg) -> None:
        """Hand over what the client said, and that it has ended, before there was a server."""
        waiting, self._wait = self._wait, None
        if waiting is None:
            return
        self._client.hold(Hold.SERVER, False)
        for octets in waiting:
            server.send(octets)
        if Side.CLIENT in self._relay.endings:
            server.finish()

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
        spoil = self._server.shown() if side is _CLIENT and isinstance(self._server, SpoiledLeg) else NO_TLS_SPOIL
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

    def _answer_preface(self, how: How | None, own: tuple[str, int]) -> None:
        """Tell the client what became of the connection that it asked for, and listen to what it has to say."""
        if self._preface:
            self._client.send(self._preface(how, own[0], own[1]))
            if how is None and self._relay.ways.client_may_begin:
                self._client.hold(Hold.ORDER, False)

    def _leg(self, side: Side) -> Leg | PlayedLeg | SpoiledLeg | None:
        return self._client if side is Side.CLIENT else self._server

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
