"""The server's part of POP2 (RFC 937), as it is played again."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.answering import Answering, Improvised, Record

_NUMBER: Final = re.compile(r"\d{1,9}")
_EMPTY: Final = {"HELO": b"#0 messages\r\n", "FOLD": b"#0 messages\r\n", "READ": b"=0\r\n"}
_ACKNOWLEDGED: Final = frozenset({"ACKS", "ACKD", "NACK"})


def about(verb: str, argument: str) -> str:
    """A user without the password, a mailbox, a message."""
    return argument.split(" ")[0] if verb in {"HELO", "FOLD", "READ"} else ""


class Pop2Understudy:
    """Finds an empty mailbox where none is in the record, and as many octets as were promised."""

    def __init__(self, record: Record) -> None:
        self._promised = 0

    def greeting(self) -> bytes | None:
        """It is ready."""
        return b"+ POP2 server ready\r\n"

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """What is out of place is an error, and the server closes."""
        match verb:
            case "QUIT":
                return Improvised((b"+ Bye\r\n",), closes=True)
            case "RETR" if self._promised:
                return Improvised((b"-" * (self._promised - 2) + b"\r\n",))
            case _ if verb in _ACKNOWLEDGED:
                return Improvised((b"=0\r\n",))
            case _ if verb in _EMPTY:
                return Improvised((_EMPTY[verb],))
            case _:
                return Improvised((b"- Unknown command\r\n",), closes=True)

    def cancelled(self) -> bytes | None:
        """There is no SASL."""
        return None

    def heard(self, exchange: Exchange) -> None:
        """Learn how long the message at hand is to be."""
        if exchange.reply and exchange.reply.code == "=":
            found = _NUMBER.match(exchange.reply.text)
            self._promised = min(int(found[0]), 1 << 24) if found else 0


ANSWERING: Final = Answering(about, frozenset({"READ", "FOLD"}), understudy=Pop2Understudy)
