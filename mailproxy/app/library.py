"""The library: recordings found and loaded, from the database or from a file."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Final, NamedTuple, cast

from sqlalchemy import Engine

from mailproxy.app.judging import concluded, judge
from mailproxy.app.settings import database, shown, state
from mailproxy.formats import FORMATS, OCTET_FORMATS
from mailproxy.formats.error import FormatError
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Verdict
from mailproxy.model.octets import Entry
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import BLIND, names, reading
from mailproxy.protocols.turn import MASKED, Terms
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
    "find",
    "make_library",
    "open_library",
    "outline",
    "recordings",
]

NOWHERE: Final = "sqlite://"
FILES: Final = (".talk", ".json", ".pcap", ".pcapng", ".cap")


class NoLibrary(StoreError):
    """There is no database of the name that was given."""


class Judged(NamedTuple):
    """A recording, and the verdict on it; None where a rule failed."""

    recording: Recording
    verdict: Verdict | None


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


def is_file(name: str) -> bool:
    """Whether a name means a file, and not a session of the database."""
    if name == "-" or name.endswith(FILES) or "/" in name or "\\" in name:
        return True
    return not name.isdigit() and not name.startswith("last") and Path(name).is_file()


def read_file(name: str, format: str = "", terms: Terms = MASKED) -> list[Recording]:
    """The recordings of a file (`-`: standard input), secrets masked unless `terms` differ. Raises FormatError."""
    return list(each_of_file(name, format, terms))


def each_of_file(name: str, format: str = "", terms: Terms = MASKED) -> Iterator[Recording]:
    """The same, one by one: of a large capture no more is held than the sessions that go on. Raises FormatError."""
    return (each.recording for each in judged_of_file(name, format, terms))


def judged_of_file(name: str, format: str = "", terms: Terms = MASKED) -> Iterator[Judged]:
    """The same with the verdicts on them. Raises FormatError."""
    names = ", ".join([*(each.name for each in FORMATS), *(each.name for each in OCTET_FORMATS)])
    if format and format not in names.split(", "):
        raise FormatError(f"{format!r} is no format: there is {names}")
    source = "standard input" if name == "-" else name
    try:
        with _opened(name) as file:
            for reader in OCTET_FORMATS:
                if reader.name == format or (not format and reader.recognise(file.peek(4)[:4])):
                    yield from (_judged(each, source, terms) for each in reader.read(file, source))
                    return
            octets = file.read()
    except OSError as error:
        raise FormatError(f"{source}: {error.strerror}") from error
    text = octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    for each in FORMATS:
        if each.name == format or (not format and each.recognise(text)):
            yield from [_judged(recording, source, terms) for recording in each.read(text, source)]
            return
    raise FormatError(f"{source}: this is no recording; the formats are {names}")


@contextmanager
def _opened(name: str) -> Iterator[BufferedReader]:
    if name != "-":
        with Path(name).open("rb") as file:
            yield file
        return
    standard: BufferedReader = BufferedReader(cast(RawIOBase, sys.stdin.buffer))
    try:
        yield standard
    finally:
        standard.detach()


def complete(recording: Recording, source: str, terms: Terms) -> Recording:
    """A recording from elsewhere, read: each frame of one kind, exchanges, outcome. Raises FormatError."""
    return _judged(recording, source, terms).recording


def _judged(recording: Recording, source: str, terms: Terms) -> Judged:
    session = recording.session
    if session.protocol not in (*names(), BLIND.name):
        raise FormatError(f"{source}: {session.protocol!r} is no protocol that is known here: {', '.join(names())}")
    read = reading.read(session.protocol, recording.entries, terms)
    duration = _duration(session, read.entries)
    session = replace(session, source=source, user=read.user or session.user, duration=duration)
    session, verdict = concluded(Recording(session, read.entries, read.exchanges))
    return Judged(Recording(session, read.entries, read.exchanges), verdict)


def keep(engine: Engine, recording: Recording) -> Session:
    """Put a recording into the database under a number of its own."""
    return replace(recording.session, id=library.add(engine, recording))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _duration(session: Session, entries: Sequence[Entry]) -> int:
    return session.duration if session.duration is not None else max((entry.at for entry in entries), default=0)


def _reread(protocol: str, entries: Sequence[Entry]) -> Sequence[Exchange]:
    return reading.read(protocol, entries).exchanges
