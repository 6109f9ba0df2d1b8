"""A report as a sheet of text."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from mailproxy.app.report.gather import Report, Row
from mailproxy.app.report.ladder import State
from mailproxy.model.escape import escape_text

WIDTH: Final = 78
TICKS: Final = {State.DONE: "[x]", State.FAILED: "[!]", State.UNUSED: "[-]", State.AHEAD: "[ ]"}
NOTE: Final = {
    True: "Names, addresses and messages are left out; the same name is the same everywhere. Secrets never stand here.",
    False: "Secrets are masked, messages are left out; names and addresses are as they were. "
    "`--anonymous` replaces those too.",
}


def sheet(report: Report) -> str:
    """It, in lines of 78 columns but for those of the transcript and of the log."""
    return "\n".join(map(_safe, _lines(report))) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from (report.title, "=" * len(report.title), "")
    yield from _labelled(report.advice)
    yield ""
    yield "  ".join(f"{TICKS[rung.state]} {rung.stage}" for rung in report.rungs[:6])
    if report.rungs[6:]:
        yield "  ".join(f"{TICKS[rung.state]} {rung.stage}" for rung in report.rungs[6:])
    yield "    ".join(f"{tick} {state}" for state, tick in TICKS.items())
    yield from _head("Session")
    yield from _labelled(report.about)
    yield from _head("Transcript (seconds, mark, text; > proves the verdict)")
    yield from (_row(row) for row in report.rows)
    if report.log:
        yield from _head("The server's log")
        yield from report.log
    yield from _head("TLS")
    for paragraph in report.tls:
        yield from paragraph
    yield from _head("Recorded with")
    yield from _labelled(report.environment)
    yield ""
    yield from textwrap.wrap(f"{NOTE[report.anonymous]} Read it before you send it.", WIDTH)


def _row(row: Row) -> str:
    mark = ">" if row.proves else " "
    line = row.line
    return f"{mark}{line.at / 1_000_000:8.3f} {line.mark}{line.text}".rstrip()


def _head(title: str) -> Iterator[str]:
    yield from ("", title, "-" * len(title))


def _labelled(told: Sequence[tuple[str, str]]) -> Iterator[str]:
    column = max((len(label) for label, _ in told), default=0) + 2
    for label, text in told:
        wrapped = textwrap.wrap(text, WIDTH - column) or [""]
        yield f"{label + ':':<{column}}{wrapped[0]}"
        yield from (" " * column + line for line in wrapped[1:])


def _safe(text: str) -> str:
    """Texts of the record are escaped already, so their backslashes stand."""
    return escape_text(text).replace("\\\\", "\\")
