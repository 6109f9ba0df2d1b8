"""Two sessions on one maildrop at once, which RFC 1939 section 4 gives to one alone: the other session, by its number.

A session that was broken off holds the maildrop too, until the server's timer ends it (RFC 1939 section 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mailproxy.analysis.clients.recognise import recognise
from mailproxy.analysis.step import accepted, evidence, refused, said
from mailproxy.analysis.texts import find as meaning
from mailproxy.analysis.view import View
from mailproxy.app.library import open_library
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Confidence, Finding, Verdict
from mailproxy.model.session import Recording, Session
from mailproxy.store.library import outline
from mailproxy.store.search import Query, find

RULE: Final = "two-at-once"
KNOWS: Final = "another session of the database that has, or empties, the maildrop of the same account"
LOCKED: Final = "mailbox-in-use"
GONE: Final = "message-gone"
PROTOCOLS: Final = frozenset({"pop3", "pop2"})
LOOKED_AT: Final = 1000  # sessions of the server, the newest first, among which the other is sought
TRIED: Final = 20  # sessions of the account that are read until one is to blame
AUTOLOGOUT: Final = timedelta(minutes=10)
"""For how long a server keeps the maildrop for a client that it does not hear any more (RFC 1939 section 3)."""
TIME: Final = "%H:%M:%S"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A refusal that another session may be to blame for: what it means, the exchange, and when it was said."""

    means: str
    refusal: Exchange
    at: datetime


@dataclass(frozen=True, slots=True)
class Other:
    """Another session of the account; `quit` tells whether it took its leave, `deleted` how many messages went."""

    recording: Recording
    quit: bool
    deleted: int

    @property
    def session(self) -> Session:
        """The session itself."""
        return self.recording.session

    @property
    def ended(self) -> datetime | None:
        """When it ended; None while it goes on."""
        return _ended(self.session)


def with_other(told: Verdict, db: str, recording: Recording) -> Verdict:
    """A verdict with that finding, for a session that was recorded in this database. Raises StoreError.

    Where the locked maildrop decided, the remedy names the other session too.
    """
    session = recording.session
    troubles = list(_troubles(View(recording)))
    if not session.id or session.source or not (session.user and session.server.host) or not troubles:
        return told
    engine = open_library(db)
    try:
        found = next(_pairs(engine, session, troubles), None)
    finally:
        engine.dispose()
    return _with(told, *found) if found else told


def _troubles(view: View) -> Iterator[Trouble]:
    if view.protocol not in PROTOCOLS:
        return
    for each in view.steps:
        if refused(each) and each.reply:
            row = meaning(each.verb, each.reply.code, f"{each.reply.code} {each.reply.enhanced} {said(each)}")
            if row and row.name in {LOCKED, GONE}:
                yield Trouble(row.name, each, view.recording.session.started + timedelta(microseconds=each.reply.at))


def _pairs(engine: Engine, session: Session, troubles: list[Trouble]) -> Iterator[tuple[Trouble, Other]]:
    others = [_other(outline(engine, each.id)) for each in _beside(engine, session)]
    yield from ((trouble, other) for trouble in troubles for other in others if _to_blame(trouble, other, session))


def _beside(engine: Engine, session: Session) -> list[Session]:
    """The sessions of the same account that may have had the maildrop meanwhile, the newest first."""
    over = session.started + timedelta(microseconds=session.duration or 0)
    asked = Query(server=session.server.host, limit=LOOKED_AT)
    found = [
        each
        for each in find(engine, asked)
        if each.id != session.id
        and each.protocol in PROTOCOLS
        and (each.user, each.server.host) == (session.user, session.server.host)
        and each.started <= over
        and ((ended := _ended(each)) is None or ended + AUTOLOGOUT >= session.started)
    ]
    return found[:TRIED]


def _other(recording: Recording) -> Other:
    view = View(recording)
    quit = view.quit is not None and accepted(view.steps[view.quit])
    return Other(recording, quit, view.deleted)


def _to_blame(trouble: Trouble, other: Other, session: Session) -> bool:
    """Whether the other session had the maildrop when the server refused, or took messages out in this one."""
    view = View(other.recording)
    if view.login is None or other.session.started > trouble.at:
        return False
    if trouble.means == GONE:
        return other.deleted > 0 and (other.ended is None or other.ended >= session.started)
    lasts = timedelta() if other.quit else AUTOLOGOUT
    return other.ended is None or other.ended + lasts >= session.started


def _with(told: Verdict, trouble: Trouble, other: Other) -> Verdict:
    found = Finding(RULE, _summary(trouble, other), evidence(trouble.refusal))
    told = told._replace(findings=(*told.findings, found))
    if told.rule != LOCKED or trouble.means != LOCKED:
        return told
    return told._replace(
        confidence=Confidence.HIGH, remedy=f"End session {other.session.id} ({_who(other)}) first. {told.remedy}"
    )


def _summary(trouble: Trouble, other: Other) -> str:
    session = other.session
    since, until = _local(session.started), _local(other.ended) if other.ended else ""
    name = f"Session {session.id} of the same account ({_who(other)})"
    if trouble.means == GONE:
        span = f"from {since} to {until}" if until else f"since {since}"
        return f"{name} was open {span} and deleted {other.deleted:,} of its messages."
    if other.ended and other.ended < trouble.at and not other.quit:
        return (
            f"{name} ended without QUIT at {until}: the server may hold the maildrop for it until its timer runs out, "
            "after 10 minutes or more (RFC 1939 section 3)."
        )
    return f"{name} was open {f'from {since} to {until}' if until else f'since {since}'}: it holds the maildrop."


def _who(other: Other) -> str:
    """The other's program and machine, as far as they are known."""
    program, address = recognise(other.recording), other.session.client.address
    return f"{program or 'a program'} at {address}" if address else program or "a program"


def _ended(session: Session) -> datetime | None:
    return None if session.duration is None else session.started + timedelta(microseconds=session.duration)


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime(TIME)
