"""Lines of a log, put together by the connection that they are about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mailproxy.formats.server_log import LogLine
from mailproxy.formats.server_log_facts import Peer

_PAUSE: Final = timedelta(hours=1)  # after which the same process, or the same port, is taken for another connection

Key = tuple[str, ...]


@dataclass(eq=False, slots=True)
class Visit:
    """What a log tells of one connection, or (`loose`) a line that may be of any."""

    key: Key
    loose: bool = False
    lines: list[LogLine] = field(default_factory=list)
    peers: set[Peer] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)

    @property
    def start(self) -> datetime:
        """When its first line was written."""
        return self.lines[0].moment

    @property
    def text(self) -> str:
        """What its lines say."""
        return "\n".join(line.text for line in self.lines)

    def add(self, line: LogLine) -> None:
        """It goes on with this line."""
        self.lines.append(line)
        self.peers |= line.told.peers
        self.users |= line.told.users
        self.queues |= {line.told.queue} - {""}


def visits(lines: Iterable[LogLine]) -> list[Visit]:
    """The connections of a log, in the order of their first lines; each line is in one of them."""
    found: list[Visit] = []
    open_ones: dict[Key, Visit] = {}
    for number, line in enumerate(lines):
        key = _key(line) or ("line", str(number))
        visit = open_ones.get(key)
        if visit is None or _begins(line) or abs(line.moment - visit.lines[-1].moment) > _PAUSE:
            visit = open_ones[key] = Visit(key, loose=key[0] == "line")
            found.append(visit)
        visit.add(line)
    return found


def _begins(line: LogLine) -> bool:
    return line.program.endswith(("smtpd", "postscreen")) and line.text.lower().startswith("connect from ")


def _key(line: LogLine) -> Key:
    """What lines of one connection have in common; empty where nothing shows it."""
    told, program = line.told, line.program
    if told.session:
        return "session", told.session
    if program.startswith("postfix") and program.endswith("smtpd") and line.process:
        return "process", program, line.process
    if program.startswith(("sendmail", "sm-")) and line.process:
        return "process", program, line.process
    if told.queue:
        return "queue", told.queue
    if program.startswith("exim") and (known := sorted(peer for peer in told.peers if peer[1])):
        return "peer", known[0][0], str(known[0][1])
    return ()
