"""What a killed process left in its journal, brought into the database."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import DBAPIError

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Mark, Note
from mailproxy.model.session import Ending, How, Leg, Recording
from mailproxy.store.engine import busy, writing
from mailproxy.store.journal import Orphan, orphans
from mailproxy.store.library import read
from mailproxy.store.numbers import raise_over
from mailproxy.store.records import Live, Record
from mailproxy.store.rows import Header, header
from mailproxy.store.statements import count, put_entries, put_exchanges, put_headers
from mailproxy.store.tables import EXCHANGES, REPLIES, SESSIONS
from mailproxy.store.trouble import StoreError, reason

Reread = Callable[[str, Sequence[Entry]], Sequence[Exchange]]
Judge = Callable[[Recording], tuple[str, bool]]

KILLED = "the proxy was killed"


def recover(engine: Engine, journal_dir: Path, *, reread: Reread, judge: Judge) -> list[int]:
    """Bring in what the journals of dead processes hold, end the sessions that were open, and tell their numbers.

    `reread` makes exchanges of a protocol's entries, `judge` tells the outcome in one line and whether it is a
    failure. A database that is busy is left for the next time. Raises StoreError where it cannot be written to.
    """
    recovered: list[int] = []
    for orphan in orphans(journal_dir):
        try:
            recovered += _adopt(engine, orphan, reread, judge)
        except DBAPIError as error:
            if busy(error):
                break
            raise StoreError(f"{journal_dir} cannot be recovered: {reason(error)}") from error
        except OSError as error:
            raise StoreError(f"{journal_dir} cannot be read: {reason(error)}") from error
    return sorted(recovered)


def _adopt(engine: Engine, orphan: Orphan, reread: Reread, judge: Judge) -> list[int]:
    records = orphan.read()
    with writing(engine) as connection:
        sessions = _bring_in(connection, records)
        for session_id in sessions:
            _finish(connection, session_id, reread, judge)
    orphan.remove()
    return sessions


def _bring_in(connection: Connection, records: Sequence[Record]) -> list[int]:
    """Write what is missing, and tell which sessions it may have been missing from."""
    headers = [record for record in records if isinstance(record, Header)]
    put_headers(connection, headers)
    touched = {header.id for header in headers}
    placed = [record for record in records if not isinstance(record, Live | Header)]
    touched |= {session_id for session_id, _, _ in placed}
    touched |= {session_id for record in records if isinstance(record, Live) for session_id in record.sessions}
    there = _there(connection, touched)
    put_entries(connection, [record for record in placed if record[0] in there])
    for session_id in there:
        raise_over(connection, session_id)
    return sorted(there)


def _there(connection: Connection, sessions: Iterable[int]) -> set[int]:
    """Those of the sessions that nobody has deleted."""
    each = (select(SESSIONS.c.id).where(SESSIONS.c.id == session_id) for session_id in sessions)
    return {found for found in map(connection.scalar, each) if found is not None}


def _finish(connection: Connection, session_id: int, reread: Reread, judge: Judge) -> None:
    recording = read(connection, session_id)
    exchanges = tuple(reread(recording.session.protocol, recording.entries))
    recording = replace(recording, exchanges=exchanges)
    if recording.session.duration is None:
        recording = _ended(recording)
        put_entries(connection, [(session_id, len(recording.entries) - 1, recording.entries[-1])])
        outcome, failed = judge(recording)
        put_headers(connection, [header(replace(recording.session, outcome=outcome, failed=failed))])
    for table in (EXCHANGES, REPLIES):
        connection.execute(delete(table).where(table.c.session_id == session_id))
    put_exchanges(connection, [(session_id, exchange) for exchange in exchanges])
    count(connection, [session_id])


def _ended(recording: Recording) -> Recording:
    session = recording.session
    at = max((entry.at for entry in recording.entries), default=0)
    ended = replace(session, duration=at, client=_cut(session.client, at), server=_cut(session.server, at))
    return replace(recording, session=ended, entries=(*recording.entries, Note(Mark.TROUBLE, KILLED, at)))


def _cut(leg: Leg, at: int) -> Leg:
    if leg.connected is None or leg.ending is not None:
        return leg
    return replace(leg, ending=Ending(None, How.CUT, at))
