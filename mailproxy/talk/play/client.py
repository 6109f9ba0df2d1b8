"""The recorded client speaks again, to any server: a relay whose client is a recording.

It says what the recorded client said, once it has heard what that had heard before. It decides as a client does: what
was granted then and is refused now ends it. What its protocol's prompter knows would do harm it leaves out, and says
so; what cannot be said again (logins, numbers) is made anew. What is taken down is in recorded form.
"""

from typing import Final

from mailproxy.model.escape import escape_text
from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.asked import Asked, granted
from mailproxy.talk.play.awaited import PATIENCE
from mailproxy.talk.play.login import Login
from mailproxy.talk.play.saying import Saying
from mailproxy.talk.play.script import Part
from mailproxy.talk.play.spoken import Action, Pause, Refuse, Reset
from mailproxy.talk.typist import Close, Send, StartTls, TakeDown
from mailproxy.talk.ways import Insecure

__all__ = [
    "Acting", "Action", "ClientPlayer", "Close", "Login", "Pause", "Refuse", "Reset", "Send", "StartTls", "TakeDown",
]  # fmt: skip

SHOWN: Final = 200


class ClientPlayer(Saying):
    """One connection of the recorded client. Times are in microseconds since it began.

    `stopped` tells where and why it stopped before the record's end, `remarks` what was done otherwise than recorded,
    one line each, and `otherwise` at which recorded exchanges, by their numbers; nothing secret is in them. Raises
    KeyError where the protocol of the recording is not known, ValueError where `acting.rcpt_to` is no address, and on
    nothing that it hears.
    """

    # Events.

    def connected(self, host: str, address: str, at: int) -> list[Action]:
        """The server has taken the connection."""
        self._connected, self._host = True, host
        self._do(self.relay.connected(host, address, at), at)
        return self._go(at)

    def failed(self, how: How, reason: str, at: int) -> list[Action]:
        """No connection came about."""
        self._stop_short("no connection came about")
        self._do(self.relay.failed(how, reason, at), at)
        return self._done()

    def heard(self, octets: bytes, at: int) -> list[Action]:
        """The server said something."""
        if not self.over:
            self._relayed(Side.SERVER, octets, at)
        return self._go(at)

    def secured(self, facts: TlsFacts, at: int) -> list[Action]:
        """TLS with the server has begun."""
        self._tls, self._shaking = facts, False
        self._dialogue.apart = False
        self._dialogue.secured(Side.CLIENT)
        self._do(self.relay.secured(Side.SERVER, facts, at), at)
        return self._go(at)

    def insecure(self, why: Insecure, at: int) -> list[Action]:
        """TLS with the server has failed, in the handshake or later, and the connection with it."""
        self._shaking = False
        if self._refusing and why.by is not Side.SERVER:
            self._do(self.relay.insecure(Side.CLIENT, self._refusal, at), at)
            self._actions.append(Close())
            return self._done()
        self._stop_short(f"TLS failed: {escape_text(why.reason)}")
        self._do(self.relay.insecure(Side.SERVER, why, at), at)
        return self._done()

    def ended(self, how: How, at: int, notified: bool | None = None) -> list[Action]:
        """The server has ended the connection. Under TLS, `notified` tells whether with close_notify."""
        if self.over:
            return []
        gone = self._gone(how)
        if how is How.CLOSED:
            self._do(self.relay.ended(Side.SERVER, at, notified), at)
        else:
            self._do(self.relay.broke(Side.SERVER, how, at), at)
        self._judge()
        if how is How.CLOSED:
            self._say_in_vain(at)
        self._stop_short(gone)
        self._close(at)
        return self._done()

    def woke(self, at: int) -> list[Action]:
        """A pause is over."""
        self._paused = False
        self._say_message(at)
        return self._go(at)

    def late(self, at: int) -> list[Action]:
        """The server has said nothing for `patience` seconds."""
        if self._misses_unasked and not self.over and not self._closed:
            self._unasked = self._awaited.unasked
            return self._go(at)
        if self.over or self._closed:
            self._conclude(at)
        elif self._at_end and not self._leaving and self.script.end.by is Side.CLIENT:
            self._leave_as_recorded(at)
        elif self._at_end and not self._leaving and self.script.end.by is Side.SERVER and self._ledger.idle:
            self._remark("the server has not ended the connection, as the recorded one did")
            self._conclude(at)
        else:
            waits = f"{PATIENCE:g} s"
            asked = self._ledger.oldest
            what = f"{asked.verb or 'what was said'} has not been answered" if asked else "the server says nothing"
            self._stop_short(f"{what} within {waits}", always=True)
            self._do(self.relay.broke(Side.SERVER, How.TIMED_OUT, at), at)
        return self._done()

    def cut_off(self, at: int) -> list[Action]:
        """mailproxy itself was stopped."""
        if not self.over:
            self._stop_short("mailproxy was stopped", always=True)
            self._do(self.relay.stopped(at), at)
        return self._done()

    # The play.

    def _go(self, at: int) -> list[Action]:
        """Do all that is due."""
        while self._may_speak and self._step(at):
            pass
        return self._done()

    @property
    def _may_speak(self) -> bool:
        return self._connected and not (self.over or self._shaking or self._paused or self._closed)

    def _step(self, at: int) -> bool:
        """Do the next thing, if it is due."""
        self._judge()
        if self._misled:
            said = escape_text(self._odd)[:SHOWN]
            self._stop_short(f"the server's first words are no greeting of {self.protocol.name}: {said}", always=True)
            self._close(at)
        elif self._leaving and self._in_message:
            self._close(at)  # a word of leave would be a line of the message
        if not self._may_speak or self._answer_challenge(at):
            return self._may_speak
        if not self._leaving and self._open_tls():
            return True
        if self._ready:
            return self._say_ready(at)
        if self._leaving:
            if self._ledger.idle:
                self._close(at)
            return False
        if self._at_end:
            return self._end(at)
        part = self.script.parts[self._next]
        if not self._has_heard(part.after):
            return False
        if part.pause and self._rests(part):
            return False
        return self._play(part, at)

    def _rests(self, part: Part) -> bool:
        """Whether there is a pause before a part, as there was."""
        if not self._acting.timing or self._rested == self._next:
            return False
        self._rested = self._next
        self._rest(part.pause)
        return True

    # Decisions.

    def _judge(self) -> None:
        """Go through what has been answered, and stop where a client would."""
        while self._ended:
            asked = self._ended.popleft()
            assert asked.exchange
            listing = self._octets(asked.exchange)
            self._prompter.heard(asked.recorded, asked.exchange, listing)
            self._decide(asked)
        if self._ledger.idle:
            self._listing.clear()

    def _decide(self, asked: Asked) -> None:
        reply = asked.exchange.reply if asked.exchange else None
        if reply is None:
            return
        if asked.granted:
            if not self._leaving:
                self._want_tls(asked)
            return
        if self._leaving:
            if asked.recorded is None:
                self._ready.clear()  # it was to follow its being granted
            return
        if not (asked.essential or self._expects(asked)):
            return
        said = escape_text(f"{reply.code} {reply.text}".replace("\n", " / ").strip())[:SHOWN]
        then = " now, and was granted then" if asked.recorded and granted(asked.recorded) else ""
        self._stop(f"{asked.verb or 'what was said'} is refused{then}: {said}")

    def _expects(self, asked: Asked) -> bool:
        """Whether a client goes on only where this is granted."""
        if self._acting.keep_going or asked.verb in self.protocol.asking.tolerated:
            return False
        return asked.recorded is not None and granted(asked.recorded)
