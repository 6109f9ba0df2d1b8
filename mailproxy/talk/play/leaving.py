"""How the player of a recorded client ends: as that did, or early, with a word of leave where one does no harm."""

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.talk.play.awaited import SECOND, Awaiting
from mailproxy.talk.play.spoken import Pause, Ready, Reset
from mailproxy.talk.typist import Close
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import hello


class Leaving(Awaiting):
    """Ends the connection."""

    def _end(self, at: int) -> bool:
        """All has been said: end as the recorded client did."""
        end = self.script.end
        if self._may_slip:
            return self._slip(at)
        if self.script.unoffered and self._ledger.idle and not self._offered_tls:
            return self._go_without_tls(at)
        if self.script.why and not self._slipped:
            if self._ledger.idle or self._given_up:
                self._stop(self.script.why)
                return True
            return False
        match end.by:
            case Side.CLIENT:
                if not self._has_heard(end.after) or self._owed:
                    return False
                if end.pause and self._acting.timing and self._rested != self._next:
                    self._rested = self._next
                    self._rest(end.pause)
                    return False
                self._leave_as_recorded(at)
            case None if self._ledger.idle:
                self._close(at)
        return False

    @property
    def _offered_tls(self) -> bool:
        """Whether the answer that was heard last offers TLS, or there is TLS."""
        upgrading, exchange = self.protocol.upgrading, self._numbers and self._played[self._numbers[-1]].exchange
        if self._tls or not upgrading or not exchange or not exchange.reply:
            return self._tls is not None
        said = exchange.reply.text.encode() + self._octets(exchange)
        return upgrading.verb.encode() in said.upper().split()

    def _go_without_tls(self, at: int) -> bool:
        """Leave the server that offers no TLS, as mailproxy did, which wanted it."""
        self._do(self.relay.insecure(Side.SERVER, Insecure(self.script.unoffered), at), at)
        self._actions.append(Close())
        return False

    @property
    def _may_slip(self) -> bool:
        """Whether it is to begin TLS at a server that speaks in clear, as the recorded client did."""
        return self.script.slip is not None and not (self._slipped or self._tls or self._opening)

    def _slip(self, at: int) -> bool:
        assert self.script.slip
        if not self._has_heard(self.script.slip):
            return False
        self._slipped = True
        self._remark("the client begins TLS as it did, and nobody has granted it")
        self._relayed(Side.CLIENT, hello(), at)
        return True

    def _rest(self, pause: int) -> None:
        assert self._acting.timing
        self._paused = True
        self._actions.append(Pause(pause / SECOND / self._acting.timing))

    def _leave_as_recorded(self, at: int) -> None:
        """The client ends the connection."""
        if self.script.end.how is How.RESET:
            self._actions.append(Reset())
            self._do(self.relay.broke(Side.CLIENT, How.RESET, at), at)
        else:
            self._close(at)

    def _close(self, at: int) -> None:
        """End the connection, and hear what the server still says."""
        if self._closed or self.over:
            return
        self._closed = True
        self._do(self.relay.ended(Side.CLIENT, at, None if self._tls is None else True), at)
        self._actions.append(Close())

    def _conclude(self, at: int) -> None:
        """Wait no longer."""
        for side in Side:
            if side not in self.relay.endings:
                self._do(self.relay.ended(side, at), at)
        if not self._closed:
            self._actions.append(Close())

    def _stop(self, why: str) -> None:
        """Go no further in the script; take leave if that can be done."""
        self._stop_short(why, always=True)
        self._ready.extend(Ready(line) for line in self._prompter.farewell())

    def _stop_short(self, why: str, always: bool = False) -> None:
        """Tell that the script is not played to its end, if so."""
        short = always or self._next < len(self.script.parts) or bool(self._ready) or self._unanswered
        if short and not self.stopped:
            self.stopped = why
        self._leaving = True
        self._ready.clear()

    def _gone(self, how: How) -> str:
        asked = self._ledger.oldest
        done = "closed" if how is How.CLOSED else "reset" if how is How.RESET else "lost"
        where = f"before it answered {asked.verb or 'what was said'}" if asked else "before the client had done"
        return f"the connection was {done} by the server {where}"
