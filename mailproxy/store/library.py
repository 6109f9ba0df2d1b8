"""The recordings there are: read, added, deleted."""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, Table, case, delete, func, literal, select

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.octets import Entry, Frame, Kind
from mailproxy.model.session import Recording, Session
from mailproxy.model.tls import Certificate
from mailproxy.store import rows, tls_rows
from mailproxy.store.engine import writing
from mailproxy.store.numbers import take
from mailproxy.store.statements import count, put_entries, put_exchanges, put_headers
from mailproxy.store.tables import CERTIFICATES, EXCHANGES, FRAMES, LEGS, NOTES, REPLIES, SESSIONS
from mailproxy.store.trouble import StoreError

_LAST = re.compile(r"last(-failed)?(?:~([0-9]+))?")
_AT_ONCE: Final = 500
_CHAIN: Final = list(LEGS.columns).index(LEGS.c.tls_chain)
_CLIENT, _SERVER = LEGS.alias("client_leg"), LEGS.alias("server_leg")

HEADERS = select(SESSIONS, _CLIENT, _SERVER).select_from(
    SESSIONS.join(_CLIENT, (_CLIENT.c.session_id == SESSIONS.c.id) & (_CLIENT.c.side == "client")).join(
        _SERVER, (_SERVER.c.session_id == SESSIONS.c.id) & (_SERVER.c.side == "server")
    )
)


def sessions(connection: Connection, wanted: Select[Any]) -> list[Session]:
    """The sessions of this choice among `HEADERS`."""
    first, second = len(SESSIONS.columns), len(SESSIONS.columns) + len(LEGS.columns)
    found = [(row[:first], row[first:second], row[second:]) for row in connection.execute(wanted)]
    known = _certificates(connection, {leg[_CHAIN] for _, *legs in found for leg in legs} - {None, ""})
    return [rows.session(*each, known) for each in found]


def load(engine: Engine, session_id: int) -> Recording:
    """A session with all that was said in it. Raises StoreError where there is none of this number."""
    with engine.begin() as connection:
        return read(connection, session_id)


def read(connection: Connection, session_id: int) -> Recording:
    """The same within a transaction. Raises StoreError."""
    found = sessions(connection, HEADERS.where(SESSIONS.c.id == session_id))
    if not found:
        raise StoreError(f"there is no session {session_id}")
    entries = _entries(connection, session_id)
    return Recording(found[0], tuple(map(itemgetter(1), entries)), _exchanges(connection, session_id))


def outline(engine: Engine, session_id: int) -> Recording:
    """A session without the octets of its messages, which are only counted. Raises StoreError."""
    octets = case((FRAMES.c.kind == Kind.CONTENT.value, literal(b"")), else_=FRAMES.c.octets)
    bare = [octets if column.name == "octets" else column for column in FRAMES.columns]
    with engine.begin() as connection:
        found = sessions(connection, HEADERS.where(SESSIONS.c.id == session_id))
        if not found:
            raise StoreError(f"there is no session {session_id}")
        chosen = select(*bare).where(FRAMES.c.session_id == session_id).order_by(FRAMES.c.seq)
        frames = [_left_out(*rows.frame(row)) for row in connection.execute(chosen)]
        notes = map(rows.note, _of(connection, NOTES, session_id))
        entries = sorted([*frames, *notes], key=itemgetter(0))
        return Recording(found[0], tuple(map(itemgetter(1), entries)), _exchanges(connection, session_id))


def _left_out(seq: int, entry: Entry) -> tuple[int, Entry]:
    left_out = isinstance(entry, Frame) and entry.kind is Kind.CONTENT
    return seq, entry._replace(kind=Kind.OMITTED) if left_out and isinstance(entry, Frame) else entry


def resolve(engine: Engine, name: str) -> int:
    """The number of the session that is meant: `12`, `last`, `last~1` (the one before), `last-failed`, `last-failed~2`.

    Raises StoreError where there is none.
    """
    with engine.begin() as connection:
        if name.isascii() and name.isdigit():
            return _existing(connection, int(name[:18]))
        if found := _LAST.fullmatch(name):
            return _nth_last(connection, int((found[2] or "0")[:18]), failed=bool(found[1]))
    raise StoreError(f"{name} names no session: a number, last, last~1, last-failed or last-failed~1 does")


def add(engine: Engine, recording: Recording) -> int:
    """Keep a recording that was made elsewhere, and tell the number that it got."""
    with writing(engine) as connection:
        number = take(connection, 1)
        put_headers(connection, [rows.header(replace(recording.session, id=number))])
        put_entries(connection, [(number, seq, entry) for seq, entry in enumerate(recording.entries)])
        put_exchanges(connection, [(number, exchange) for exchange in recording.exchanges])
        count(connection, [number])
    return number


def remove(engine: Engine, session_id: int) -> None:
    """Delete a session and all that was said in it. Raises StoreError where there is none of this number."""
    with writing(engine) as connection:
        _existing(connection, session_id)
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))


def _certificates(connection: Connection, chains: Set[str]) -> dict[str, Certificate]:
    """The certificates that these chains name, by their fingerprints."""
    wanted = sorted({fingerprint for chain in chains for fingerprint in chain.split()})
    known: dict[str, Certificate] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        chosen = select(CERTIFICATES).where(CERTIFICATES.c.sha256.in_(wanted[at : at + _AT_ONCE]))
        known |= {row.sha256: tls_rows.certificate(row) for row in connection.execute(chosen)}
    return known


def _existing(connection: Connection, session_id: int) -> int:
    if connection.scalar(select(SESSIONS.c.id).where(SESSIONS.c.id == session_id)) is None:
        raise StoreError(f"there is no session {session_id}")
    return session_id


def _nth_last(connection: Connection, back: int, *, failed: bool) -> int:
    wanted = select(SESSIONS.c.id).where(SESSIONS.c.failed) if failed else select(SESSIONS.c.id)
    found = connection.scalar(wanted.order_by(SESSIONS.c.id.desc()).limit(1).offset(back))
    if found is not None:
        return int(found)
    there = connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    kind = "failed session" if failed else "session"
    if there == 0:
        raise StoreError(f"there is no {kind} yet")
    raise StoreError(f"there {'is' if there == 1 else 'are'} only {there} {kind}{'s' * (there != 1)}")


def _entries(connection: Connection, session_id: int) -> list[tuple[int, Entry]]:
    frames = map(rows.frame, _of(connection, FRAMES, session_id))
    notes = map(rows.note, _of(connection, NOTES, session_id))
    return sorted([*frames, *notes], key=itemgetter(0))


def _exchanges(connection: Connection, session_id: int) -> tuple[Exchange, ...]:
    replies: dict[int, list[Reply]] = {}
    for number, reply in map(rows.reply, _of(connection, REPLIES, session_id)):
        replies.setdefault(number, []).append(reply)
    found = _of(connection, EXCHANGES, session_id)
    return tuple(rows.exchange(row, replies.get(row.number, ())) for row in found)


def _of(connection: Connection, table: Table, session_id: int) -> Sequence[Row[Any]]:
    chosen: Iterable[Any] = table.primary_key
    return connection.execute(select(table).where(table.c.session_id == session_id).order_by(*chosen)).all()
