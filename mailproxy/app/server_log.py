"""The server's own log, read beside a session: its lines become findings, and what they say is told in plain words."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Final, cast

from mailproxy.formats.error import FormatError
from mailproxy.formats.server_log import FAR, read
from mailproxy.formats.server_log_match import Beside, Matched, match
from mailproxy.formats.server_log_veil import veiled
from mailproxy.formats.server_log_visits import Visit, visits
from mailproxy.formats.server_log_words import meaning
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Evidence, Finding, Verdict
from mailproxy.model.session import Recording

LINE: Final = "server-log"
MEANS: Final = "server-log-means"
RULES: Final = frozenset({LINE, MEANS})
"""The rules of the findings: a line of the log, and what the lines before say in plain words."""
MOST: Final = 60  # lines of a session
_GZIP: Final = b"\x1f\x8b"
_REACH: Final = timedelta(hours=2)  # where the log is not of another zone, and what follows is soon over
_NOTICED: Final = timedelta(seconds=5)


def load(names: Sequence[str], recordings: Sequence[Recording]) -> list[Visit]:
    """The connections of these logs (`-`: standard input) near these sessions. Raises OSError and FormatError."""
    found = _visits(names, recordings, FAR if "-" in names else _REACH)
    if "-" in names or any(match(recording, found).lines for recording in recordings):
        return found
    return _visits(names, recordings, FAR)


def _visits(names: Sequence[str], recordings: Sequence[Recording], reach: timedelta) -> list[Visit]:
    near = {recording.session.started for recording in recordings}
    near |= {each.session.started + timedelta(microseconds=each.session.duration or 0) for each in recordings}
    lines = (line for name in names for line in read(_lines(name), near, reach))
    return visits(line._replace(number=number) for number, line in enumerate(lines))


def with_log(verdict: Verdict, recording: Recording, log: Sequence[Visit]) -> Verdict:
    """A verdict with what the log says among its findings."""
    return verdict._replace(findings=(*verdict.findings, *_findings(recording, match(recording, log))))


def _findings(recording: Recording, matched: Matched) -> Iterator[Finding]:
    if not matched.lines:
        yield Finding(MEANS, "No line of the log is of this session: it tells another time, or of another server.")
        return
    if matched.doubtful:
        yield Finding(MEANS, "Another connection in the log fits this session as well; this is the likelier one.")
    if abs(matched.ahead) >= _NOTICED:
        seconds = round(abs(matched.ahead).total_seconds())
        way = "ahead" if matched.ahead > timedelta() else "behind"
        yield Finding(MEANS, f"The clock of the log is {seconds} seconds {way}.")
    said: set[str] = {""}
    shown = matched.lines[:MOST]
    for means, group in groupby(shown, key=lambda beside: meaning(beside.line.text)):
        lines = list(group)
        for beside in lines:
            yield Finding(LINE, veiled(beside.line.whole, recording.session.user), _evidence(beside))
        if means not in said:
            said.add(means)
            yield Finding(MEANS, means, _evidence(lines[-1]))
    if len(matched.lines) > MOST:
        yield Finding(MEANS, f"{len(matched.lines) - MOST} more lines of the log are of this session.")


def _evidence(beside: Beside) -> tuple[Evidence, ...]:
    each = beside.exchange
    return _spans(each) if each else ()


def _spans(each: Exchange) -> tuple[Evidence, ...]:
    found = [Evidence(each.command)] if each.command else []
    return (*found, *([Evidence(each.reply.span)] if each.reply else []))


def _lines(name: str) -> Iterator[str]:
    try:
        with _opened(name) as file:
            for line in file:
                yield line.decode("utf-8", "surrogateescape")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{name}: the compressed file is damaged: unpack what there is of it with zcat") from error


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    """A file, unpacked where it is packed."""
    if name == "-":
        yield _unpacked(io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer)))
    else:
        with Path(name).open("rb") as file:
            yield _unpacked(file)


def _unpacked(file: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == _GZIP else file
