"""What a report tells, gathered from a recording and the verdict on it."""

import platform
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NamedTuple

from mailproxy.analysis.clients.recognise import recognise
from mailproxy.app.diagnose import LOGGED, proof
from mailproxy.app.report.ladder import Rung, ladder
from mailproxy.app.report.names import Names
from mailproxy.app.report.people import names_of, unread
from mailproxy.app.report.secured import secured
from mailproxy.app.server_log import LINE
from mailproxy.app.take_out import lines
from mailproxy.model.finding import Finding, Outcome, Verdict
from mailproxy.model.line import Line
from mailproxy.model.session import Recording
from mailproxy.net import openssl
from mailproxy.protocols import reading
from mailproxy.protocols.turn import MASKED

HEAD: Final = 500
TAIL: Final = 200  # lines of a transcript; what proves something is there in any case


class Row(NamedTuple):
    """A line of the transcript, and whether it proves the verdict. Where lines are left out `line` is a comment."""

    line: Line
    proves: bool = False


class Report(NamedTuple):
    """All that a report tells, its names replaced already where they shall be.

    `title` is one line; `advice` are labels and sentences; `log` is what the server's own log says; `about` and
    `environment` are labels and values; `tls` is a paragraph of lines for each leg.
    """

    title: str
    failed: bool
    anonymous: bool
    advice: tuple[tuple[str, str], ...]
    rungs: tuple[Rung, ...]
    about: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    log: tuple[str, ...]
    tls: tuple[tuple[str, ...], ...]
    environment: tuple[tuple[str, str], ...]


def masked(recording: Recording) -> Recording:
    """A recording in which no secret stands, also where its owner had them kept."""
    read = reading.read(recording.session.protocol, recording.entries, MASKED)
    return Recording(replace(recording.session, user=read.user), read.entries, read.exchanges)


def gather(recording: Recording, verdict: Verdict, anonymous: bool = False) -> Report:
    """The report of a session that is `masked`."""
    names = names_of(recording) if anonymous else None
    rows = tuple(_rows(recording, verdict, names))
    bad = verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    where = f" at {verdict.stage}" if bad else ""
    told = [finding for finding in verdict.findings if finding.rule in LOGGED]
    return Report(
        f"{recording.session.protocol.upper()} session: {verdict.outcome}{where}",
        bad,
        anonymous,
        tuple((label, names.told(text) if names else text) for label, text in _advice(verdict, bad)),
        ladder(recording, verdict),
        tuple(_about(recording, names)),
        rows,
        tuple(_logged(each, names) for each in told),
        secured(recording, names),
        tuple(_environment(recording)),
    )


def _advice(verdict: Verdict, bad: bool) -> Iterator[tuple[str, str]]:
    yield "Why" if bad else "Outcome", verdict.summary
    if bad:
        yield "Who has to act", f"{verdict.blame} ({verdict.confidence} confidence, rule {verdict.rule})"
    if verdict.remedy:
        yield "What to do", verdict.remedy
    for other in verdict.also_possible:
        yield "Or", f"{other.blame}: {other.why}"
    for finding in verdict.findings:
        if finding.rule not in LOGGED:
            yield "Also", finding.summary


def _logged(finding: Finding, names: Names | None) -> str:
    """A line of the server's log, or behind a mark what it means."""
    mark = "" if finding.rule == LINE else "  = "
    return mark + (names.hidden(finding.summary) if names else finding.summary)


def _about(recording: Recording, names: Names | None) -> Iterator[tuple[str, str]]:
    session = recording.session
    if session.id:
        yield "Session", str(session.id)
    yield "Begun", f"{session.started:%Y-%m-%d %H:%M:%S} UTC"
    if session.duration:
        yield "Lasted", f"{session.duration / 1_000_000:.3f} s"
    if session.upstream:
        yield "Server", names.hidden(session.upstream) if names else session.upstream
    yield "Mail program", recognise(recording) or "not recognised"


def _environment(recording: Recording) -> Iterator[tuple[str, str]]:
    try:
        yield "mailproxy", version("mailproxy")
    except PackageNotFoundError:  # it runs from its source
        yield "mailproxy", "not installed"
    if recording.session.source:
        yield "Recorded by", "something else; mailproxy read it from a file"
    yield "Python", platform.python_version()
    yield "OpenSSL", openssl.VERSION
    yield "System", f"{platform.system()} {platform.release()} {platform.machine()}"


def _rows(recording: Recording, verdict: Verdict, names: Names | None) -> Iterator[Row]:
    proofs = set(proof(recording, verdict.evidence))
    found = [Row(line, line in proofs) for line in lines(recording, fold=True)]
    left_out = 0
    for at, row in enumerate(found):
        if names and row.line.mark.startswith("#"):
            continue
        if HEAD <= at < len(found) - TAIL and not row.proves:
            left_out += 1
            continue
        if left_out:
            yield _gap(left_out, row.line.at)
            left_out = 0
        yield row._replace(line=unread(row.line, names, recording.session.protocol)) if names else row


def _gap(number: int, at: int) -> Row:
    return Row(Line("... ", f"{number} line{'s' * (number != 1)} left out of this report", at))
