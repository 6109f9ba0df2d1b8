"""A TCP connection (RFC 9293), heard from its packets: what was said in its order, and how it began and ended.

Captures lose packets and mix up their order. A segment that acknowledges octets which are not here yet waits for a
few more packets of its connection; what has not come then was lost, and is given up before that segment is heard. So
an answer never stands before what it answers.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from mailproxy.formats.tcp import ACK, FIN, RST, SYN, Endpoint, Segment, Stream, Told
from mailproxy.model.octets import Side

PATIENCE: Final = 8
"""How many packets wait for one that they acknowledge."""


class What(StrEnum):
    """What happens to a connection. FRAGMENT is an IP packet of which the rest is not read."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CLOSED = "closed"
    RESET = "reset"
    FRAGMENT = "fragment"


class Happened(NamedTuple):
    """Something that `side` did besides saying octets."""

    side: Side
    what: What


Event = Told | Happened


class Connection:
    """One connection. `whole` says that its beginning was captured; `over`, that nothing more can follow."""

    def __init__(self, client: Endpoint, server: Endpoint, whole: bool) -> None:
        self.client = client
        self.server = server
        self.whole = whole
        self.over = False
        self.answered = False
        self._streams = {side: Stream(side) for side in Side}
        self._held: list[Segment] = []
        self._at = 0

    def hear(self, segment: Segment) -> Iterator[tuple[int, Event]]:
        """Hear a segment; what it settles and when that was, in microseconds since 1970."""
        self._held.append(segment)
        return self._settle(PATIENCE)

    def finish(self) -> Iterator[tuple[int, Event]]:
        """Hear that no more was captured."""
        yield from self._settle(0)
        if not self.over:
            yield from self._flush()

    def begins_anew(self, segment: Segment) -> bool:
        """Whether a segment opens another connection between the same ends: another SYN than the one that was seen."""
        stream = self._streams[self._side(segment)]
        return segment.flags & (SYN | ACK) == SYN and stream.known and segment.seq != stream.first

    def _settle(self, patience: int) -> Iterator[tuple[int, Event]]:
        while self._held and not self.over:
            found = self._next()
            if found is None and len(self._held) <= patience:
                return
            segment = self._held.pop(found or 0)
            self._at = segment.at
            if found is None:
                yield from self._all(self._streams[self._side(segment).other].lose(segment.ack))
            yield from self._hear(segment)

    def _next(self) -> int | None:
        """Which of the held segments is to be heard: the first one, or one that it waits for."""
        return self._ready(0, set())

    def _ready(self, index: int, asked: set[int]) -> int | None:
        segment = self._held[index]
        other = self._streams[self._side(segment).other]
        if segment.flags & RST or not segment.flags & ACK or not other.ahead(segment.ack):
            return index
        asked.add(index)
        for number, each in enumerate(self._held):
            if number in asked or self._side(each) is not other.side or each.flags & RST:
                continue
            if other.fills(each.seq, each.length, bool(each.flags & FIN)):
                found = self._ready(number, asked)
                if found is not None:
                    return found
        return None

    def _hear(self, segment: Segment) -> Iterator[tuple[int, Event]]:
        side, flags = self._side(segment), segment.flags
        mine, other = self._streams[side], self._streams[side.other]
        if flags & RST:
            yield from self._reset(side)
            return
        if self.whole and side is Side.SERVER and not self.answered:
            self.answered = True
            yield self._at, Happened(side, What.ANSWERED)
        if flags & SYN and not mine.known:
            mine.begin(segment.seq)
        if flags & ACK and not other.known and (self.whole or flags & SYN):
            other.begin(segment.ack - 1)
        if segment.fragment:
            yield self._at, Happened(side, What.FRAGMENT)
        seq = segment.seq + 1 if flags & SYN else segment.seq
        yield from self._all(mine.add(seq, segment.octets, segment.length, bool(flags & FIN)))
        yield from self._closed(mine)

    def _reset(self, side: Side) -> Iterator[tuple[int, Event]]:
        refused = self.whole and side is Side.SERVER and not self.answered
        if not refused:
            yield from self._flush()
        self.over = True
        yield self._at, Happened(side, What.REFUSED if refused else What.RESET)

    def _flush(self) -> Iterator[tuple[int, Event]]:
        for stream in self._streams.values():
            yield from self._all(stream.flush())
            yield from self._closed(stream)

    def _closed(self, stream: Stream) -> Iterator[tuple[int, Event]]:
        if stream.ended and not stream.told:
            stream.told = True
            self.over = all(each.ended for each in self._streams.values())
            yield self._at, Happened(stream.side, What.CLOSED)

    def _all(self, told: list[Told]) -> Iterator[tuple[int, Event]]:
        return ((self._at, each) for each in told)

    def _side(self, segment: Segment) -> Side:
        return Side.CLIENT if segment.source == self.client else Side.SERVER
