"""Compare recorded sessions: which ones are meant, and what differs."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from mailproxy.analysis import habitual
from mailproxy.analysis.diff import Looked, compare
from mailproxy.analysis.legs import Legs, legs
from mailproxy.app import files
from mailproxy.formats.error import FormatError
from mailproxy.model.difference import Comparison
from mailproxy.model.session import Recording, Session
from mailproxy.store.trouble import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Compared", "Legs", "NothingToCompare", "against_good", "legs_of", "pair"]

MOST: Final = 20
"""So many good sessions are looked at, the newest."""


class NothingToCompare(Exception):
    """There is no session to compare with; the message is one line."""


TROUBLE: Final = (NothingToCompare, StoreError, FormatError)
"""Why sessions cannot be compared."""


class Compared(NamedTuple):
    """Two sessions compared; `chosen` says which good one was found, where nobody named one, and why it."""

    comparison: Comparison
    chosen: str = ""


@contextmanager
def _held() -> Iterator[None]:
    """Have Python look for no garbage in what is compared: it is held to the end, and to look through it again and
    again, also while it is shown, takes a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@_held()
def pair(db: str, names: Sequence[str], strict: bool = False, timing: bool = False) -> Compared:
    """Compare a good session with a bad one, both named; of a bad one alone, the last good one of its kind is found.

    Raises StoreError, FormatError and NothingToCompare.
    """
    with _Shelf(db) as shelf:
        if len(names) > 1:
            good, bad = (shelf.looked(name) for name in names[:2])
            _alike(good, bad)
            return Compared(compare(good, bad, strict, timing))
        bad = shelf.looked(names[0])
        found = shelf.goods(bad.recording.session, 1)
        if not found:
            raise NothingToCompare(_none(bad.recording.session))
        told = f"compared with session {found[0].id}, the last good one of the same client, protocol and server"
        return Compared(compare(shelf.numbered(found[0].id), bad, strict, timing), told)


@_held()
def against_good(db: str, name: str, strict: bool = False) -> Compared:
    """Compare a session with the habitual course of the good ones of its kind. Raises as `pair` does."""
    with _Shelf(db) as shelf:
        bad = shelf.looked(name)
        found = shelf.goods(bad.recording.session, MOST)
        if not found:
            raise NothingToCompare(_none(bad.recording.session))
        comparison = habitual.against([shelf.numbered(each.id) for each in found], bad, strict)
        like = "of the same client, protocol and server"
        if len(found) == 1:
            return Compared(comparison, f"what differs from the only good session {like}")
        return Compared(comparison, f"what differs from each of {len(found)} good sessions {like}, beside the nearest")


def legs_of(db: str, name: str) -> tuple[Recording, Legs]:
    """What one leg of a session gave against what the other was handed. Raises StoreError and FormatError."""
    with _Shelf(db) as shelf:
        recording = shelf.looked(name).recording
    return recording, legs(recording)


class _Shelf:
    """Where sessions are taken from: files and the database, which is opened once it is needed. What reads it is not
    imported before, for that takes as long as to compare two small files."""

    def __init__(self, db: str) -> None:
        self._db = db
        self._engine: Engine | None = None

    def __enter__(self) -> "_Shelf":
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine:
            self._engine.dispose()

    @property
    def engine(self) -> "Engine":
        """The database."""
        from mailproxy.app.library import open_library

        self._engine = self._engine or open_library(self._db)
        return self._engine

    def looked(self, name: str) -> Looked:
        """The session of this name; of a file that holds several, the last."""
        if not files.is_file(name):
            from mailproxy.store.library import resolve

            return self.numbered(resolve(self.engine, name))
        found = list(files.judged_of_file(name))
        if not found:
            raise NothingToCompare(f"{name} holds no session")
        recording, verdict = found[-1]
        return Looked(recording, judged=verdict)

    def numbered(self, number: int) -> Looked:
        """The session of this number; large messages of it stay in the database."""
        from mailproxy.store import abridged

        engine = self.engine
        return Looked(abridged.load(engine, number), lambda span: abridged.digest(engine, number, span))

    def goods(self, session: Session, most: int) -> list[Session]:
        """The last sessions of the same client, protocol and server that went well, the newest first."""
        from mailproxy.store.search import Query, find

        where = session.server.host or session.server.address
        query = Query(failed=False, protocol=session.protocol, server=where or None)
        alike = [each for each in find(self.engine, query) if _is_like(each, session)]
        return sorted(alike, key=lambda each: (_is_before(each, session), _age(each)), reverse=True)[:most]


def _age(session: Session) -> tuple[datetime, int]:
    """When it began; of two that began at once, the one with the higher number is newer.

    Numbers alone do not tell: each program that records takes a block of them beforehand.
    """
    return session.started, session.id


def _is_before(each: Session, session: Session) -> bool:
    return not session.id or _age(each) < _age(session)


def _is_like(each: Session, session: Session) -> bool:
    server = each.server.host or each.server.address
    wanted = session.server.host or session.server.address
    same = server == wanted and (not session.server.port or each.server.port == session.server.port)
    client = not session.client.address or not each.client.address or each.client.address == session.client.address
    done = each.duration is not None and each.outcome.startswith("ok")
    return each.id != session.id and same and client and done and not each.replays


def _alike(good: Looked, bad: Looked) -> None:
    spoken = good.recording.session.protocol, bad.recording.session.protocol
    if spoken[0] != spoken[1] and set(spoken) != {"smtp", "lmtp"}:
        raise NothingToCompare(f"one session is of {spoken[0]}, the other of {spoken[1]}: they cannot be compared")


def _none(session: Session) -> str:
    where = session.server.host or session.server.address or "that server"
    return (
        f"no other good {session.protocol} session of the same client with {where} is recorded: name one, "
        "as in mailproxy diff GOOD BAD"
    )


# For programs.
