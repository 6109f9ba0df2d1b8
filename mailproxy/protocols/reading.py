"""A session read again: from the database, or from a transcript of any origin."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.protocols import named
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Terms

RECORDED = Terms(secrets=True)
"""What was recorded once is in the form that its owner wanted: read it as it stands."""


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
    for entry in entries:
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
