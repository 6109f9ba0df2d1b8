"""Messages by their unique ids (UIDL, RFC 1939 section 7): the numbers they had, and those that they have now."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.turn import text

_ENTRY: Final = re.compile(r"(\d{1,9})[ \t]+(\S+)")


class Uids:
    """What is known of a mailbox: each message's number and id. `listed` tells that all of them are known."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}
        self.uids: dict[str, str] = {}
        self.listed = False

    def hear(self, exchange: Exchange, listing: bytes, whole: bool = True) -> None:
        """Learn from an answer to UIDL, with its listing; that is not `whole` while messages are marked as deleted."""
        if exchange.verb != "UIDL" or not exchange.reply or not exchange.reply.positive:
            return
        if exchange.argument:
            self._entry(exchange.reply.text)
            return
        self.listed |= whole
        for line in text(listing).split("\n"):
            self._entry(line)

    def _entry(self, line: str) -> None:
        if found := _ENTRY.match(line):
            number = plain(found[1])
            self.numbers[found[2]] = number
            self.uids[number] = found[2]


def plain(number: str) -> str:
    """A number without zeros before it."""
    return number.lstrip("0") or "0"


def renumbered(number: str, then: Uids, now: Uids) -> str | None:
    """The number that a message has now; None where it is gone. What is not known stays as it is."""
    uid = then.uids.get(plain(number))
    if uid is None:
        return number
    if uid in now.numbers:
        return now.numbers[uid]
    another = plain(number) in now.uids
    return None if now.listed or another else number
