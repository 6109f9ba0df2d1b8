"""TLS, as the player of a recorded client goes over to it: where that did, or where it is wanted now."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side
from mailproxy.model.tls import Security
from mailproxy.talk.play.asked import Asked
from mailproxy.talk.play.leaving import Leaving
from mailproxy.talk.play.spoken import Ready, Refuse
from mailproxy.talk.typist import Close, StartTls
from mailproxy.talk.ways import Insecure
from mailproxy.wire.hello import ALERTS

OWN_NAME: Final = "127.0.0.1"
_ALERT: Final = re.compile(r"alert (\w+) from the client")


class Securing(Leaving):
    """Begins TLS."""

    @property
    def _wants_tls(self) -> bool:
        """Whether TLS is to be asked for, though the recorded client did not."""
        upgrading = self.protocol.upgrading
        if self._security is not Security.STARTTLS or self._tls or self._opening or not upgrading:
            return False
        return not any(
            part.exchange.verb == upgrading.verb and part.exchange.number not in self._by_proxy
            for part in self.script.parts
        )

    def _open_tls(self) -> bool:
        """Ask at once what the server can do, where the recorded client never asks."""
        upgrading = self.protocol.upgrading
        if self._next or self._ready or not upgrading or self._played or not self._wants_tls:
            return False
        if any(part.exchange.verb in upgrading.asks for part in self.script.parts):
            return False
        self._opening = True
        self._remark(f"{upgrading.verb} is said first, for TLS is wanted")
        for line in (upgrading.hello(OWN_NAME), upgrading.verb.encode() + b"\r\n"):
            self._ready.append(Ready(line))
        return True

    def _want_tls(self, asked: Asked) -> None:
        """Ask for TLS behind the first answer that tells what the server can do, and then ask that again."""
        upgrading = self.protocol.upgrading
        if not upgrading or asked.verb not in upgrading.asks or not self._wants_tls:
            return
        self._opening = True
        self._remark(f"{upgrading.verb} is said behind {asked.verb}, for TLS is wanted; then {asked.verb} again")
        self._ready.append(Ready(upgrading.verb.encode() + b"\r\n"))
        self._ready.append(Ready(asked.line))

    def _begin_tls(self, at: int) -> None:
        """Begin TLS; not where the recorded client refused it, or where what it said then is not known."""
        if self.script.refusal and self._next >= len(self.script.parts):
            self._remark(f"the client refuses TLS, as it did: {self.script.refusal}")
            self._refuse_tls(at)
        else:
            self._shaking = True
            self._actions.append(StartTls())

    def _refuse_tls(self, at: int) -> None:
        """Refuse TLS: with the alert of the recorded client, else by leaving."""
        said = _ALERT.fullmatch(self.script.refusal)
        if said and said[1] in ALERTS.values():
            self._shaking = self._refusing = True
            self._actions.append(Refuse(next(number for number, name in ALERTS.items() if name == said[1])))
            return
        self._do(self.relay.insecure(Side.CLIENT, self._refusal, at), at)
        self._actions.append(Close())

    @property
    def _refusal(self) -> Insecure:
        """How the recorded client refused TLS."""
        return Insecure(self.script.refusal, by=Side.CLIENT)

    def _left_out(self, exchange: Exchange) -> bool:
        """Whether a command is left out for the sake of TLS: it is there from the start, or mailproxy was asked for."""
        upgrading = self.protocol.upgrading
        if not upgrading or exchange.verb != upgrading.verb:
            return False
        if self._security is Security.TLS:
            self._remark(f"{exchange.verb} is left out: TLS is there from the start")
            return True
        if exchange.number in self._by_proxy and self._tls:
            self._remark(f"{exchange.verb} is left out: it was mailproxy that offered TLS, which has begun")
            return True
        if exchange.number in self._by_proxy and self._security is Security.NONE:
            self._remark(f"{exchange.verb} is left out: it was mailproxy that offered TLS, not the server")
            return True
        return False
