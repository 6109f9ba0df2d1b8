"""The records of a journal: their length, their tag, the session, the place in it, and what the tag says."""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side
from mailproxy.store.rows import Header
from mailproxy.store.tls_rows import Row

_OPENING: Final = b"mailproxy journal 1\n"
_LIVE, _HEADER, _FRAME, _NOTE = range(1, 5)
_HEAD: Final = struct.Struct("<IBqI")  # length of the whole record, tag, session, place
_FRAME_HEAD: Final = struct.Struct("<IBqIqqqB")  # and at, start, wire, bits
_NOTE_HEAD: Final = struct.Struct("<IBqIqB")  # and at, mark
_JSON: Final = json.JSONEncoder(separators=(",", ":"), default=lambda octets: b64encode(octets).decode())
_KINDS: Final = tuple(Kind)
_BITS: Final = {kind: place << 3 for place, kind in enumerate(Kind)} | {
    Side.CLIENT: 0, Side.SERVER: 1 << 2, Origin.PEER: 0, Origin.PROXY: 1 << 1
}  # fmt: skip
_MARKS: Final = tuple(Mark)
_COLUMNS: Final = 13  # of the row of a session, without its counts


class Live(NamedTuple):
    """The sessions that were open when a file was begun; `turn` counts the files of a recorder."""

    turn: int
    sessions: tuple[int, ...]


Placed = tuple[int, int, Entry]
Record = Live | Header | Placed


def pack_live(turn: int, sessions: tuple[int, ...]) -> bytes:
    """What a file begins with."""
    ids = struct.pack(f"<{len(sessions)}q", *sessions)
    return _OPENING + _HEAD.pack(_HEAD.size + len(ids), _LIVE, turn, 0) + ids


def pack(session_id: int, seq: int, entry: Entry) -> bytes:
    """The record of a frame or a note."""
    if isinstance(entry, Frame):
        side, octets, at, start, wire, kind, origin, secure = entry
        bits = _BITS[kind] | _BITS[side] | _BITS[origin] | secure
        length = _FRAME_HEAD.size + len(octets)
        return _FRAME_HEAD.pack(length, _FRAME, session_id, seq, at, start, wire, bits) + octets
    text = entry.text.encode("utf-8", "surrogatepass")
    length = _NOTE_HEAD.size + len(text)
    return _NOTE_HEAD.pack(length, _NOTE, session_id, seq, entry.at, _MARKS.index(entry.mark)) + text


def pack_header(header: Header) -> bytes:
    """The record of what is known of a session."""
    text = _JSON.encode(header[:3])
    if header.certificates:
        text = f"{text[:-1]},{_certificates(header.certificates)}]"
    octets = text.encode()
    return _HEAD.pack(_HEAD.size + len(octets), _HEADER, header.id, 0) + octets


@lru_cache(64)  # most sessions see the same ones, and tell them several times
def _certificates(rows: tuple[Row, ...]) -> str:
    return _JSON.encode(rows)


def records(octets: bytes) -> Iterator[Record]:
    """What a file holds, up to where it was broken off."""
    at = len(_OPENING)
    if not octets.startswith(_OPENING):
        return
    while at + _HEAD.size <= len(octets):
        length, tag, session_id, seq = _HEAD.unpack_from(octets, at)
        if length < _HEAD.size or at + length > len(octets):
            return
        yield _record(tag, session_id, seq, octets[at : at + length])
        at += length


def _record(tag: int, session_id: int, seq: int, octets: bytes) -> Record:
    if tag == _LIVE:
        return Live(session_id, struct.unpack(f"<{(len(octets) - _HEAD.size) // 8}q", octets[_HEAD.size :]))
    if tag == _HEADER:
        session, client, server, *rest = json.loads(octets[_HEAD.size :])
        certificates = tuple((*row[:-1], b64decode(row[-1])) for rows in rest for row in rows)
        return Header(_complete(session), tuple(client), tuple(server), certificates)
    if tag == _FRAME:
        *_, at, start, wire, bits = _FRAME_HEAD.unpack_from(octets)
        side = Side.SERVER if bits & 4 else Side.CLIENT
        origin = Origin.PROXY if bits & 2 else Origin.PEER
        said = octets[_FRAME_HEAD.size :]
        return session_id, seq, Frame(side, said, at, start, wire, _KINDS[bits >> 3], origin, bool(bits & 1))
    *_, at, mark = _NOTE_HEAD.unpack_from(octets)
    return session_id, seq, Note(_MARKS[mark], octets[_NOTE_HEAD.size :].decode("utf-8", "surrogatepass"), at)


def _complete(session: list[object]) -> Row:
    """The row of a session, also as it was before one could be played again."""
    return tuple(session) if len(session) == _COLUMNS else (*session, "")
