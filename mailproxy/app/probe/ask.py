"""Ask servers, several at a time, and record what they say."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import trio

from mailproxy.app.library import journal_of, make_library
from mailproxy.app.probe.notes import Notes
from mailproxy.app.probe.report import Report
from mailproxy.app.probe.talk import Talk
from mailproxy.app.probe.target import Target
from mailproxy.app.settings import authority
from mailproxy.net.authority import Authority
from mailproxy.net.securing import Office, Securing, Terms
from mailproxy.net.trust import Trust
from mailproxy.store.recorder import Recorder
from mailproxy.talk.probe import Asked, Login, Probe, Stage

AT_ONCE: Final = 8
"""So many servers are asked at a time."""

Tell = Callable[[Target, Stage], None]
"""Hears of each stage of a server as it ends."""


class Wanted(NamedTuple):
    """How servers are asked: seconds for each stage, roots in PEM files besides the system's, the lowest version of TLS
    as in `1.2` (empty for OpenSSL's own), and who logs in; `in_clear` gives the password to anybody."""

    timeout: float = 10.0
    trust: tuple[Path, ...] = ()
    tls_min: str = ""
    login: Login | None = None
    in_clear: bool = False


def _now() -> datetime:
    return datetime.now(UTC)


async def probe(
    targets: Sequence[Target],
    wanted: Wanted,
    db: str | None,
    tell: Tell,
    warn: Callable[[str], None],
    now: Callable[[], datetime] = _now,
) -> tuple[Report, ...]:
    """Ask all of them; the reports are in their order. Without `db` nothing is kept; `warn` hears why something is not.

    Raises TrustError, StoreError and RecordingStopped before anybody is asked.
    """
    office = Office(lambda: Authority(authority()), lambda: Trust(wanted.trust))
    _ = office.trust  # to know at once of a file that is none
    reports: dict[Target, Report] = {}
    limit = trio.CapacityLimiter(AT_ONCE)

    async def ask(target: Target, recorder: Recorder | None) -> None:
        async with limit:
            notes = Notes(recorder, target, now())
            reports[target] = await _ask(target, wanted, office, notes, tell)
            if notes.trouble:
                warn(f"not all is recorded of {target}: {notes.trouble}")

    with _recorder(db) as recorder:
        async with trio.open_nursery() as nursery:
            for target in targets:
                nursery.start_soon(ask, target, recorder)
    return _once([reports[target] for target in targets])


async def _ask(target: Target, wanted: Wanted, office: Office, notes: Notes, tell: Tell) -> Report:
    asked = Asked(
        target.host, target.port, target.protocol, target.security, wanted.timeout, wanted.login, wanted.in_clear
    )
    party = Probe(asked)
    securing = Securing(office, Terms(tls_min=wanted.tls_min), target.host, ())
    talk = Talk(target, party, securing, notes, lambda stage: tell(target, stage))
    await talk.run()
    known = target.protocol or party.greeting
    return Report(
        target=target,
        upstream=notes.upstream(party) if known else str(target),
        at=notes.session.started,
        stages=tuple(party.stages),
        addresses=talk.addresses,
        address=talk.address,
        greeting=party.greeting,
        clear=party.clear,
        under_tls=party.under_tls,
        tls=party.tls,
        session=notes.session.id,
    )


def _once(reports: Sequence[Report]) -> tuple[Report, ...]:
    """The reports; a host that nobody knows is told of once, and not for each of its usual ports."""
    unknown = [report.target.host for report in reports if report.unknown and report.target.usual]
    first = {host: next(each for each in reports if each.target.host == host) for host in unknown}
    return tuple(report for report in reports if report.target.host not in first or report is first[report.target.host])


@contextmanager
def _recorder(db: str | None) -> Iterator[Recorder | None]:
    if db is None:
        yield None
        return
    engine = make_library(db)
    recorder = Recorder(engine, journal_of(engine))
    try:
        yield recorder
    finally:
        recorder.close()
        engine.dispose()
