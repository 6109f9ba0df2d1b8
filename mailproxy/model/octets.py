"""Octets as they were said: by whom, where in the stream, when.

A *stream* is all that one side said, in recorded form: a mark stands where a secret stood, and
octets that were not kept still count. Positions in it are what everything derived (exchanges,
verdicts, differences) points back with. Telnet commands are no part of it.
"""

from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """Which of the two peers."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "Side":
        """The peer that hears what this one says."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Origin(StrEnum):
    """Who put the octets on the wire."""

    PEER = "peer"
    PROXY = "proxy"


class Kind(StrEnum):
    """What the octets of a frame are.

    SPEECH is commands, replies and listings; CONTENT is a message. OMITTED (content that was not
    kept) and OPAQUE (ciphertext) count in the stream, their octets are not there. TELNET is there
    and does not count.
    """

    SPEECH = "speech"
    CONTENT = "content"
    OMITTED = "omitted"
    OPAQUE = "opaque"
    TELNET = "telnet"


_SPEECH, _CONTENT = Kind.SPEECH, Kind.CONTENT


class Mark(StrEnum):
    """What a note is, in the marks of a transcript."""

    FACT = "==="
    TROUBLE = "***"
    GAP = "..."
    COMMENT = "#"


class Span(NamedTuple):
    """Octets `start` up to, not including, `end` of the stream of `side`."""

    side: Side
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many octets it covers."""
        return self.end - self.start


class Frame(NamedTuple):
    """What one read from a socket brought, or a part of it that is of one kind, in recorded form.

    `at` is in microseconds since the session began; `start` is a position in the stream of `side`;
    `wire` is how many octets went over the wire, which differs from `len(octets)` where a secret was
    masked or octets were not kept. `side` is the peer in whose direction they were spoken, also where
    the proxy spoke in its place (`origin`).
    """

    side: Side
    octets: bytes
    at: int
    start: int
    wire: int
    kind: Kind = Kind.SPEECH
    origin: Origin = Origin.PEER
    secure: bool = False

    @property
    def length(self) -> int:
        """How far it moves the position in its side's stream, in octets."""
        kind = self.kind
        if kind is _SPEECH or kind is _CONTENT:  # asked of each frame many times, and most are one of these
            return len(self.octets)
        return 0 if kind is Kind.TELNET else self.wire

    @property
    def end(self) -> int:
        """The position behind it in its side's stream."""
        return self.start + self.length


class Note(NamedTuple):
    """Something to know that no peer said: a fact, trouble, a gap or a comment.

    `at` is in microseconds since the session began; `text` is one line, as a transcript shows it.
    """

    mark: Mark
    text: str
    at: int


Entry = Frame | Note
