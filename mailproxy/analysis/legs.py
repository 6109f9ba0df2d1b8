"""What one leg gave against what the other was handed: what a peer said goes on octet for octet, but where the record
says that mailproxy acted. What it did is listed here; where nothing is, it did nothing."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.model.finding import Evidence
from mailproxy.model.octets import Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Recording

ACTS: Final = ("mailproxy ", "fault: ", "dropped ", "cut off", "TLS passes through")


class Act(NamedTuple):
    """Something that mailproxy did, in one line, and the octets or the note that show it."""

    text: str
    evidence: tuple[Evidence, ...]


class Carried(NamedTuple):
    """How many octets a peer said, and how many mailproxy said in its place."""

    side: Side
    peer: int
    proxy: int


class Legs(NamedTuple):
    """Both directions, and what mailproxy did."""

    carried: tuple[Carried, ...]
    acts: tuple[Act, ...]


def legs(recording: Recording) -> Legs:
    """What went from one leg to the other."""
    return Legs(tuple(_carried(recording, side) for side in Side), tuple(_acts(recording)))


def _carried(recording: Recording, side: Side) -> Carried:
    said = {origin: 0 for origin in Origin}
    for entry in recording.entries:
        if isinstance(entry, Frame) and entry.side is side and entry.kind is not Kind.TELNET:
            said[entry.origin] += entry.wire
    return Carried(side, said[Origin.PEER], said[Origin.PROXY])


def _acts(recording: Recording) -> Iterator[Act]:
    for place, entry in enumerate(recording.entries):
        match entry:
            case Note(mark=Mark.FACT | Mark.TROUBLE) if entry.text.startswith(ACTS):
                yield Act(entry.text, (Evidence(note=place),))
            case Frame(kind=Kind.TELNET, side=Side.CLIENT):
                yield Act(f"{entry.wire} octets of Telnet were answered, and went no further", ())
            case Frame(origin=Origin.PROXY) if entry.kind is not Kind.TELNET:
                span = Span(entry.side, entry.start, entry.end)
                yield Act(f"{entry.wire} octets were said in the {entry.side}'s place", (Evidence(span),))
