"""The party itself: what becomes of the connection comes in, what is to be said and taken down goes out. No sockets."""

from collections.abc import Sequence

from mailproxy.model.octets import Mark, Note, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.talk.probe import advice
from mailproxy.talk.probe.asked import SILENCE
from mailproxy.talk.probe.asking import Action, StartTls
from mailproxy.talk.probe.questions import Questions
from mailproxy.talk.probe.stages import State, Step
from mailproxy.talk.relay import TROUBLE
from mailproxy.talk.typist import TakeDown
from mailproxy.talk.ways import Insecure


class Probe(Questions):
    """Asks one server. Times are in microseconds since the session began. It raises on nothing that a server says.

    `step` is what is waited for now, for `patience` seconds at most before `late` wants to be called; once it is `over`
    nothing is, and `stages` tell what came of it.
    """

    @property
    def patience(self) -> float:
        """Seconds that this stage may take."""
        return min(SILENCE, self.asked.timeout) if self._may_await_tls else self.asked.timeout

    @property
    def security(self) -> Security:
        """How the connection was secured, or was to be."""
        if self.implicit:
            return Security.TLS
        must = self.asked.security is Security.STARTTLS
        return Security.STARTTLS if must or self.progress.passed(Step.STARTTLS) else Security.NONE

    def resolved(self, addresses: Sequence[str], at: int) -> None:
        """The name has addresses, or is one."""
        self.succeed("an address" if [*addresses] == [self.asked.host] else ", ".join(addresses), at)
        self.progress.go(Step.CONNECT, at)

    def unreachable(self, how: How, reason: str, at: int, tried: Sequence[str] = ()) -> list[Action]:
        """The name has no address, or none of those that were `tried` takes the connection."""
        self.fail("; ".join(tried) or reason or TROUBLE[how], advice.UNREACHABLE.get(how, ""), at)
        self.over = True
        return self.ordered(self.relay.failed(how, reason, at))

    def connected(self, address: str, own: str, at: int, tried: Sequence[str] = ()) -> list[Action]:
        """The server has taken the connection at `address`; `own` is ours, `tried` tells of those that did not."""
        self.own = own
        self.succeed("; ".join([*tried, f"{address} in {self.progress.lasts(at) / 1000:.0f} ms"]), at)
        self.progress.go(Step.TLS if self.implicit else Step.GREETING, at)
        return self.ordered(self.relay.connected(self.asked.host, address, at))

    def received(self, octets: bytes, at: int) -> list[Action]:
        """The server has said something."""
        return self.heard(octets, at)

    def secured(self, facts: TlsFacts, at: int) -> list[Action]:
        """TLS has begun."""
        self.tls = facts
        self.relay.dialogue.apart = False
        self.relay.dialogue.secured(Side.CLIENT)
        actions = self.ordered(self.relay.secured(Side.SERVER, facts, at))
        self.succeed(", ".join(filter(None, (facts.version, facts.cipher, facts.group))), at)
        self.weigh(facts, at)
        if not self.implicit:
            return actions + self.hello(Step.HELLO_AGAIN, at)
        self.progress.go(Step.GREETING, at)
        return actions

    def insecure(self, why: Insecure, facts: TlsFacts | None, at: int) -> list[Action]:
        """TLS has failed, in the handshake or later."""
        self.tls = self.tls or facts
        self.fail(*advice.insecure(self.asked, why, self.implicit), at)
        if why.clear:
            self.adopt(why.clear)
        return self.ordered(self.relay.insecure(Side.SERVER, why, at)) + self.close(at)

    def ended(self, how: How, at: int) -> list[Action]:
        """The server has ended the connection."""
        actions = self.settled(at)
        if self.over:
            return actions
        if self.step is Step.QUIT and how is How.CLOSED:
            self.settle(State.ABSENT, "closed without a reply", at)
        else:
            self.fail(f"{how} by the server", advice.ENDED if self.step is Step.GREETING and self.silent else "", at)
        if how is How.CLOSED:
            actions += self.ordered(self.relay.ended(Side.SERVER, at))
        else:
            actions += self.ordered(self.relay.broke(Side.SERVER, how, at))
        return actions + self.close(at)

    def late(self, at: int) -> list[Action]:
        """The patience with this stage is over."""
        if self._may_await_tls:
            note = Note(Mark.FACT, f"nothing was said for {self.patience:g} s: mailproxy tries TLS", at)
            self.implicit = True
            self.progress.go(Step.TLS, at)
            return [TakeDown([note], []), StartTls()]
        within = f"within {self.asked.timeout:g} s"
        if self.step is Step.TLS:
            return self.insecure(Insecure(f"no handshake {within}"), None, at)
        silent = self.step is Step.GREETING and self.silent
        actions = self.settled(at)
        if self.over:
            return actions
        hint = advice.silent(self.asked, self.protocol, self.tls is not None) if silent else advice.SLOW
        self.fail(f"no answer {within}", hint, at)
        return actions + self.ordered(self.relay.broke(Side.SERVER, How.TIMED_OUT, at)) + self.close(at)

    @property
    def _may_await_tls(self) -> bool:
        """Whether the server may be one with which TLS comes first: it says nothing, and nobody knows."""
        unknown = self.asked.security is None and not self.implicit
        return unknown and self.step is Step.GREETING and self.silent
