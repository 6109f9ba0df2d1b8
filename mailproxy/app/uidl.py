"""Identifiers of messages that changed since the account's last session (RFC 1939 section 7): all comes down again."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Engine

from mailproxy.analysis.lints.listings import Listing, listing
from mailproxy.analysis.step import accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.app.library import open_library
from mailproxy.model.finding import Finding, Verdict
from mailproxy.model.session import Recording, Session
from mailproxy.store import library
from mailproxy.store.search import Query, find

RULE: Final = "uids-changed"
KNOWS: Final = "identifiers of messages that are all new since the account's last session in the database"
LOOKED_AT: Final = 1000  # sessions of the server, the newest first, among which the account's last is sought
TRIED: Final = 5  # sessions of the account that are read until one has a listing
FEW: Final = 3  # messages under which a change may be chance, where sizes do not tell


class Drop(NamedTuple):
    """What a maildrop held: the identifiers by number, and the sizes as far as they were asked for."""

    asked: Listing
    names: frozenset[str]
    sizes: Counter[str]


def with_uids(told: Verdict, db: str, recording: Recording) -> Verdict:
    """A verdict with that finding, for a session that was recorded in this database. Raises StoreError."""
    session = recording.session
    asked = any(each.verb == "UIDL" for each in recording.exchanges)
    if not session.id or session.source or session.protocol != "pop3" or not asked:
        return told
    engine = open_library(db)
    try:
        found = changed(engine, recording)
    finally:
        engine.dispose()
    return told._replace(findings=(*told.findings, found)) if found else told


def changed(engine: Engine, recording: Recording) -> Finding | None:
    """A finding where no message that was left on the server has its identifier any more.

    Of an account without a name, or a session that did not ask for UIDL, nothing is known. Raises StoreError.
    """
    now = _drop(recording)
    if now is None:
        return None
    for session in _before(engine, recording.session):
        before = _left(library.load(engine, session.id))
        if before is not None:
            return _finding(session, before, now)
    return None


def _before(engine: Engine, session: Session) -> Iterator[Session]:
    """The sessions of the same account before this one, the newest first."""
    if not session.user or not session.server.host:
        return
    asked = Query(protocol="pop3", server=session.server.host, limit=LOOKED_AT)
    before = [each for each in find(engine, asked) if each.id < session.id]
    same = [each for each in before if (each.user, each.server.host) == (session.user, session.server.host)]
    yield from same[:TRIED]


def _drop(recording: Recording) -> Drop | None:
    view = View(recording)
    names = listing(view, "UIDL")
    if names is None or not names.lines:
        return None
    sizes = listing(view, "LIST")
    return Drop(
        names,
        frozenset(name for _, name in names.lines),
        Counter(size for _, size in sizes.lines) if sizes else Counter(),
    )


def _left(recording: Recording) -> Drop | None:
    """What a session left in the maildrop: without what it deleted."""
    drop = _drop(recording)
    if drop is None:
        return None
    gone = {each.argument.strip() for each in recording.exchanges if each.verb == "DELE" and accepted(each)}
    lines = tuple((number, name) for number, name in drop.asked.lines if str(number) not in gone)
    return drop._replace(asked=drop.asked._replace(lines=lines), names=frozenset(name for _, name in lines))


def _finding(session: Session, before: Drop, now: Drop) -> Finding | None:
    if not before.names or before.names & now.names or not _the_same(before, now):
        return None
    summary = (
        f"No message has the identifier (UIDL) that it had in session {session.id}: {len(now.names):,} messages will "
        "come down again."
    )
    return Finding(RULE, summary, evidence(now.asked.asked))


def _the_same(before: Drop, now: Drop) -> bool:
    """Whether the messages seem to be those of before: by their sizes, else by their number."""
    if before.sizes and now.sizes:
        return 2 * (before.sizes & now.sizes).total() >= len(before.names)
    return FEW <= len(before.names) <= len(now.names)
