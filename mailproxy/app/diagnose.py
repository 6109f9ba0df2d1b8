"""Diagnose sessions: the verdict of each, as values, as JSON, and as an exit code."""

import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from mailproxy.analysis.clients.actions import actions, envelope
from mailproxy.analysis.diagnose import diagnose
from mailproxy.app import at_once, server_log, stripped, uidl
from mailproxy.app.judging import verdict_on
from mailproxy.app.library import open_library, outline, recordings
from mailproxy.app.take_out import header_line, lines
from mailproxy.model.finding import Evidence, Finding, Outcome, Stage, Verdict
from mailproxy.model.line import Line
from mailproxy.model.octets import Entry, Frame, Kind, Note, Span
from mailproxy.model.session import Recording, Session

__all__ = [
    "EXIT_CODES",
    "LOGGED",
    "Diagnosed",
    "as_object",
    "by_click",
    "code",
    "diagnosed",
    "document",
    "line",
    "proof",
    "verdict",
    "verdicts",
]

VERSION: Final = 1
BESIDE: Final = (uidl.with_uids, stripped.with_offers, at_once.with_other)
"""What the other sessions of the database tell of one."""
LOGGED: Final = server_log.RULES
"""The rules of findings that tell of the server's own log."""
EXIT_CODES: Final = {
    stage: number for number, stage in enumerate((stage for stage in Stage if stage is not Stage.NONE), start=10)
} | {Stage.NONE: 0}
"""The exit code of `mailproxy diagnose`: the stage at which the first session failed that did."""


class Diagnosed(NamedTuple):
    """A session and the verdict on it."""

    recording: Recording
    verdict: Verdict


verdict = verdict_on


def diagnosed(db: str, names: Sequence[str], logs: Sequence[str] = ()) -> Iterator[Diagnosed]:
    """Diagnose sessions of the database, or of files, with what the server's own logs say of them.

    Raises StoreError, FormatError, and OSError where a log cannot be read.
    """
    found = recordings(db, names)
    log = server_log.load(logs, found) if logs else None
    for recording in found:
        told = diagnose(recording)
        for beside in BESIDE:
            told = beside(told, db, recording)
        yield Diagnosed(recording, told if log is None else server_log.with_log(told, recording, log))


def verdicts(db: str, sessions: Sequence[Session]) -> dict[int, Verdict]:
    """The verdicts on those of these sessions that failed, by their numbers. Raises StoreError."""
    failed = [session.id for session in sessions if session.failed]
    if not failed:
        return {}
    engine = open_library(db)
    try:
        found = {number: verdict_on(outline(engine, number)) for number in failed}
        return {number: verdict for number, verdict in found.items() if verdict}
    finally:
        engine.dispose()


def by_click(db: str, sessions: Sequence[Session]) -> list[tuple[Session, ...]]:
    """These sessions by the click of a user that they belong to, the newest first. Raises StoreError."""
    engine = open_library(db)
    try:
        envelopes = {session.id: envelope(outline(engine, session.id)) for session in sessions}
    finally:
        engine.dispose()
    return [tuple(reversed(each.sessions)) for each in reversed(actions(sessions, envelopes))]


def code(verdicts: Sequence[Verdict]) -> int:
    """The exit code for these."""
    bad = [each for each in verdicts if each.outcome in {Outcome.FAILED, Outcome.PARTIAL}]
    return EXIT_CODES[bad[0].stage] if bad else 0


def proof(recording: Recording, evidence: Sequence[Evidence]) -> Iterator[Line]:
    """The lines that prove something, as a transcript shows them."""
    kept = [entry for at, entry in enumerate(recording.entries) if _proves(at, entry, evidence)]
    yield from lines(Recording(recording.session, tuple(kept)), fold=True)


def _proves(at: int, entry: Entry, evidence: Sequence[Evidence]) -> bool:
    for each in evidence:
        if isinstance(entry, Note):
            if each.note == at:
                return True
        elif each.span and entry.kind is Kind.SPEECH and _overlaps(entry, each.span):
            return True
    return False


def _overlaps(frame: Frame, span: Span) -> bool:
    return frame.side is span.side and frame.start < span.end and frame.end > span.start


def document(found: Sequence[Diagnosed]) -> str:
    """All verdicts as JSON."""
    sessions = [{"id": each.recording.session.id, "verdict": as_object(each)} for each in found]
    return json.dumps({"version": VERSION, "sessions": sessions}, indent=2)


def line(recording: Recording, told: Verdict | None) -> str:
    """A session that has ended, without what was said, and its verdict as JSON in one line.

    Where there is no verdict yet it is found; it is null where a rule fails.
    """
    told = told or verdict_on(recording)
    return header_line(recording.session, as_object(Diagnosed(recording, told)) if told else None)


def as_object(found: Diagnosed) -> dict[str, object]:
    """A verdict as an object of JSON."""
    verdict = found.verdict
    return {
        "outcome": verdict.outcome,
        "stage": verdict.stage,
        "blame": verdict.blame,
        "also_possible": [{"blame": other.blame, "why": other.why} for other in verdict.also_possible],
        "confidence": verdict.confidence,
        "rule": verdict.rule,
        "summary": verdict.summary,
        "evidence": [_evidence(found.recording, each) for each in verdict.evidence],
        "remedy": verdict.remedy,
        "findings": [_finding(found.recording, each) for each in verdict.findings],
    }


def _finding(recording: Recording, finding: Finding) -> dict[str, object]:
    proofs = [_evidence(recording, each) for each in finding.evidence]
    return {"rule": finding.rule, "summary": finding.summary, "evidence": proofs}


def _evidence(recording: Recording, evidence: Evidence) -> dict[str, object]:
    text = [line.mark + line.text for line in proof(recording, [evidence])]
    if evidence.span:
        side, start, end = evidence.span
        return {"side": side, "start": start, "end": end, "lines": text}
    return {"note": evidence.note, "lines": text}
