"""The library: recordings found and loaded, from the database or from a file."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mailproxy.app.files import complete, each_of_file, is_file, read_file
from mailproxy.app.judging import judge
from mailproxy.app.settings import database, shown, state
from mailproxy.formats.error import FormatError
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import reading
from mailproxy.store import library
from mailproxy.store.engine import is_there, open_database
from mailproxy.store.journal import directory
from mailproxy.store.library import outline
from mailproxy.store.recovery import recover
from mailproxy.store.search import Query, find
from mailproxy.store.trouble import StoreError

__all__ = [
    "FormatError",
    "NoLibrary",
    "Query",
    "StoreError",
    "complete",
    "each_of_file",
    "find",
    "is_file",
    "make_library",
    "open_library",
    "outline",
    "read_file",
    "recordings",
]

NOWHERE: Final = "sqlite://"


class NoLibrary(StoreError):
    """There is no database of the name that was given."""


def open_library(db: str) -> Engine:
    """Open a database to read in it; none is made, and the one that is used by default is empty until then.

    Raises StoreError, NoLibrary among them.
    """
    if is_there(db):
        return make_library(db)
    if db == database():
        return open_database(NOWHERE)
    raise NoLibrary(f"there is no database {shown(db)}: nothing was recorded in it yet")


def make_library(db: str) -> Engine:
    """Open a database, made where there is none, and bring in what a killed recorder left in its journal.

    Raises StoreError.
    """
    engine = open_database(db)
    recover(engine, journal_of(engine), reread=_reread, judge=judge)
    return engine


def journal_of(engine: Engine) -> Path:
    """Where the journals of a database are."""
    return directory(engine, state())


def recordings(db: str, wanted: Iterable[str]) -> list[Recording]:
    """What is wanted: numbers, `last`, `last~1`, `last-failed`, or paths of files that hold recordings.

    Raises StoreError and FormatError.
    """
    engine: Engine | None = None
    found: list[Recording] = []
    try:
        for name in wanted:
            if is_file(name):
                found += read_file(name)
                continue
            engine = engine or open_library(db)
            found.append(library.load(engine, library.resolve(engine, name)))
    finally:
        if engine:
            engine.dispose()
    return found


def keep(engine: Engine, recording: Recording) -> Session:
    """Put a recording into the database under a number of its own."""
    return replace(recording.session, id=library.add(engine, recording))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _reread(protocol: str, entries: Sequence[Entry]) -> Sequence[Exchange]:
    return reading.read(protocol, entries).exchanges
