"""What TCP (RFC 9293) carried one way, put in order again from its segments.

Sequence numbers are of 32 bits and wrap; positions here do not.
"""

from heapq import heappop, heappush
from typing import Final, NamedTuple

from mailproxy.model.octets import Side

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
FARTHEST: Final = 1 << 30
"""The largest window of TCP (RFC 7323 section 2.3): what is farther ahead is no part of the stream."""
WAITING: Final = 1 << 24
"""How many octets wait at most for some that are missing before them."""
SEGMENTS: Final = 1 << 14
"""How many segments do."""


class Endpoint(NamedTuple):
    """One end of a connection; the address in 4 or 16 octets."""

    address: bytes
    port: int


class Segment(NamedTuple):
    """A TCP segment. `length` is how many octets it carried, `octets` those that were captured; `at` in microseconds
    since 1970. `fragment` says that the IP packet was in fragments, of which this is the first."""

    source: Endpoint
    target: Endpoint
    at: int
    seq: int
    ack: int
    flags: int
    octets: bytes
    length: int
    fragment: bool = False


class Said(NamedTuple):
    """Octets in their order."""

    side: Side
    octets: bytes


class Missing(NamedTuple):
    """So many octets that were said and not captured."""

    side: Side
    number: int


Told = Said | Missing


class Stream:
    """All that one side says.

    `known` once it is known where it stands, `first` the sequence number before its first octet; `ended` once its FIN
    is reached, `told` is for whoever tells of that.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.known = False
        self.first = 0
        self.ended = False
        self.told = False
        self._position = 0
        self._end: int | None = None
        self._waiting: list[tuple[int, int, bytes]] = []
        self._held = 0

    def begin(self, seq: int) -> None:
        """Begin behind this sequence number, which is that of the SYN."""
        self.known = True
        self.first = seq
        self._position = seq + 1

    def add(self, seq: int, octets: bytes, length: int, fin: bool) -> list[Told]:
        """Hear a segment; what it puts in order. A repetition tells nothing, of two versions the first holds."""
        if not self.known:
            self.begin(seq - 1)
        place = self._place(seq)
        if self.ended or abs(place - self._position) > FARTHEST:
            return []
        if fin:
            self._end = place + length
        if length and place + length > self._position:
            heappush(self._waiting, (place, length, octets))
            self._held += len(octets)
        told = self._drain()
        while self._held > WAITING or len(self._waiting) > SEGMENTS:
            told += self._skip()
        return told

    def ahead(self, ack: int) -> bool:
        """Whether the other side has acknowledged octets that are not here."""
        ahead = self._place(ack) - self._position
        return self.known and not self.ended and 0 < ahead <= FARTHEST

    def fills(self, seq: int, length: int, fin: bool) -> bool:
        """Whether a segment holds what comes next."""
        place = self._place(seq)
        return place <= self._position < place + length + fin

    def lose(self, ack: int) -> list[Told]:
        """Give up octets that were acknowledged and not captured."""
        if not self.ahead(ack):
            return []
        return self._give_up(self._place(ack))

    def flush(self) -> list[Told]:
        """Give up all that is missing before what waits."""
        told: list[Told] = []
        while self._waiting:
            told += self._skip()
        if self._end is not None and self._end > self._position:
            told += self._give_up(self._end)
        return told

    def _place(self, seq: int) -> int:
        return self._position + (seq - self._position + 0x80000000) % 0x100000000 - 0x80000000

    def _skip(self) -> list[Told]:
        return self._give_up(self._waiting[0][0])

    def _give_up(self, place: int) -> list[Told]:
        """What waits up to `place` and behind it, and how many octets are missing between."""
        told: list[Told] = []
        place = place if self._end is None else min(place, self._end)
        while self._position < place:
            until = min(place, self._waiting[0][0]) if self._waiting else place
            told.append(Missing(self.side, until - self._position))
            self._position = until
            told += self._drain()
        return told

    def _drain(self) -> list[Told]:
        told: list[Told] = []
        while self._waiting and self._waiting[0][0] <= self._position:
            place, length, octets = heappop(self._waiting)
            self._held -= len(octets)
            told += self._take(octets[max(self._position - place, 0) :], place + length)
        if self._end is not None and self._position >= self._end:
            self.ended = True
        return told

    def _take(self, octets: bytes, end: int) -> list[Told]:
        missing = end - self._position - len(octets)
        if end <= self._position:
            return []
        self._position = end
        told: list[Told] = [Said(self.side, octets)] if octets else []
        return [*told, Missing(self.side, missing)] if missing > 0 else told
