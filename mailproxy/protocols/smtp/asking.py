"""The client's part of SMTP (RFC 5321), as it is played again."""

import re
from dataclasses import replace
from typing import Final

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.protocols import challenges
from mailproxy.protocols.asking import Account, Asking, Cue, Leave, Recorded, login, offers
from mailproxy.protocols.outcome import HARMLESS

_ANEW: Final = frozenset({"MAIL", "RSET", "EHLO", "HELO", "LHLO"})
_DELIVERING: Final = frozenset({"TURN", "ATRN", "ETRN", "BURL"})
_PATH: Final = re.compile(r"TO\s*:\s*(<[^<>]*>|\S+)", re.I)


class SmtpPrompter:
    """Delivers nothing without leave, and no message that nobody takes."""

    def __init__(self, recorded: Recorded, leave: Leave, account: Account | None) -> None:
        self._streams = recorded.streams
        self._leave = leave
        self._messages = 0
        self._asked = 0  # recipients of the message at hand
        self._granted = 0
        self._answered = 0
        self._offered: frozenset[str] | None = None
        self._one_by_one = False  # PIPELINING was offered (RFC 2920), and is not now

    def greeted(self, greeting: Reply) -> None:
        """A greeting tells nothing."""

    def cue(self, exchange: Exchange, line: bytes) -> Cue:
        """What would deliver is left out or undone, unless there is leave."""
        return replace(self._cue(exchange, line), waits=self._one_by_one)

    def _cue(self, exchange: Exchange, line: bytes) -> Cue:
        if exchange.verb in _ANEW:
            self._asked = self._granted = self._answered = 0
        match exchange.verb:
            case "RCPT":
                return self._recipient(exchange, line)
            case "DATA" | "BDAT":
                return self._message(exchange, line)
            case verb if verb in _DELIVERING and not self._leave.deliver:
                return Cue(remark=f"{verb} is left out: nothing is delivered", body=False)
            case "AUTH" if exchange.argument:
                return login(line, challenges.mechanism(exchange.argument), self._offered)
            case _:
                return Cue((line,))

    def heard(self, recorded: Exchange | None, now: Exchange, listing: bytes) -> None:
        """Count the recipients that were taken, and learn which mechanisms are offered, and whether to wait."""
        granted = now.reply is not None and now.reply.positive
        match now.verb:
            case "RCPT":
                self._answered += 1
                self._granted += granted
            case "EHLO" | "LHLO" if granted and now.reply:
                self._offered = offers(now.reply.text.split("\n")[1:], "AUTH")
                self._one_by_one = _pipelining(recorded) and not _pipelining(now)

    def farewell(self) -> tuple[bytes, ...]:
        """A message that has not ended is not delivered."""
        return (b"QUIT\r\n",)

    def _recipient(self, exchange: Exchange, line: bytes) -> Cue:
        self._asked += 1
        instead = self._leave.rcpt_to
        if not instead:
            return Cue((line,))
        found = _PATH.match(exchange.argument)
        was = f"RCPT TO:{found[1]}" if found else "RCPT"
        if self._asked > 1:
            return Cue(remark=f"{was} is left out: the message goes to {instead} alone")
        return Cue((f"RCPT TO:<{instead}>\r\n".encode(),), f"{was} is replaced by {instead}")

    def _message(self, exchange: Exchange, line: bytes) -> Cue:
        last = exchange.verb == "DATA" or exchange.argument.upper().endswith("LAST")
        if not self._leave.deliver:
            if not last:
                return Cue(body=False)
            self._messages += 1
            remark = f"RSET is said in the place of {exchange.verb}: message {self._messages} is not delivered"
            return Cue((b"RSET\r\n",), remark, body=False, against=self._unwanted(exchange))
        content = exchange.content
        if content and (missing := self._streams.missing(content.span)):
            return Cue(
                impossible=f"{missing} octets of the message are not in the record (`record --content full` keeps them)"
            )
        if exchange.verb == "DATA" and not (content and content.span.length) and len(exchange.replies) > 1:
            return Cue(impossible="the message is not in the record")
        return Cue((line,), against=self._unwanted(exchange))

    def _unwanted(self, exchange: Exchange) -> str:
        """Why a client would not go on with a message: all its recipients are refused that were not, then."""
        refused = self._asked == self._answered and self._asked and not self._granted
        granted = exchange.replies and exchange.replies[0].positive
        return "no recipient is taken now" if refused and granted else ""


def _pipelining(exchange: Exchange | None) -> bool:
    return exchange is not None and exchange.reply is not None and "PIPELINING" in exchange.reply.text.upper().split()


ASKING: Final = Asking(SmtpPrompter, HARMLESS | {"RCPT", "EXPN"}, service="smtp")
