"""Making room: old sessions go, and so does the space they took."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, text

from mailproxy.store.engine import writing
from mailproxy.store.tables import CERTIFICATES, FRAMES, LEGS, METADATA, SESSIONS
from mailproxy.store.texts import instant

_AT_ONCE: Final = 500  # so that a recorder never waits long
# Octets that each takes besides what was said.
_SESSION: Final = 1000
_FRAME: Final = 100
_EXCHANGE: Final = 500
_TLS: Final = 3000  # of a leg


class Pruned(NamedTuple):
    """How many sessions went, and how many octets of disk that gave back."""

    sessions: int
    freed: int


def prune(
    engine: Engine, older_than: timedelta | None = None, max_size: int | None = None, *, now: datetime | None = None
) -> Pruned:
    """Delete sessions that began longer ago, then the oldest until the database is no larger than `max_size` octets.

    Sessions that go on stay. Certificates that no session names any more go, too.
    """
    before = size(engine)
    count = 0
    if older_than is not None:
        limit = instant((now or datetime.now(UTC)) - older_than)
        while taken := _delete(engine, _older(engine, limit)):
            count += taken
    while max_size is not None and (excess := size(engine) - max_size) > 0:
        if not (taken := _delete(engine, _oldest(engine, excess))):
            break
        count += taken
        if engine.dialect.name != "sqlite":
            give_back(engine)
    if count:
        _forget_certificates(engine)
        give_back(engine)
    return Pruned(count, max(0, before - size(engine)))


def size(engine: Engine) -> int:
    """How many octets of disk the database takes, journals and what can be given back apart."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            names = "page_count", "freelist_count", "page_size"
            pages, free, octets = (int(connection.scalar(text(f"PRAGMA {name}")) or 0) for name in names)
            return (pages - free) * octets
        return sum(_relation_size(connection, name) for name in METADATA.tables)


def give_back(engine: Engine) -> None:
    """Give the space of what was deleted back to the system."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            # As a script: `execute` would stop after the first page.
            cursor.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM (FULL) {', '.join(METADATA.tables)}"))


def _relation_size(connection: Connection, name: str) -> int:
    return int(connection.scalar(text("SELECT pg_total_relation_size(to_regclass(:name))"), {"name": name}) or 0)


def _older(engine: Engine, limit: str) -> Sequence[int]:
    over = SESSIONS.c.seconds.is_not(None) & (SESSIONS.c.started_at < limit)
    with engine.begin() as connection:
        wanted = select(SESSIONS.c.id).where(over).order_by(SESSIONS.c.started_at).limit(_AT_ONCE)
        return connection.scalars(wanted).all()


def _oldest(engine: Engine, octets: int) -> Sequence[int]:
    """The oldest sessions that take about so many octets: too few rather than too many."""
    wanted = select(SESSIONS.c.id, _weight()).where(SESSIONS.c.seconds.is_not(None)).order_by(SESSIONS.c.started_at)
    with engine.begin() as connection:
        found = connection.execute(wanted.limit(_AT_ONCE)).all()
    before = accumulate((weight for _, weight in found), initial=0)
    return [session_id for (session_id, _), sum_before in zip(found, before, strict=False) if sum_before < octets]


def _weight() -> ColumnElement[int]:
    """How many octets of disk a session takes at the most."""
    frames = select(func.count()).where(FRAMES.c.session_id == SESSIONS.c.id).scalar_subquery()
    said = func.coalesce(SESSIONS.c.client_octets + SESSIONS.c.server_octets, 0)
    exchanges = func.coalesce(SESSIONS.c.exchanges, 0)
    secure = select(func.count()).where(LEGS.c.session_id == SESSIONS.c.id, LEGS.c.tls_checked.is_not(None))
    tls = _TLS * secure.scalar_subquery()
    return _SESSION + tls + _FRAME * frames + _EXCHANGE * exchanges + said + said / 4


def _delete(engine: Engine, sessions: Sequence[int]) -> int:
    if sessions:
        with writing(engine) as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(sessions)))
    return len(sessions)


def _forget_certificates(engine: Engine) -> None:
    """Delete the certificates that no leg names."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # a recorder must not find one there that goes
            connection.execute(text(f"LOCK TABLE {CERTIFICATES.name} IN SHARE ROW EXCLUSIVE MODE"))
        chains = connection.scalars(select(LEGS.c.tls_chain).where(LEGS.c.tls_chain != "").distinct())
        named = {fingerprint for chain in chains for fingerprint in chain.split()}
        there = connection.scalars(select(CERTIFICATES.c.sha256)).all()
        for fingerprint in set(there) - named:
            connection.execute(delete(CERTIFICATES).where(CERTIFICATES.c.sha256 == fingerprint))
