"""The time at the start of a line of a server's log.

Syslog writes `Nov 24 08:00:00` (RFC 3164 section 4.1.2), which tells neither year nor zone, or RFC 3339; Exim writes
`2026-11-24 08:00:00`, with a zone where it is told to.
"""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9}))?"
_OLD: Final = re.compile(
    rf"(?:[A-Z][a-z]{{2}},? )?({'|'.join(_MONTHS)}) ([ 0-3]?[0-9]) (?:([0-9]{{4}}) )?{_CLOCK}(?: ([0-9]{{4}}))? "
)
_NEW: Final = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})([T ]){_CLOCK} ?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})? ?")
_PRIORITY: Final = re.compile(r"<[0-9]{1,3}>(?:1 )?")


class Stamp(NamedTuple):
    """A moment, naive where no zone was told, and whether Exim's blank stands in it."""

    moment: datetime
    apart: bool = False


def stamp(line: str, near: datetime) -> tuple[Stamp, str] | None:
    """The time that a line begins with, and the rest; None where none stands there.

    Where no year is told it is the one that brings the line closest to `near`, which is aware.
    """
    start = found.end() if (found := _PRIORITY.match(line)) else 0
    try:
        if new := _NEW.match(line, start):
            return Stamp(_new(new), new[4] == " "), line[new.end() :]
        if old := _OLD.match(line, start):
            return Stamp(_old(old, near.astimezone(UTC).replace(tzinfo=None))), line[old.end() :]
    except (ValueError, OverflowError):  # the 31st of February
        return None
    return None


def _new(found: re.Match[str]) -> datetime:
    year, month, day, _, hour, minute, second, fraction, zone = found.groups()
    clock = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second), 59), _micro(fraction))
    return clock if zone is None else datetime.fromisoformat(clock.isoformat() + zone.replace("Z", "+00:00"))


def _old(found: re.Match[str], near: datetime) -> datetime:
    month, day, early, hour, minute, second, fraction, late = found.groups()
    told = early or late
    years = [int(told)] if told else [near.year, near.year - 1, near.year + 1]
    moments = []
    for year in years:
        try:
            day_of_year = datetime(year, _MONTHS.index(month) + 1, int(day))
        except ValueError:  # the 29th of February, in another year
            continue
        moments.append(day_of_year.replace(hour=int(hour), minute=int(minute), second=min(int(second), 59)))
    return min(moments, key=lambda moment: abs(moment - near)).replace(microsecond=_micro(fraction))


def _micro(fraction: str | None) -> int:
    return int((fraction or "0")[:6].ljust(6, "0"))
