"""Which connection of a server's log is the one that was recorded, and which of its lines belongs to which exchange."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final, NamedTuple

from mailproxy.formats.server_log import LogLine
from mailproxy.formats.server_log_known import Known, known
from mailproxy.formats.server_log_place import place
from mailproxy.formats.server_log_visits import Visit
from mailproxy.model.exchange import Exchange
from mailproxy.model.session import Recording

TOLERANCE: Final = timedelta(seconds=3)  # two clocks that are said to be right
_ASTRAY: Final = timedelta(hours=1)  # a clock that is wrong, where a port or a number tells whose line it is
_QUARTER: Final = timedelta(minutes=15)  # what zones differ by
_ZONES: Final = timedelta(hours=27)
_ENOUGH: Final = 2  # an address
_SURE: Final = 4  # where only another zone makes the time fit


class Beside(NamedTuple):
    """A line of the log, and the exchange it belongs to, as far as that can be told."""

    line: LogLine
    exchange: Exchange | None


class Matched(NamedTuple):
    """What a log tells of a session: its lines in their order, how far its clock was ahead of ours (what is due to
    another zone apart), and whether another connection fits as well."""

    lines: tuple[Beside, ...] = ()
    ahead: timedelta = timedelta()
    doubtful: bool = False


class _Found(NamedTuple):
    """A connection that fits: in what other zone, how far its clock is off, how well, and whether no other can be."""

    visit: Visit
    zone: timedelta
    off: timedelta
    score: int
    certain: bool


def match(recording: Recording, log: Sequence[Visit]) -> Matched:
    """The lines of a log that are about this session; none where no connection fits."""
    about = known(recording)
    found = sorted(
        _candidates(about, log), key=lambda each: (-each.certain, -each.score, abs(each.zone), abs(each.off))
    )
    if not found:
        return Matched()
    best = found[0]
    rivals = [each for each in found[1:] if not each.visit.loose and each.score == best.score]
    lines = sorted(set(_lines(about, best, log)), key=lambda line: line.number)
    off = best.off if abs(best.off) > TOLERANCE else timedelta()
    beside = tuple(Beside(line, place(recording, line, line.moment - best.zone - off)) for line in lines)
    return Matched(beside, off, bool(rivals) and not best.certain and not best.visit.loose)


def _candidates(about: Known, log: Sequence[Visit]) -> Iterator[_Found]:
    for visit in log:
        score = about.score(visit)
        if score is None:
            continue
        shift = visit.start - about.nearest(visit.start)
        zone = timedelta() if visit.lines[0].zoned else _zone(shift)
        if abs(zone) >= _ZONES:
            continue
        certain = about.certain(visit) and abs(shift - zone) < _ASTRAY
        if certain or (abs(shift - zone) <= TOLERANCE and score >= (_SURE if zone else _ENOUGH)):
            yield _Found(visit, zone, shift - zone, score, certain)


def _zone(shift: timedelta) -> timedelta:
    """The whole quarters of an hour that two zones differ by."""
    return round(shift / _QUARTER) * _QUARTER


def _lines(about: Known, best: _Found, log: Sequence[Visit]) -> Iterator[LogLine]:
    """Those of the connection, of the messages it carried, and of what was written apart meanwhile."""
    yield from best.visit.lines
    ports = {peer for peer in best.visit.peers if peer[1]}
    queues = set(best.visit.queues)
    for visit in log:
        if visit is best.visit:
            continue
        moment = visit.start - best.zone - best.off
        meanwhile = abs(moment - about.nearest(moment)) <= TOLERANCE
        if meanwhile and (ports & visit.peers or (visit.loose and _fits(about, visit, best))):
            queues |= visit.queues
            yield from visit.lines
    for line in chain.from_iterable(visit.lines for visit in log):
        if line.told.queue in queues:
            yield line


def _fits(about: Known, visit: Visit, best: _Found) -> bool:
    """A line that was written apart: by an authentication that another server asked for, or without a port."""
    score = about.score(visit)
    if score is None:
        return False
    if visit.users & best.visit.users:
        return True
    return score >= _ENOUGH and (best.visit.loose or bool(visit.users))
