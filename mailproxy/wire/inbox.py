"""What one side has said and nobody has read yet, and the form in which it is recorded.

The buffer has two zones. The *settled* octets at its front stand as they are recorded, and are noted
already; those behind them are as they came. Reading settles: octets are noted as they are, or a mark
in the place of a secret, or only their number where content is left out. So an octet is noted once,
in one form, and a position in the recorded stream is a position here: what is read again later from
the record comes out at the same positions.

Octets that are forwarded before their meaning is known (the first half of a password, say) are
*withheld*: they stay unsettled, only their number is noted, and what they turn out to be is noted
with the octets that decide it.

The readers are generators that yield while octets are short, so a protocol reads like its RFC.
"""

from collections.abc import Generator
from typing import NamedTuple

from mailproxy.model.octets import Kind

Reading = Generator[None, None, int]
LINE_LIMIT = 65_536
_SPEECH = Kind.SPEECH


class Piece(NamedTuple):
    """Octets to note in recorded form, and how many octets of the wire they stand for."""

    kind: Kind
    start: int
    octets: bytes
    wire: int


class Inbox:
    """The unread octets of one side.

    `gap` says that the octets being fed only stand for some that were not kept; `closed` that no more
    will come, so that a line or a count that is short will stay so.
    """

    __slots__ = ("_pieces", "_withheld", "buffer", "closed", "gap", "position", "settled")

    def __init__(self) -> None:
        self.buffer = b""
        self.position = 0
        self.settled = 0
        self.gap = False
        self.closed = False
        self._withheld = 0
        self._pieces: list[Piece] = []

    def feed(self, octets: bytes) -> None:
        """Add what came from the wire."""
        self.buffer = self.buffer + octets if self.buffer else octets

    @property
    def unread(self) -> bool:
        """Whether `pieces` has something to tell."""
        return bool(self._pieces) or len(self.buffer) - self.settled != self._withheld

    def pieces(self) -> list[Piece]:
        """What has been settled since the last call, in order, with the number of what is withheld."""
        if withheld := len(self.buffer) - self.settled - self._withheld:
            self._withheld += withheld
            self._append(Piece(Kind.SPEECH, self.position + self.settled, b"", withheld))
        pieces = self._pieces
        if pieces:
            self._pieces = []
        return pieces

    def settle(self, end: int, kind: Kind = _SPEECH) -> None:
        """Note the octets up to index `end` as they are."""
        settled = self.settled
        if end <= settled:
            return
        octets = self.buffer[settled:end]
        if self.gap:
            self._note(Kind.OMITTED, b"", len(octets), len(octets))
        else:
            self._note(kind, octets, len(octets), len(octets))

    def conceal(self, start: int, end: int, mark: bytes) -> None:
        """Put `mark` where a secret stands, from index `start`, which is not settled yet, to `end`."""
        assert start >= self.settled
        self.settle(start)
        self.buffer = self.buffer[:start] + mark + self.buffer[end:]
        self._note(Kind.SPEECH, mark, end - start, len(mark))

    def take(self, length: int, kind: Kind = _SPEECH) -> bytes:
        """Read the first `length` octets, settling them as they are."""
        if self.settled or self.gap or self._withheld:
            self.settle(length, kind)
            return self._pass(length)
        # Nearly always nothing of a line was settled before: the same in one step.
        octets = self.buffer[:length]
        self.buffer = self.buffer[length:]
        self._append(Piece(kind, self.position, octets, length))
        self.position += length
        return octets

    def omit(self, length: int, kind: Kind = Kind.OMITTED) -> bytes:
        """Read the first `length` octets, noting only the number of those not settled before."""
        if fresh := length - self.settled:
            self._note(kind, b"", fresh, fresh)
        return self._pass(length)

    def skip(self, length: int, kind: Kind) -> None:
        """Count `length` octets that were never here."""
        self._append(Piece(kind, self.position, b"", length))
        self.position += length

    def push_back(self, octets: bytes) -> None:
        """Make octets that were taken unread again; they stay settled."""
        self.buffer = octets + self.buffer
        self.settled += len(octets)
        self.position -= len(octets)

    @property
    def gone_on(self) -> bool:
        """Whether some of what is unread has been noted before, and is on its way to the other peer."""
        return bool(self.settled or self._withheld)

    def cut(self) -> bytes:
        """Take out what is unread and not settled: nobody will read it."""
        octets = self.buffer[self.settled :]
        self.buffer = self.buffer[: self.settled]
        return octets

    def line(self, limit: int = LINE_LIMIT) -> Reading:
        """Wait for a line and return its length with its LF; less, where it is longer than `limit` or broken off."""
        seen = 0
        while True:
            end = self.buffer.find(b"\n", seen, limit)
            if end >= 0:
                return end + 1
            if len(self.buffer) >= limit:
                return limit
            if self.closed and self.buffer:
                return len(self.buffer)
            seen = len(self.buffer)
            yield

    def some(self) -> Reading:
        """Wait for at least one octet and return how many there are."""
        while not self.buffer:
            yield
        return len(self.buffer)

    def _note(self, kind: Kind, octets: bytes, raw: int, length: int) -> None:
        """Settle `length` octets in recorded form that stand for `raw` ones, some of them counted while withheld."""
        counted = 0
        if self._withheld:
            counted = min(raw, self._withheld)
            self._withheld -= counted
        start = self.position + self.settled
        self.settled += length
        self._append(Piece(kind, start, octets, raw - counted if octets else raw))

    def _append(self, piece: Piece) -> None:
        pieces = self._pieces
        if pieces:
            last = pieces[-1]
            if last.kind is piece.kind:
                pieces[-1] = Piece(last.kind, last.start, last.octets + piece.octets, last.wire + piece.wire)
                return
        pieces.append(piece)

    def _pass(self, length: int) -> bytes:
        octets = self.buffer[:length]
        self.buffer = self.buffer[length:]
        self.settled -= length
        self.position += length
        return octets
