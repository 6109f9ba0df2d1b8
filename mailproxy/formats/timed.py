"""Lines of a log, each with the time that it tells; and what a recogniser looks for in them."""

import re
from datetime import datetime, time
from functools import lru_cache
from typing import NamedTuple

from mailproxy.formats import clean
from mailproxy.formats.paste import head


class Timed(NamedTuple):
    """A line without its time, and that time: one of the day where no date is told, None where none is."""

    moment: datetime | time | None
    text: str


def timed(text: str) -> list[Timed]:
    """The lines of a log, cleaned, times apart."""
    return [_timed(line) for line in clean.lines(text, times=True)]


@lru_cache(maxsize=2)
def beginning(text: str) -> tuple[str, ...]:
    """The first lines of a text, cleaned and without times: what recognisers look at."""
    return tuple(_timed(line).text for line in head(text))


def count(text: str, pattern: re.Pattern[str]) -> int:
    """How many of the first lines of a text begin with this."""
    return sum(pattern.match(line) is not None for line in beginning(text))


def _timed(line: str) -> Timed:
    """Where somebody has put a time before the log's own, the latter counts."""
    moment, rest = clean.timed(line)
    own, rest = clean.timed(rest) if moment else (None, rest)
    return Timed(own or moment, rest)
