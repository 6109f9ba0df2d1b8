"""What was said, found quickly by its place, and the messages in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side, Span

CARRIERS = frozenset({"DATA", "BDAT", "RETR", "TOP"})
KEPT = frozenset({Kind.SPEECH, Kind.CONTENT})
END = b".\r\n"


class Said:
    """The frames of both sides, in the order of their streams."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._frames: dict[Side, list[Frame]] = {side: [] for side in Side}
        self._ends: dict[Side, list[int]] = {side: [] for side in Side}
        self._gaps: dict[Side, list[int]] = {side: [] for side in Side}
        for entry in entries:
            if isinstance(entry, Frame) and (length := entry.length):
                self._frames[entry.side].append(entry)
                self._ends[entry.side].append(entry.start + length)
            elif isinstance(entry, Note) and entry.mark is Mark.GAP:
                for side, ends in self._ends.items():
                    self._gaps[side].append(ends[-1] if ends else 0)

    def octets(self, span: Span) -> bytes | None:
        """What was said there; None where not all of it was kept."""
        _, start, end = span
        found = []
        for frame in self._within(span):
            if frame.kind not in KEPT:
                return None
            found.append(frame.octets[max(0, start - frame.start) : end - frame.start])
        octets = found[0] if len(found) == 1 else b"".join(found)
        return octets if len(octets) == end - start else None

    def at(self, span: Span) -> int | None:
        """When the last of it was said, in microseconds since the session began; None where that is not known."""
        return max((frame.at for frame in self._within(span)), default=None)

    def torn(self, span: Span) -> bool:
        """Whether the record leaves something out right before what was said there, or within it."""
        gaps = self._gaps[span.side]
        place = bisect_left(gaps, span.start)
        return place < len(gaps) and (gaps[place] < span.end or gaps[place] == span.start)

    def leaves_out(self, span: Span) -> bool:
        """Whether the record leaves something out behind the beginning of what was said there."""
        gaps = self._gaps[span.side]
        return bool(gaps) and gaps[-1] >= span.start

    def _within(self, span: Span) -> list[Frame]:
        side, start, end = span
        frames = self._frames[side]
        first = last = bisect_right(self._ends[side], start)
        while last < len(frames) and frames[last].start < end:
            last += 1
        return frames[first:last]


class Message(NamedTuple):
    """A message that went over the wire whole, in the step `place`.

    `octets` are those of the wire, without the dot that ended it.
    """

    place: int
    exchange: Exchange
    span: Span
    octets: bytes

    @property
    def size(self) -> int:
        """How many octets it has once doubled dots are undone (RFC 5321 section 4.5.2)."""
        if self.exchange.verb == "BDAT":
            return len(self.octets)
        return len(self.octets) - self.octets.count(b"\r\n..") - self.octets.startswith(b"..")


def messages(said: Said, steps: Sequence[Exchange]) -> Iterator[Message]:
    """All whole messages of which all octets were kept, each in its step."""
    for place, each in enumerate(steps):
        if each.verb not in CARRIERS or each.content is None or not each.content.ended:
            continue
        if said.torn(each.content.span):
            continue
        octets = said.octets(each.content.span)
        if octets is not None:
            yield Message(place, each, each.content.span, octets.removesuffix(END))
