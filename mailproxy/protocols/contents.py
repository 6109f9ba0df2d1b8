"""Messages and listings: read to their dot or by their count, and kept as their owner wants.

A content may end in another way than its sender meant: where the server acts as if it had ended, it has.
"""

import re
from collections import deque
from typing import Final

from mailproxy.model.exchange import Content, Flag
from mailproxy.model.octets import Kind, Side, Span
from mailproxy.protocols.masking import Masking
from mailproxy.protocols.turn import (
    Keep,
    Move,
    Steps,
    Turn,
)
from mailproxy.wire import dots
from mailproxy.wire.inbox import LINE_LIMIT, Inbox

LOOK_BACK: Final = 65_536
BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
EMPTY_HEADERS: Final = re.compile(rb"\r?\n")
BLANK_AT_MOST: Final = 4


class Contents(Masking):
    """Reads contents."""

    def new_message(self) -> None:
        """Hear that the next content begins a message."""
        self.keep = self.terms.content

    def content(self, turn: Turn, inbox: Inbox, side: Side, kind: Kind) -> Steps:
        """Read a content up to its dot; the turn's content tells where it stood and whether its end was seen."""
        start = inbox.position
        recent: deque[bytes] = deque()
        held = 0
        first = True
        turn.open = True
        self.waiting = side is Side.CLIENT
        self._commanding = side is Side.SERVER
        self.dotted = side if kind is Kind.CONTENT else None
        while True:
            lines = self._settleable(inbox, side, kind)
            end = dots.find_end(inbox.buffer, first)
            if end >= 0:
                self._keep(inbox, end, kind, first)
                turn.content = Content(Span(side, start, inbox.position), True, turn.announced)
                break
            if inbox.closed or self._over:
                self._keep(inbox, len(inbox.buffer), kind, first)
                turn.content = Content(Span(side, start, inbox.position), False, turn.announced)
                turn.flags.add(Flag.UNFINISHED)
                break
            if (over := self.content_is_over(turn, inbox)) >= 0:
                self._resynchronise(turn, inbox, b"".join(recent), Span(side, start, over), kind)
                break
            body = min(len(inbox.buffer) - dots.TAIL, lines)
            if body > 0:
                taken = self._keep(inbox, body, kind, first)
                recent.append(taken)
                held += len(taken)
                while held - len(recent[0]) > LOOK_BACK:
                    held -= len(recent.popleft())
                first = False
            if self._keeping(kind) is Keep.FULL:
                inbox.settle(max(inbox.settled, lines - max(body, 0)), kind)
            yield
        self.waiting = False
        self._commanding = True
        self.dotted = None
        turn.open = False

    def _settleable(self, inbox: Inbox, side: Side, kind: Kind) -> int:
        """How much of a content can be settled: of a listing, in which the server may repeat a secret, whole lines."""
        if side is Side.CLIENT or kind is Kind.CONTENT or not self.secrets or self.terms.secrets:
            return len(inbox.buffer)
        lines = inbox.buffer.rfind(b"\n") + 1
        return self._conceal_echoes(lines if len(inbox.buffer) - lines < LINE_LIMIT else len(inbox.buffer))

    def content_is_over(self, turn: Turn, inbox: Inbox) -> int:
        """Up to which index of the buffer the content goes, where the server acts as if it had ended; else -1."""
        return -1

    def exactly(self, turn: Turn, inbox: Inbox, side: Side, count: int, kind: Kind = Kind.CONTENT) -> Steps:
        """Read exactly `count` octets of content."""
        start = inbox.position
        left = count
        turn.open = True
        self._commanding = side is Side.SERVER
        while left:
            have = len(inbox.buffer)
            hold = BLANK_AT_MOST - 1 if self._keeping(kind) is Keep.HEADERS and have < left and not inbox.closed else 0
            if have > hold:
                left -= len(self._keep(inbox, min(left, have - hold), kind, left == count))
            elif inbox.closed or self._over:
                turn.flags.add(Flag.SHORT)
                break
            else:
                yield
        turn.content = Content(Span(side, start, inbox.position), not left, count)
        self._commanding = True
        turn.open = False

    def close_content(self, turn: Turn) -> None:
        """Tell a turn whose replies had all come before its content ended."""
        if turn.move is Move.DONE:
            self._tell(turn)

    def _keeping(self, kind: Kind) -> Keep:
        return self.keep if kind is Kind.CONTENT else Keep.FULL

    def _keep(self, inbox: Inbox, length: int, kind: Kind, first: bool) -> bytes:
        """Take up to `length` octets of a content, and keep of them what the terms say."""
        keep = self._keeping(kind)
        if keep is Keep.FULL or inbox.gap:
            return inbox.take(length, kind)
        if keep is Keep.HEADERS:
            blank = (EMPTY_HEADERS.match(inbox.buffer) if first else None) or BLANK_LINE.search(inbox.buffer)
            if not blank or blank.end() > length:
                return inbox.take((blank and min(length, blank.start())) or length, kind)
            self.keep = Keep.NONE
            head = inbox.take(blank.end(), kind)
            return head + self._keep(inbox, length - len(head), kind, False)
        octets = inbox.buffer[:length]
        tail = len(dots.END) if octets.endswith(dots.END) else 3 * (first and octets == b".\r\n")
        if length > tail:
            inbox.omit(min(length, max(length - tail, inbox.settled)))
            inbox.take(tail, kind)
            return octets
        return inbox.take(length, kind)

    def _resynchronise(self, turn: Turn, inbox: Inbox, before: bytes, span: Span, kind: Kind) -> None:
        """End a content where the server has ended it: at the first look-alike of an end, else at what has come."""
        turn.flags.add(Flag.ODD_END)
        octets = before + self._keep(inbox, span.end, kind, not before)
        if span.side is Side.CLIENT and self._keeping(kind) is Keep.FULL:
            alike = dots.find_alike(octets, inbox.position - len(octets) == span.start)
            if alike >= 0:
                inbox.push_back(octets[alike:])
        turn.content = Content(Span(span.side, span.start, inbox.position), False, turn.announced)
