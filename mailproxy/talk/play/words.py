"""The words of a recorded client."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from mailproxy.model.octets import Entry, Frame, Kind, Side, Span

CHUNK: Final = 65_536
"""Octets that are said at most in one go."""


class Words:
    """What the client said, to be cut as it was spoken: frame by frame."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        said = (entry for entry in entries if isinstance(entry, Frame) and entry.side is Side.CLIENT)
        self._frames = [frame for frame in said if frame.length]
        self._starts = [frame.start for frame in self._frames]

    def cut(self, span: Span) -> Iterator[tuple[bytes, int]]:
        """The octets of a span that were kept, a piece for each frame, and the microseconds between it and the last."""
        for at in range(max(bisect_right(self._starts, span.start) - 1, 0), len(self._frames)):
            frame = self._frames[at]
            if frame.start >= span.end:
                return
            if frame.kind in {Kind.SPEECH, Kind.CONTENT}:
                pause = frame.at - self._frames[at - 1].at if frame.start > span.start else 0
                yield frame.octets[max(span.start - frame.start, 0) : max(span.end - frame.start, 0)], max(pause, 0)

    def chunks(self, span: Span) -> Iterator[tuple[bytes, int]]:
        """The same where pauses do not matter: few large pieces, for a transcript has one for each line."""
        held = bytearray()
        for piece, _ in self.cut(span):
            if len(held) + len(piece) > CHUNK:
                yield bytes(held), 0
                held.clear()
            held += piece
        yield bytes(held), 0

    def line(self, span: Span) -> bytes:
        """A line."""
        return b"".join(piece for piece, _ in self.cut(span))
