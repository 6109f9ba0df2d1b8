"""The mailbox of a recorded server, as far as the record shows it: numbers, sizes, unique ids, messages.

What nobody recorded is made up, the same each time: unique ids, and messages of the size that was announced.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.model.exchange import Content, Exchange
from mailproxy.model.octets import Side, Span
from mailproxy.protocols.answering import Record

MOST: Final = 10_000
"""As many messages that only STAT tells of are believed in."""
LONGEST: Final = 16 * 1024 * 1024
"""As many octets of a message are looked at or made up."""
_PAIR: Final = re.compile(r"(\d{1,9})\s+(\d{1,15})(?!\S)")
_NAMED: Final = re.compile(r"(\d{1,9})\s+([!-~]{1,70})(?!\S)")
_LINE: Final = b"-" * 70 + b"\r\n"
_DOT: Final = b".\r\n"
_MADE: Final = b"Subject: (not in the record)\r\n\r\nThis message is not in the record.\r\n"


class Message(NamedTuple):
    """A message by its number; `size` in octets, as LIST tells it."""

    number: int
    size: int
    uid: str


class Mailbox:
    """The messages of a record, and which of them have been deleted since (RFC 1939 section 5)."""

    def __init__(self, record: Record) -> None:
        self._streams = record.streams
        self._sizes: dict[int, int] = {}
        self._uids: dict[int, str] = {}
        self._whole: dict[int, Span] = {}
        self._tops: dict[int, Span] = {}
        self._counted = (0, 0)
        self._listed: set[int] = set()
        self.deleted: set[int] = set()
        for exchange in record.exchanges:
            if exchange.reply and exchange.reply.positive:
                self._learn(exchange, exchange.reply.text)
        self._numbers = self._all_numbers()

    def messages(self) -> list[Message]:
        """Those that are not deleted, in their order."""
        return [self._message(number) for number in self._numbers if number not in self.deleted]

    def find(self, argument: str) -> Message | None:
        """The message of this number; None where there is none, or no longer."""
        if not (argument.isascii() and argument.isdecimal() and len(argument) < 10):
            return None
        number = int(argument)
        known = number in self._numbers and number not in self.deleted
        return self._message(number) if known else None

    def knows(self, number: int) -> bool:
        """Whether the message itself is in the record."""
        return number in self._whole

    def content(self, message: Message) -> bytes:
        """A message that is not in the record, of the size it should have, up to its dot."""
        top = self._tops.get(message.number)
        begun = self._octets(top).removesuffix(_DOT) if top else _MADE
        return begun + b"".join(_filling(min(message.size, LONGEST) - _counted(begun))) + _DOT

    def ending(self, content: Content, filled: bool) -> bytes:
        """What is missing of a content; `filled` up to the size that was announced."""
        begun = self._octets(content.span)
        line_end = b"" if begun.endswith(b"\n") or not begun else b"\r\n"
        missing = min(content.announced or 0, LONGEST) - _counted(begun + line_end) if filled else 0
        return line_end + b"".join(_filling(missing)) + _DOT

    def top(self, message: Message, lines: int) -> bytes:
        """The headers and so many lines of a message, up to its dot."""
        span = self._whole.get(message.number)
        whole = self._octets(span) if span else self.content(message)
        head, blank, body = whole.removesuffix(_DOT).partition(b"\r\n\r\n")
        kept = body.removesuffix(b"\r\n").split(b"\r\n", lines)[:lines] if lines and body else []
        text = head + blank + b"".join(line + b"\r\n" for line in kept)
        return (text if text.endswith(b"\r\n") else text + b"\r\n") + _DOT

    def _octets(self, span: Span) -> bytes:
        return self._streams.octets(Span(span.side, span.start, min(span.end, span.start + LONGEST)))

    def _learn(self, exchange: Exchange, said: str) -> None:
        content = exchange.content.span if exchange.content and exchange.content.span.side is Side.SERVER else None
        number = int(exchange.argument.split()[0]) if re.match(r"\d{1,9}(?!\S)", exchange.argument) else 0
        match exchange.verb:
            case "STAT" if (found := _PAIR.match(said)) and not self._counted[0]:
                self._counted = int(found[1]), int(found[2])
            case "LIST":
                for key, size in self._rows(content, said, _PAIR):
                    self._sizes.setdefault(key, int(size))
                    if content:
                        self._listed.add(key)
            case "UIDL":
                for key, uid in self._rows(content, said, _NAMED):
                    self._uids.setdefault(key, uid)
            case "RETR" if content and number:
                self._whole.setdefault(number, content)
                announced = exchange.content.announced if exchange.content else None
                self._sizes.setdefault(number, self._size(content) if announced is None else announced)
            case "TOP" if content and number:
                self._tops.setdefault(number, content)
            case _:
                pass

    def _size(self, content: Span) -> int:
        octets = self._octets(content)
        return content.length - len(octets) + _counted(octets.removesuffix(_DOT))

    def _rows(self, content: Span | None, said: str, form: re.Pattern[str]) -> Iterator[tuple[int, str]]:
        lines = self._octets(content).decode("ascii", "replace").split("\n") if content else [said]
        return ((int(found[1]), found[2]) for line in lines if (found := form.match(line)))

    def _all_numbers(self) -> list[int]:
        """All that LIST has told of; else no number is left out (RFC 1939 section 3)."""
        known = {*self._sizes, *self._uids, *self._whole, *self._tops}
        counted = () if self._listed else range(1, min(max(self._counted[0], *known, 0), MOST) + 1)
        return sorted({*known, *counted})

    def _message(self, number: int) -> Message:
        count, total = self._counted
        size = self._sizes.get(number, total // count if count else len(_MADE))
        made = hashlib.sha256(f"{number} {size}".encode()).hexdigest()[:16]
        return Message(number, size, self._uids.get(number, made))


def _counted(octets: bytes) -> int:
    """The octets of a message, as they are counted: without the dots that went before dots (RFC 1939 section 3)."""
    return len(octets) - octets.count(b"\n..") - octets.startswith(b"..")


def _filling(length: int) -> Iterator[bytes]:
    """Lines without meaning, `length` octets in all if that is enough for one."""
    whole, rest = divmod(max(length, 0), len(_LINE))
    yield _LINE * whole
    if rest:
        yield b"-" * (rest - 2) + b"\r\n"
