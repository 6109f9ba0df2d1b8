"""What a POP2 server says where nobody recorded it (RFC 937): from its mailboxes. After an error it closes."""

from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.pop2.mailbox import LONGEST, Mailboxes, filling, number
from mailproxy.protocols.pop2.place import INBOX, OF_MESSAGES, At, Place

_FORWARD: Final = frozenset({"ACKS", "ACKD"})


class Pop2Understudy:
    """Knows the mailboxes, and at which message the session is."""

    def __init__(self, record: Record) -> None:
        self._mailboxes = Mailboxes(record)
        self._place = Place()
        self._promised = 0
        self._told = any(exchange.verb == "RETR" and not _had(exchange) for exchange in record.exchanges)
        self._logs_in = any(exchange.verb == "HELO" for exchange in record.exchanges)

    def greeting(self) -> bytes | None:
        """It is ready."""
        return b"+ POP2 server ready\r\n"

    def overrules(self, verb: str, argument: str) -> Improvised | None:
        """There is nothing to be had where nothing was promised, unless the record shows what is said then."""
        return self.misplaced(verb, argument) if verb == "RETR" and not self._told else None

    def misplaced(self, verb: str, argument: str) -> Improvised | None:
        """HELO once, and first of all; RETR where there is something to be had."""
        match verb:
            case "HELO" if self._place.open:
                return _error("Logged in already")
            case "FOLD" | "READ" | "RETR" | "ACKS" | "ACKD" | "NACK" if self._logs_in and not self._place.open:
                return _error("HELO comes first")
            case "RETR" if not self._promised:
                return _error("There is no message to be had")
            case _:
                return None

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """How many messages, how many octets, or as many as were promised; an unknown command is an error."""
        at = self._place.asked(verb, argument)
        match verb:
            case "QUIT":
                return Improvised((b"+ Bye\r\n",), closes=True)
            case "HELO" | "FOLD":
                mailbox = argument.strip().upper() if verb == "FOLD" else INBOX
                return Improvised((b"#%d messages\r\n" % self._mailboxes.count(mailbox),))
            case "RETR":
                return Improvised((self._mailboxes.content(at, self._promised),)) if self._promised else None
            case _ if verb in OF_MESSAGES:
                wanted = at._replace(number=at.number + (verb in _FORWARD))
                return Improvised((self._size(wanted),))
            case _:
                return _error("Unknown command")

    def ending(self, exchange: Exchange) -> bytes | None:
        """As many octets as are missing of those promised."""
        content = exchange.content
        missing = (content.announced or 0) - content.span.length if content else 0
        return filling(min(missing, LONGEST)) or None

    def cancelled(self) -> bytes | None:
        """There is no SASL."""
        return None

    def heard(self, exchange: Exchange) -> None:
        """Learn where the session stands, and how long the message at hand is to be."""
        self._place.heard(exchange)
        if exchange.reply:
            told = number(exchange.reply.text) if exchange.reply.code == "=" else None
            self._promised = min(told or 0, LONGEST)

    def secured(self) -> None:
        """There is no TLS."""

    def _size(self, at: At) -> bytes:
        return b"=%d octets in message %d\r\n" % (self._mailboxes.size(at), at.number)


def _had(exchange: Exchange) -> bool:
    return exchange.content is not None and exchange.content.span.length > 0


def _error(why: str) -> Improvised:
    return Improvised((f"- {why}\r\n".encode(),), closes=True)
