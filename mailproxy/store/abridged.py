"""A session without the bulk of its large messages, which stay in the database until they are asked for."""

import hashlib
from operator import itemgetter
from typing import Final

from sqlalchemy import Engine, and_, case, func, literal, select

from mailproxy.model.octets import Entry, Frame, Kind, Span
from mailproxy.model.session import Recording
from mailproxy.store import library, rows
from mailproxy.store.tables import EXCHANGES, FRAMES, NOTES

SMALL: Final = 4 << 20
"""Octets of messages up to which a session is loaded whole."""
AT_ONCE: Final = 16


def load(engine: Engine, session_id: int) -> Recording:
    """A session; where its messages are large, only the first frame of each has its octets. Raises StoreError."""
    content = FRAMES.c.kind == Kind.CONTENT.value
    with engine.begin() as connection:
        asked = select(func.coalesce(func.sum(func.length(FRAMES.c.octets)), 0))
        size = connection.scalar(asked.where(FRAMES.c.session_id == session_id, content))
    if (size or 0) <= SMALL:
        return library.load(engine, session_id)
    return _without_bulk(engine, session_id)


def _without_bulk(engine: Engine, session_id: int) -> Recording:
    begins = select(EXCHANGES.c.content_start).where(EXCHANGES.c.session_id == session_id)
    bulk = and_(
        FRAMES.c.kind == Kind.CONTENT.value, FRAMES.c.start.not_in(begins.where(EXCHANGES.c.content_start >= 0))
    )
    octets = case((bulk, literal(b"")), else_=FRAMES.c.octets).label("octets")
    chosen = select(*(octets if column.name == "octets" else column for column in FRAMES.columns))
    outline = library.outline(engine, session_id)
    with engine.begin() as connection:
        found = connection.execute(chosen.where(FRAMES.c.session_id == session_id).order_by(FRAMES.c.seq))
        frames = [_left_out(*rows.frame(row)) for row in found]
        notes = map(rows.note, connection.execute(select(NOTES).where(NOTES.c.session_id == session_id)))
        entries = sorted([*frames, *notes], key=itemgetter(0))
    return Recording(outline.session, tuple(map(itemgetter(1), entries)), outline.exchanges)


def _left_out(seq: int, entry: Entry) -> tuple[int, Entry]:
    bulk = isinstance(entry, Frame) and entry.kind is Kind.CONTENT and entry.wire and not entry.octets
    return seq, entry._replace(kind=Kind.OMITTED) if bulk and isinstance(entry, Frame) else entry


def digest(engine: Engine, session_id: int, span: Span) -> bytes:
    """What tells the octets of a span from others (SHA-256), empty where the record lacks some of them; they are read
    some frames at a time."""
    found = hashlib.sha256()
    asked = select(FRAMES).where(
        FRAMES.c.session_id == session_id,
        FRAMES.c.side == span.side.value,
        FRAMES.c.start < span.end,
        FRAMES.c.start + FRAMES.c.wire > span.start,
    )
    with engine.connect().execution_options(yield_per=AT_ONCE) as connection:
        for row in connection.execute(asked.order_by(FRAMES.c.seq)):
            _, frame = rows.frame(row)
            assert isinstance(frame, Frame)
            if frame.kind is Kind.OMITTED:
                return b""
            if frame.kind in {Kind.SPEECH, Kind.CONTENT}:
                found.update(frame.octets[max(0, span.start - frame.start) : max(0, span.end - frame.start)])
    return found.digest()
