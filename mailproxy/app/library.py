"""The library: recordings found and loaded, from the database or from a file."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from mailproxy.app.settings import state
from mailproxy.formats import FORMATS
from mailproxy.formats.error import FormatError
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Note
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import BLIND, names, reading
from mailproxy.protocols.outcome import Tally
from mailproxy.protocols.turn import MASKED, Terms
from mailproxy.store import library
from mailproxy.store.engine import open_database
from mailproxy.store.journal import directory
from mailproxy.store.recovery import recover
from mailproxy.store.search import Query, find
from mailproxy.store.trouble import StoreError

__all__ = ["FormatError", "Query", "StoreError", "find", "open_library", "recordings"]


def open_library(db: str) -> Engine:
    """Open a database, and bring in what a killed recorder left in its journal. Raises StoreError."""
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


def is_file(name: str) -> bool:
    """Whether a name means a file, and not a session of the database."""
    return name == "-" or name.endswith((".talk", ".json")) or "/" in name or "\\" in name


def read_file(name: str, format: str = "", terms: Terms = MASKED) -> list[Recording]:
    """The recordings of a file (`-`: standard input), secrets masked unless `terms` differ. Raises FormatError."""
    if format and format not in [each.name for each in FORMATS]:
        raise FormatError(f"{format!r} is no format: there is {', '.join(each.name for each in FORMATS)}")
    source = "standard input" if name == "-" else name
    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise FormatError(f"{source}: {error.strerror}") from error
    text = octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    for each in FORMATS:
        if each.name == format or (not format and each.recognise(text)):
            return [complete(recording, source, terms) for recording in each.read(text, source)]
    formats = ", ".join(each.name for each in FORMATS)
    raise FormatError(f"{source}: this is no recording; the formats are {formats}")


def complete(recording: Recording, source: str, terms: Terms) -> Recording:
    """A recording from elsewhere, read: each frame of one kind, exchanges, outcome. Raises FormatError."""
    session = recording.session
    if session.protocol not in (*names(), BLIND.name):
        raise FormatError(f"{source}: {session.protocol!r} is no protocol that is known here: {', '.join(names())}")
    read = reading.read(session.protocol, recording.entries, terms)
    outcome, failed = judge(Recording(session, read.entries, read.exchanges))
    session = replace(
        session,
        source=source,
        user=read.user or session.user,
        outcome=outcome,
        failed=failed,
        duration=_duration(session, read.entries),
    )
    return Recording(session, read.entries, read.exchanges)


def keep(engine: Engine, recording: Recording) -> Session:
    """Put a recording into the database under a number of its own."""
    return replace(recording.session, id=library.add(engine, recording))


def judge(recording: Recording) -> tuple[str, bool]:
    """What came of a session, in one line, and whether that is a failure."""
    tally = Tally()
    for exchange in recording.exchanges:
        tally.hear(exchange)
    for entry in recording.entries:
        if isinstance(entry, Note):
            tally.note(entry)
    failed, outcome = tally.conclude(any(exchange.verb == "QUIT" for exchange in recording.exchanges))
    return outcome, failed


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _duration(session: Session, entries: Sequence[Entry]) -> int:
    return session.duration if session.duration is not None else max((entry.at for entry in entries), default=0)


def _reread(protocol: str, entries: Sequence[Entry]) -> Sequence[Exchange]:
    return reading.read(protocol, entries).exchanges
