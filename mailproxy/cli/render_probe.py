"""What was learnt of a server, as a ladder of stages: a tick or a cross at each."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final

import typer

from mailproxy.cli.render import complain, paint, safe, say
from mailproxy.model.tls import Certificate, TlsFacts

if TYPE_CHECKING:
    from mailproxy.app.probe import Report, Stage, Target

MARKS: Final = {"passed": "✓", "failed": "✗", "absent": "-", "not-reached": "·"}
WORDS: Final = {"passed": "[ok]", "failed": "[no]", "absent": "[--]", "not-reached": "[  ]"}
_COLOURS: Final = {"passed": "cyan", "failed": "magenta"}
_WIDTH: Final = 10


def ladder(report: "Report") -> None:
    """Print it."""
    say(paint(safe(report.upstream), bold=True))
    marks = MARKS if _takes("".join(MARKS.values())) else WORDS
    for state, stages in groupby(report.stages, key=lambda stage: stage.state):
        if state == "not-reached":
            titles = ", ".join(stage.title for stage in stages)
            say(paint(f"  {marks[state]} {safe(f'not reached: {titles}')}", dim=True))
            continue
        for stage in stages:
            _stage(stage, marks, report)
    if report.session:
        say(paint(f"  recorded as session {report.session}: mailproxy show {report.session}", dim=True))
    say()


def _stage(stage: "Stage", marks: dict[str, str], report: "Report") -> None:
    indent = " " * (4 + len(marks["passed"]) + _WIDTH)
    say(_line(stage, marks))
    if stage.hint:
        say(indent + safe(stage.hint))
    if stage.step == "chain" and report.tls:
        for line in _chain(report.tls, report.at):
            say(paint(indent + safe(line), dim=True))


def _line(stage: "Stage", marks: dict[str, str]) -> str:
    failed = stage.state == "failed"
    mark = paint(marks[stage.state], _COLOURS.get(stage.state), bold=failed)
    line = f"{safe(stage.title):<{_WIDTH}} {'failed: ' if failed else ''}{safe(stage.text)}".rstrip()
    return f"  {mark} {paint(line, 'magenta', bold=True) if failed else line}"


def _chain(tls: TlsFacts, at: datetime) -> Iterator[str]:
    for number, each in enumerate(tls.chain, 1):
        yield f"{number}: {each.subject or each.title} ({each.key})"
        if each.names:
            yield f"   names: {', '.join(each.names)}"
        yield f"   issuer: {each.issuer}"
        yield f"   valid: {each.not_before:%Y-%m-%d} to {each.not_after:%Y-%m-%d}, {_left(each, at)}"


def _left(certificate: Certificate, at: datetime) -> str:
    days = (certificate.not_after - at).days
    if certificate.not_after <= at:
        ago = (at - certificate.not_after).days
        return f"over for {ago} day{'s' * (ago != 1)}"
    return f"{days} day{'s' * (days != 1)} left"


def _takes(text: str) -> bool:
    """Whether standard output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Progress:
    """Tells on standard error how far it has come: on a terminal in one line that goes again, else in lines."""

    def __init__(self) -> None:
        self._drawn = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._write("\r\x1b[K")

    def tell(self, target: "Target", stage: "Stage") -> None:
        """A stage has ended."""
        text = f"... {safe(str(target))} {stage.title}: {stage.state}"
        self._write(f"\r\x1b[K{text[: get_terminal_size().columns - 1]}" if self._drawn else f"{text}\n")

    def warn(self, text: str) -> None:
        """Something is not as it should be."""
        if self._drawn:
            self._write("\r\x1b[K")
        complain(text)

    def _write(self, text: str) -> None:
        with suppress(OSError):
            typer.echo(text, err=True, nl=False)
