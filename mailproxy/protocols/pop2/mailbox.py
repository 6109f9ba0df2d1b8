"""The mailboxes of a recorded POP2 server, as far as the record shows them. What nobody recorded is made up."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side, Span
from mailproxy.protocols.answering import Record
from mailproxy.protocols.pop2.place import At, Place

LONGEST: Final = 16 * 1024 * 1024
"""As many octets of a message are looked at or made up."""
_NUMBER: Final = re.compile(r"\d{1,9}")
_MADE: Final = b"Subject: (not in the record)\r\n\r\nThis message is not in the record.\r\n"


class Mailboxes:
    """How many messages there are, how long they are, and what they say."""

    def __init__(self, record: Record) -> None:
        self._streams = record.streams
        self._counts: dict[str, int] = {}
        self._sizes: dict[At, int] = {}
        self._contents: dict[At, Span] = {}
        place = Place()
        for exchange in record.exchanges:
            place.heard(exchange)
            self._learn(exchange, place.at)

    def count(self, mailbox: str) -> int:
        """How many messages a mailbox holds."""
        known = (at.number for at, size in self._sizes.items() if at.mailbox == mailbox and size)
        return self._counts.get(mailbox, max(known, default=0))

    def size(self, at: At) -> int:
        """The octets of a message; 0 where there is none."""
        made = len(_MADE) if 1 <= at.number <= self.count(at.mailbox) else 0
        return self._sizes.get(at, made)

    def content(self, at: At, size: int) -> bytes:
        """So many octets of a message."""
        span = self._contents.get(at)
        known = self._streams.octets(span._replace(end=min(span.end, span.start + size))) if span else _MADE[:size]
        return known + filling(size - len(known))

    def _learn(self, exchange: Exchange, at: At) -> None:
        content, reply = exchange.content, exchange.reply
        if content and content.span.side is Side.SERVER:
            self._contents.setdefault(at, content.span)
        told = number(reply.text) if reply else None
        if reply is None or told is None:
            return
        if reply.code == "=":
            self._sizes.setdefault(at, min(told, LONGEST))
        elif reply.code == "#":
            self._counts.setdefault(at.mailbox, told)


def filling(size: int) -> bytes:
    """So many octets without meaning."""
    return b"-" * (size - 2) + b"\r\n"[: max(size, 0)]


def number(said: str) -> int | None:
    """The number that a reply begins with."""
    found = _NUMBER.match(said)
    return int(found[0]) if found else None
