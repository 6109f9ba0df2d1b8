"""Recordings in files: transcripts, captures and the logs of other programs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Final, NamedTuple, cast

from mailproxy.app.judging import concluded
from mailproxy.formats import FORMATS, OCTET_FORMATS
from mailproxy.formats.error import FormatError
from mailproxy.model.finding import Verdict
from mailproxy.model.octets import Entry
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import BLIND, names, reading
from mailproxy.protocols.turn import MASKED, Terms

FILES: Final = (".talk", ".json", ".pcap", ".pcapng", ".cap")


class Judged(NamedTuple):
    """A recording, and the verdict on it; None where a rule failed."""

    recording: Recording
    verdict: Verdict | None


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


def _duration(session: Session, entries: Sequence[Entry]) -> int:
    return session.duration if session.duration is not None else max((entry.at for entry in entries), default=0)
