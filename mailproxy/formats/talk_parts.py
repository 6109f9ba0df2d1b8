"""Frames that belong together, on their way to lines of a transcript."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

from mailproxy.formats.talk_marks import SPOKEN, Voice, left_out, octets, opaque
from mailproxy.formats.talk_octets import shown
from mailproxy.model.line import Line
from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.wire.dots import END

LONGEST: Final = 8192
"""How many octets without a line end stand in one line of a transcript; more are broken into open lines."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_NUMBERS = re.compile(r"[0-9]{1,15}")


class Part(Protocol):
    """What one voice says without a break and in one way."""

    def takes(self, frame: Frame) -> bool:
        """Whether `frame` goes on with it."""

    def add(self, frame: Frame) -> list[Line]:
        """The lines that are whole with this frame."""

    def close(self) -> list[Line]:
        """The line that is left when something else comes."""


class Spoken:
    """Octets that are shown, line by line."""

    def __init__(self, voice: Voice, kinds: frozenset[Kind]) -> None:
        self._voice = voice
        self._kinds = kinds
        self._rest = bytearray()
        self._at = 0

    def takes(self, frame: Frame) -> bool:
        return voice(frame) == self._voice and frame.kind in self._kinds

    def add(self, frame: Frame) -> list[Line]:
        self._at = frame.at
        return [line for octets in _LINES.findall(frame.octets) for line in self._lines(octets)]

    def close(self) -> list[Line]:
        return [self._take(len(self._rest))] if self._rest else []

    def _lines(self, octets: bytes) -> Iterator[Line]:
        if not self._rest and octets.endswith(b"\n") and len(octets) <= LONGEST:
            yield self._line(octets)
            return
        self._rest += octets
        while len(self._rest) > LONGEST:
            yield self._take(LONGEST - self._rest[:LONGEST].endswith(b"\r"))
        if octets.endswith(b"\n"):
            yield self._take(len(self._rest))

    def _take(self, number: int) -> Line:
        taken = bytes(self._rest[:number])
        del self._rest[:number]
        return self._line(taken)

    def _line(self, octets: bytes) -> Line:
        return Line(SPOKEN[self._voice], shown(octets), self._at, self._voice.side)


class Counted:
    """Octets that are not in the record; whether they went under TLS is not told."""

    def __init__(self, side: Side, kind: Kind) -> None:
        self._side = side
        self._kind = kind
        self._octets = self._at = 0

    def takes(self, frame: Frame) -> bool:
        return frame.side is self._side and frame.kind is self._kind

    def add(self, frame: Frame) -> list[Line]:
        self._octets += frame.length
        self._at = frame.at
        return []

    def close(self) -> list[Line]:
        told = left_out if self._kind is Kind.OMITTED else opaque
        return [told(self._side, self._octets, self._at)]


class Passed:
    """Octets of both sides that are not in clear, told in one line a side once anything else comes."""

    def __init__(self) -> None:
        self._octets: dict[Side, int] = {}
        self._at = 0

    def takes(self, frame: Frame) -> bool:
        return frame.kind is Kind.OPAQUE

    def add(self, frame: Frame) -> list[Line]:
        self._octets[frame.side] = self._octets.get(frame.side, 0) + frame.length
        self._at = frame.at
        return []

    def close(self) -> list[Line]:
        return [opaque(side, octets, self._at) for side, octets in self._octets.items()]


class Folded:
    """A message told in one line, its octets counted and not held.

    It is whole with its final dot; where none ends it (RFC 3030 section 2, RFC 937), with as many octets as a
    number in `before`, the line that the same side said before it, announces. Of one that was left out
    in part nobody knows.
    """

    def __init__(self, voice: Voice, before: str) -> None:
        self._voice = voice
        self._announced = {int(number) for number in _NUMBERS.findall(before)}
        self._octets = self._lines = self._at = 0
        self._tail = b""
        self._kept = True
        self._told = False

    def takes(self, frame: Frame) -> bool:
        return voice(frame) == self._voice and frame.kind in (Kind.CONTENT, Kind.OMITTED) and not self._told

    def add(self, frame: Frame) -> list[Line]:
        self._at = frame.at
        self._octets += frame.length
        self._lines += frame.octets.count(b"\n")
        self._kept = self._kept and frame.kind is Kind.CONTENT
        self._tail = (self._tail + frame.octets)[-len(END) :] if frame.kind is Kind.CONTENT else b""
        ended = self._tail == END or (self._octets == 3 and self._tail == b".\r\n")
        return self._tell("") if ended else []

    def close(self) -> list[Line]:
        if self._told:
            return []
        return self._tell(" so far" if self._kept and self._octets not in self._announced else "")

    def _tell(self, ending: str) -> list[Line]:
        self._told = True
        lines = f" {self._lines} line{'s' * (self._lines != 1)}," if self._kept else ""
        text = f"(message,{lines} {octets(self._octets)}{ending})"
        return [Line(SPOKEN[self._voice], text, self._at, self._voice.side)]


def whole(frame: Frame) -> Line | None:
    """The line that a frame is, with its end and nothing behind it; None where it is another piece of what is said."""
    octets = frame.octets
    if octets.find(b"\n") != len(octets) - 1 or len(octets) > LONGEST:
        return None
    return Line(SPOKEN[voice(frame)], shown(octets), frame.at, frame.side)


def voice(frame: Frame) -> Voice:
    """Who speaks in a frame."""
    return Voice(frame.side, frame.secure)
