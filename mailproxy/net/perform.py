"""Events in, actions done: one conversation, its two legs and the relay between them.

What happens is heard here; what the relay wants then is done in `net.acting`.
"""

import socket
from collections.abc import Callable
from typing import Final

from mailproxy.model.octets import Mark, Note, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.net.acting import Acting, AnyLeg
from mailproxy.net.dial import Failure
from mailproxy.net.leg import Hold, Leg, at_once
from mailproxy.net.owner import Owner, Preface, Surroundings
from mailproxy.net.reach import Address, Reach, Reached
from mailproxy.net.securing import Securing
from mailproxy.net.spoiled import SpoiledLeg
from mailproxy.talk import in_place
from mailproxy.talk.actions import Action
from mailproxy.talk.bridge import own
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

_CLIENT: Final = Side.CLIENT


class Conversation(Acting):
    """Holds a relay's conversation over sockets. `now` gives microseconds since it began."""

    __slots__ = ()

    def __init__(
        self,
        client: socket.socket,
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
        super().__init__(address, relay, owner, surroundings, now, securing, preface, early)
        self._reach = Reach(address, self._poller, self._nursery, now, self._reached)
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
        leg: AnyLeg
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
