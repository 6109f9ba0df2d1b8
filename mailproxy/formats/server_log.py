"""Lines of a server's log: Postfix, Dovecot, Exim and Sendmail, by syslog or into files of their own.

It is no record of a session, so it stands not among the formats: its lines are put beside what was recorded.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from mailproxy.formats.server_log_facts import Facts, facts
from mailproxy.formats.server_log_stamp import Stamp, stamp

LONGEST: Final = 4096  # characters of a line that are looked at
FAR: Final = timedelta(hours=27)  # two clocks in opposite zones, and an hour
_DOVECOT: Final = re.compile(
    r"[\w-]+(?:\([^()]*\))?(?:<[^<>]*>)*(?:\[[0-9]+\])?: (?:Info|Warning|Error|Fatal|Panic|Debug): "
)
_SYSLOG: Final = re.compile(r"\S*[^\s:] ([\w./+-]+)(?:\[([0-9]+)\])?: (?:\[ID [0-9]+ [\w.]+\] )?")
_PROCESS: Final = re.compile(r"\[([0-9]+)\] ")
_LEVEL: Final = re.compile(r"^((?:[\w-]+(?:\([^()]*\))?(?:<[^<>]*>)*): )(?:Info|Warning|Error|Fatal|Panic): ")


class LogLine(NamedTuple):
    """A line: when by the server's clock, by which program and process, what it says, and what that tells.

    `moment` is aware and in UTC; where the log tells no zone (`zoned`), ours was taken for it. `program` is like
    `postfix/smtpd`, `exim`, `dovecot`; `whole` is the line as it stands in the log, `number` its place there,
    from 0.
    """

    moment: datetime
    zoned: bool
    program: str
    process: str
    text: str
    told: Facts
    whole: str
    number: int = 0


def read(lines: Iterable[str], near: Iterable[datetime], reach: timedelta = FAR) -> Iterator[LogLine]:
    """The lines that were written about one of these times, which are aware. It raises on nothing that a line holds."""
    times = sorted(near)
    for number, line in enumerate(lines):
        line = line.rstrip("\r\n")[:LONGEST]
        found = stamp(line, times[-1]) if times else None
        moment = _moment(found[0]) if found else None
        if found and moment and any(abs(moment - time) <= reach for time in times):
            yield _line(found[0], moment, found[1], line)._replace(number=number)


def _moment(found: Stamp) -> datetime | None:
    try:
        return found.moment.astimezone(UTC)
    except (OverflowError, ValueError, OSError):  # the year 1, the year 9999
        return None


def _line(found: Stamp, moment: datetime, rest: str, whole: str) -> LogLine:
    program, process, text = _spoken(found, rest)
    zoned = found.moment.tzinfo is not None
    return LogLine(moment, zoned, program, process, text, facts(text), whole)


def _spoken(found: Stamp, rest: str) -> tuple[str, str, str]:
    """The program, its process and what it says."""
    if _DOVECOT.match(rest):
        return "dovecot", "", _LEVEL.sub(r"\1", rest)
    if syslog := _SYSLOG.match(rest):
        text = rest[syslog.end() :]
        if syslog[1].startswith("exim") and (inner := stamp(text, found.moment.astimezone(UTC))):
            text = inner[1]
        return syslog[1], syslog[2] or "", _LEVEL.sub(r"\1", text)
    if process := _PROCESS.match(rest):
        return "exim", process[1], rest[process.end() :]
    return "exim" if found.apart else "", "", rest
