"""What a mail program would ask: EHLO or CAPA, TLS, EHLO or CAPA again, a login where one is wanted, QUIT.

Where a stage fails and the server still listens, it is taken leave of, and the stages between are not reached.
"""

from collections.abc import Iterator

from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.talk.probe import advice
from mailproxy.talk.probe.asked import Asked
from mailproxy.talk.probe.asking import Action, Asking
from mailproxy.talk.probe.login import CANCEL, lines
from mailproxy.talk.probe.offers import Offers, of_listing, of_reply, told
from mailproxy.talk.probe.stages import State, Step


class Questions(Asking):
    """Asks one thing after the other.

    What was learnt stands in `greeting`, and in what was offered in `clear` and `under_tls`; None where it was not.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.greeting = ""
        self.clear: Offers | None = None
        self.under_tls: Offers | None = None
        self.own = "localhost"
        self._lines: list[bytes] = []

    def answered(self, exchange: Exchange, at: int) -> list[Action]:
        upgrading = self.protocol.upgrading
        match self.step:
            case Step.GREETING if Flag.GREETING in exchange.flags:
                return self._greeted(exchange, at)
            case Step.GREETING if Flag.UNPARSED in exchange.flags:
                self.fail(*advice.stranger(self.asked, self.answer), at)
                return self.close(at)
            case Step.HELLO | Step.HELLO_AGAIN if upgrading and exchange.verb in upgrading.asks:
                return self._offered(exchange, at)
            case Step.STARTTLS if upgrading and exchange.verb == upgrading.verb:
                return self._granted(exchange, at)
            case Step.LOGIN if exchange.verb in {"AUTH", "USER", "PASS", "HELO"}:
                return self._let_in(exchange, at)
            case Step.QUIT if exchange.verb == "QUIT":
                self.judge(exchange, at)
                return self.close(at)
            case _:
                return []

    def challenged(self, at: int) -> list[Action]:
        if self.step is not Step.LOGIN:
            return []
        return self.say(self._lines.pop(0) if self._lines else CANCEL, at)

    def hello(self, step: Step, at: int) -> list[Action]:
        """Ask what the server offers."""
        assert self.protocol.upgrading
        self.progress.go(step, at)
        return self.say(self.protocol.upgrading.hello(self.own), at)

    def weigh(self, facts: TlsFacts, at: int) -> None:
        """Look at what the server presented."""
        self.progress.go(Step.CHAIN, at)
        count = len(facts.chain)
        self.settle(State.PASSED if count else State.FAILED, f"{count} certificate{'s' * (count != 1)}", at)
        self.progress.go(Step.TRUST, at)
        if facts.faults:
            self.fail(*advice.distrusted(facts), at)
        elif not facts.checked:
            self.fail("nothing to judge", "", at)
        else:
            self.succeed(f"trusted for {escape_text(self.asked.host)}", at)

    # What the server says to it.

    def _greeted(self, exchange: Exchange, at: int) -> list[Action]:
        self.greeting = told(exchange.reply) if exchange.reply else ""
        if not self.judge(exchange, at):
            return self._quit(at)
        return self.hello(Step.HELLO, at) if self.protocol.upgrading else self._login(at)

    def _offered(self, exchange: Exchange, at: int) -> list[Action]:
        reply = exchange.reply
        if reply is None or not reply.positive:
            return self._knows_no_hello(exchange, at)
        offers = of_listing(self.answer, self.greeting) if exchange.content else of_reply(reply)
        self.succeed(", ".join(offers.lines) or "it offers nothing", at)
        if self.tls:
            self.under_tls = offers
            return self._auth(at)
        self.clear = offers
        return self._starttls(offers, at)

    def _knows_no_hello(self, exchange: Exchange, at: int) -> list[Action]:
        """EHLO is a must (RFC 5321 section 2.2.1), CAPA is not (RFC 2449): without it STLS is tried where it must."""
        if exchange.verb != "CAPA":
            self.judge(exchange, at)
            return self._quit(at)
        text, _ = advice.reply(self.protocol, exchange.reply)
        self.settle(State.ABSENT, f"{text}: what it offers cannot be told", at)
        if self.asked.security is Security.STARTTLS and not self.tls:
            return self._ask_for_tls(at)
        if not self.tls:
            self.progress.go(Step.STARTTLS, at)
            self._goes_without("not tried, as nobody knows whether it is offered: all is said in clear", at)
        return self._auth(at)

    def _starttls(self, offers: Offers, at: int) -> list[Action]:
        assert self.protocol.upgrading
        if offers.has(self.protocol.upgrading.verb):
            return self._ask_for_tls(at)
        self.progress.go(Step.STARTTLS, at)
        if self.asked.security is Security.STARTTLS:
            self.fail("not offered", advice.without_starttls(self.asked, self.protocol, offers), at)
            return self._quit(at)
        self._goes_without("not offered: all is said in clear", at)
        return self._auth(at)

    def _goes_without(self, why: str, at: int) -> None:
        self.settle(State.ABSENT, why, at)
        self.without_starttls = True

    def _ask_for_tls(self, at: int) -> list[Action]:
        assert self.protocol.upgrading
        self.progress.go(Step.STARTTLS, at)
        return self.say(self.protocol.upgrading.verb.encode() + b"\r\n", at)

    def _granted(self, exchange: Exchange, at: int) -> list[Action]:
        proceeded = self.ordered(self.relay.proceed(at))
        if not self.judge(exchange, at):
            return proceeded + self._quit(at)
        if Flag.STRAY in exchange.flags:
            self.fail("granted, and more was said in clear behind it", advice.STRAY, at)
        self.progress.go(Step.TLS, at)
        return proceeded

    # Logging in, and taking leave.

    def _auth(self, at: int) -> list[Action]:
        self.progress.go(Step.AUTH, at)
        found = list(self._offers())
        some = any(offers.mechanisms for _, offers in found)
        text = "; ".join(f"{where}: {', '.join(offers.mechanisms) or 'none'}" for where, offers in found)
        self.settle(State.PASSED if some else State.ABSENT, text or "not told", at)
        return self._login(at)

    def _offers(self) -> Iterator[tuple[str, Offers]]:
        if self.clear:
            yield "in clear", self.clear
        if self.under_tls:
            yield "under TLS", self.under_tls

    def _login(self, at: int) -> list[Action]:
        if self.asked.login is None:
            return self._quit(at)
        self.progress.go(Step.LOGIN, at)
        if (risk := self._risk()) and not self.asked.in_clear:
            self.fail(f"not tried: {risk}", "--insecure-login says the password all the same", at)
            return self._quit(at)
        offers = (self.under_tls if self.tls else self.clear) or Offers()
        self._lines = lines(self.protocol, offers.mechanisms, self.asked.login)
        if not self._lines:
            self.fail("not tried: it offers none of PLAIN, LOGIN and USER", "", at)
            return self._quit(at)
        return self.say(self._lines.pop(0), at)

    def _risk(self) -> str:
        if self.tls is None:
            return "the connection is not under TLS"
        return "" if self.tls.checked and not self.tls.faults else "the server is not trusted"

    def _let_in(self, exchange: Exchange, at: int) -> list[Action]:
        if exchange.reply and exchange.reply.positive and self._lines:
            return self.say(self._lines.pop(0), at)
        self.judge(exchange, at)
        return self._quit(at)

    def _quit(self, at: int) -> list[Action]:
        self.progress.go(Step.QUIT, at)
        return self.say(b"QUIT\r\n", at)
