"""The octets behind a span: what everything derived points back at."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from mailproxy.model.octets import Entry, Frame, Kind, Side, Span

_KEPT: Final = frozenset({Kind.SPEECH, Kind.CONTENT})


class Streams:
    """Both sides' streams of one session, in recorded form, for looking up spans."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._frames: dict[Side, list[Frame]] = {side: [] for side in Side}
        for entry in entries:
            if isinstance(entry, Frame) and entry.length:
                self._frames[entry.side].append(entry)
        self._starts = {side: [frame.start for frame in frames] for side, frames in self._frames.items()}

    def octets(self, span: Span) -> bytes:
        """The octets of `span` that were kept; those left out and those not in clear have none."""
        _, start, end = span
        touching = [frame for frame in self._touching(span) if frame.kind in _KEPT]
        return b"".join([frame.octets[max(start - frame.start, 0) : max(end - frame.start, 0)] for frame in touching])

    def missing(self, span: Span) -> int:
        """How many octets of `span` are not in the record."""
        _, start, end = span
        touching = [frame for frame in self._touching(span) if frame.kind in _KEPT]
        return span.length - sum([max(min(end, frame.end) - max(start, frame.start), 0) for frame in touching])

    def whole(self, side: Side) -> Span:
        """All that `side` said."""
        frames = self._frames[side]
        return Span(side, 0, frames[-1].end if frames else 0)

    def _touching(self, span: Span) -> list[Frame]:
        side, start, end = span
        starts = self._starts[side]
        first = max(bisect_right(starts, start) - 1, 0)
        return self._frames[side][first : bisect_left(starts, end, first)]
