"""A transcript taken apart: what was said in one exchange of a recording, found by its place."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from mailproxy.app.take_out import lines
from mailproxy.model.exchange import Exchange
from mailproxy.model.line import Line
from mailproxy.model.octets import Frame, Side, Span
from mailproxy.model.session import Recording


class _Placed(NamedTuple):
    """A frame, and its place among the entries."""

    place: int
    frame: Frame


class Passages:
    """The passages of a recording, an exchange each."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._frames: dict[Side, list[_Placed]] = {side: [] for side in Side}
        for place, entry in enumerate(recording.entries):
            if isinstance(entry, Frame) and entry.length:
                self._frames[entry.side].append(_Placed(place, entry))
        self._starts = {side: [each.frame.start for each in placed] for side, placed in self._frames.items()}
        self._ends = {side: [each.frame.end for each in placed] for side, placed in self._frames.items()}

    def of(self, exchange: Exchange | None) -> list[Line]:
        """The transcript of an exchange, its messages folded; of none, nothing."""
        if exchange is None:
            return []
        pieces = sorted([piece for span in _spans(exchange) for piece in self._pieces(span)])
        return list(lines(Recording(self._recording.session, tuple([piece.frame for piece in pieces])), fold=True))

    def _pieces(self, span: Span) -> list[_Placed]:
        side, start, end = span
        first, last = bisect_right(self._ends[side], start), bisect_left(self._starts[side], end)
        return [_cut(each, start, end) for each in self._frames[side][first:last]]


def _cut(placed: _Placed, start: int, end: int) -> _Placed:
    place, frame = placed
    if start <= frame.start and frame.end <= end:
        return placed
    return _Placed(place, _part(frame, max(start, frame.start), min(end, frame.end)))


def _part(frame: Frame, start: int, end: int) -> Frame:
    if len(frame.octets) != frame.length:
        return frame._replace(start=start, wire=end - start)
    octets = frame.octets[start - frame.start : end - frame.start]
    return frame._replace(octets=octets, start=start, wire=len(octets))


def _spans(exchange: Exchange) -> Iterator[Span]:
    if exchange.command:
        yield exchange.command
    yield from exchange.extra
    yield from (reply.span for reply in exchange.replies)
    if exchange.content:
        yield exchange.content.span
