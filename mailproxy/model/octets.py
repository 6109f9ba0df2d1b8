"""Octets as they were said: by whom, where in the stream, when.

A *stream* is all that one side said, in recorded form: a mark stands where a secret stood, and
message content that was left out still counts. Positions in it are what everything derived
(exchanges, verdicts, differences) points back with. Telnet commands are no part of it.
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
    """What the octets of a frame are."""

    SPEECH = "speech"
    TELNET = "telnet"
    OPAQUE = "opaque"
    OMITTED = "omitted"


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
    """What one read from a socket brought, in recorded form.

    `at` is in microseconds since the session began; `start` is a position in the stream of `side`;
    `wire` is how many octets went over the wire, which differs from `len(octets)` where a secret was
    masked or content was omitted.
    """

    side: Side
    octets: bytes
    at: int
    start: int
    wire: int
    origin: Origin = Origin.PEER
    kind: Kind = Kind.SPEECH
    secure: bool = False
