"""What one side has said and nobody has read yet, and the form in which it is recorded.

The buffer has two zones. The *settled* octets at its front stand as they are recorded, and are noted
already; those behind them are as they came. Reading settles: octets are noted as they are, or a mark
in the place of a secret, or only their number where content is left out. So an octet is noted once,
in one form, and a position in the recorded stream is a position here: what is read again later from
the record comes out at the same positions.

Octets that are forwarded before their meaning is known (the first half of a password, say) can be
*withheld*: they stay unsettled, and what they turn out to be is noted with the octets that decide it.

The readers are generators that yield while octets are short, so a protocol reads like its RFC.
"""

from collections.abc import Generator
from typing import NamedTuple

from mailproxy.model.octets import Kind

Reading = Generator[None, None, int]
LINE_LIMIT = 65_536


class Piece(NamedTuple):
    """Octets to note: in recorded form, and for omitted ones only how many they are."""

    kind: Kind
    start: int
    octets: bytes
    length: int


class Inbox:
    """The unread octets of one side."""

    __slots__ = ("_pieces", "buffer", "position", "settled")

    def __init__(self) -> None:
        self.buffer = b""
        self.position = 0
        self.settled = 0
        self._pieces: list[Piece] = []

    def feed(self, octets: bytes) -> None:
        """Add what came from the wire."""
        self.buffer = self.buffer + octets if self.buffer else octets

    def pieces(self) -> list[Piece]:
        """What has been settled since the last call, in order, neighbours joined."""
        joined: list[Piece] = []
        for piece in self._pieces:
            last = joined[-1] if joined else None
            if last and last.kind is piece.kind and last.start + last.length == piece.start:
                length = last.length + piece.length
                joined[-1] = Piece(last.kind, last.start, last.octets + piece.octets, length)
            else:
                joined.append(piece)
        self._pieces.clear()
        return joined

    def settle(self, end: int) -> None:
        """Note the octets up to index `end` as they are."""
        if end > self.settled:
            octets = self.buffer[self.settled : end]
            self._note(Kind.SPEECH, octets, len(octets))

    def conceal(self, start: int, end: int, mark: bytes) -> None:
        """Put `mark` where a secret stands, from index `start`, which is not settled yet, to `end`."""
        assert start >= self.settled
        self.settle(start)
        self.buffer = self.buffer[:start] + mark + self.buffer[end:]
        if mark:
            self._note(Kind.SPEECH, mark, len(mark))

    def take(self, length: int) -> bytes:
        """Read the first `length` octets, settling them as they are."""
        self.settle(length)
        octets = self.buffer[:length]
        self._pass(length)
        return octets

    def omit(self, length: int) -> bytes:
        """Read the first `length` octets, noting only the number of those not settled before."""
        if length > self.settled:
            self._note(Kind.OMITTED, b"", length - self.settled)
        octets = self.buffer[:length]
        self._pass(length)
        return octets

    def push_back(self, octets: bytes) -> None:
        """Make octets that were taken unread again; they stay settled."""
        self.buffer = octets + self.buffer
        self.settled += len(octets)
        self.position -= len(octets)

    def line(self, limit: int = LINE_LIMIT) -> Reading:
        """Wait for a line and return its length with its LF; `limit`, where it is longer than that."""
        seen = 0
        while True:
            end = self.buffer.find(b"\n", seen, limit)
            if end >= 0:
                return end + 1
            if len(self.buffer) >= limit:
                return limit
            seen = len(self.buffer)
            yield

    def some(self) -> Reading:
        """Wait for at least one octet and return how many there are."""
        while not self.buffer:
            yield
        return len(self.buffer)

    def _note(self, kind: Kind, octets: bytes, length: int) -> None:
        self._pieces.append(Piece(kind, self.position + self.settled, octets, length))
        self.settled += length

    def _pass(self, length: int) -> None:
        self.buffer = self.buffer[length:]
        self.settled -= length
        self.position += length
