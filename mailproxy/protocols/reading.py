"""A session read again: from the database, or from a transcript of any origin."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.protocols import named
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Terms
from mailproxy.wire import dots

RECORDED = Terms(secrets=True)
"""What was recorded once is in the form that its owner wanted: read it as it stands."""

AT_ONCE: Final = 65_536
"""Octets of a message up to which its lines are heard together."""
KEPT: Final = frozenset({Kind.SPEECH, Kind.CONTENT})


class Reading(NamedTuple):
    """Frames, each of one kind, notes in their places, and the exchanges they hold."""

    entries: tuple[Entry, ...]
    exchanges: tuple[Exchange, ...]
    user: str


def read(protocol: str, entries: Sequence[Entry], terms: Terms = RECORDED) -> Reading:
    """Hear what was recorded; raises KeyError for a protocol that is not known."""
    dialogue = named(protocol).dialogue(terms)
    dialogue.from_start = _from_start(entries)
    heard: list[Entry] = []
    for entry in _together(dialogue, entries):
        heard += _note(dialogue, entry) if isinstance(entry, Note) else _frame(dialogue, entry)
    heard += dialogue.finish(entries[-1].at if entries else 0)
    return Reading(tuple(heard), tuple(dialogue.exchanges), dialogue.user)


def _from_start(entries: Iterable[Entry]) -> bool:
    """Whether the record begins with the connection: it says so, or the server speaks first."""
    for entry in entries:
        if isinstance(entry, Frame):
            return entry.side is Side.SERVER
        if entry.mark is Mark.FACT and entry.text.startswith("connected"):
            return True
    return True


def _together(dialogue: Dialogue, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries one by one as they are heard; lines of a message that were said at one time are a frame together."""
    lines: list[Frame] = []
    size = 0
    for entry in entries:
        if lines and not (size < AT_ONCE and isinstance(entry, Frame) and _goes_on(lines[-1], entry)):
            yield _joined(lines)
            lines, size = [], 0
        if isinstance(entry, Frame) and entry.side is dialogue.dotted and entry.kind in KEPT and entry.octets:
            lines.append(entry)
            size += len(entry.octets)
        else:
            yield entry
    if lines:
        yield _joined(lines)


def _goes_on(line: Frame, frame: Frame) -> bool:
    """Whether a frame follows a line within the same message."""
    octets = line.octets
    if octets == b".\r\n" or octets[-2:] != b"\r\n" or dots.END in octets:
        return False
    alike = frame.at == line.at and frame.kind is line.kind and frame.origin is line.origin
    return alike and frame.side is line.side and frame.secure is line.secure and frame.octets != b""


def _joined(lines: Sequence[Frame]) -> Frame:
    octets = b"".join([frame.octets for frame in lines])
    return lines[0]._replace(octets=octets, wire=sum([frame.wire for frame in lines]))


def _note(dialogue: Dialogue, note: Note) -> list[Entry]:
    if note.mark is Mark.FACT and note.text.startswith("TLS with the "):
        dialogue.secured(Side.SERVER if note.text.startswith("TLS with the server") else Side.CLIENT)
    if note.mark is not Mark.TROUBLE:
        return [note]
    if note.text.startswith("dropped "):
        dialogue.stray_noted()
    for side in Side:
        if note.text.startswith((f"closed by the {side}", f"reset by the {side}")):
            return [*dialogue.close(side, note.at).entries, note]
    return [note]


def _frame(dialogue: Dialogue, frame: Frame) -> list[Entry]:
    match frame.kind:
        case Kind.TELNET:
            return [frame]
        case Kind.OMITTED | Kind.OPAQUE:
            return [*dialogue.feed_gap(frame.side, frame.wire, frame.kind, frame.at), frame]
        case _ if not frame.octets:
            return [frame]
        case _:
            heard = dialogue.feed(frame.side, frame.octets, frame.at).entries
            if heard == [frame]:
                return heard
            return _with_wire([_as(entry, frame) for entry in heard], frame)


def _with_wire(heard: list[Entry], frame: Frame) -> list[Entry]:
    """The octets of the wire are those that the frame stood for, as long as its octets are the same."""
    pieces = [entry for entry in heard if isinstance(entry, Frame)]
    rest = frame.wire - sum([piece.wire for piece in pieces])
    if not rest or b"".join([piece.octets for piece in pieces]) != frame.octets:
        return heard
    return [entry._replace(wire=entry.wire + rest) if entry is pieces[-1] else entry for entry in heard]


def _as(entry: Entry, frame: Frame) -> Entry:
    if isinstance(entry, Note) or entry.side is not frame.side:
        return entry
    if entry.secure is frame.secure and entry.origin is frame.origin:
        return entry
    return entry._replace(secure=frame.secure, origin=frame.origin)
