"""The octets behind a span: what everything derived points back at."""

from bisect import bisect_right
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
        return b"".join(
            frame.octets[max(span.start - frame.start, 0) : max(span.end - frame.start, 0)]
            for frame in self._touching(span)
            if frame.kind in _KEPT
        )

    def missing(self, span: Span) -> int:
        """How many octets of `span` are not in the record."""
        return span.length - len(self.octets(span))

    def whole(self, side: Side) -> Span:
        """All that `side` said."""
        frames = self._frames[side]
        return Span(side, 0, frames[-1].end if frames else 0)

    def _touching(self, span: Span) -> list[Frame]:
        starts = self._starts[span.side]
        first = max(bisect_right(starts, span.start) - 1, 0)
        return self._frames[span.side][first : bisect_right(starts, span.end)]
