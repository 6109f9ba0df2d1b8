"""How things look on a terminal: colours that the marks say too, so nothing depends on them."""

import io
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import typer

from mailproxy.model.escape import escape_text
from mailproxy.model.finding import Stage, Verdict
from mailproxy.model.line import Line
from mailproxy.model.octets import Side
from mailproxy.model.session import Session

# Blue and orange are told apart by everybody; trouble is bold besides.
_SIDES: Final = {Side.CLIENT: "bright_blue", Side.SERVER: "yellow"}


def colourful() -> bool:
    """Whether colours are wanted: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """A text in colour, where colours are wanted."""
    return typer.style(text, fg=colour, bold=bold, dim=dim) if colourful() else text


def line(said: Line, timing: bool = False) -> str:
    """A line of a transcript."""
    column = f"{said.at / 1_000_000:8.3f} " if timing else ""
    text = said.mark + said.text if said.text else said.mark.rstrip()
    if said.side:
        return paint(column, dim=True) + paint(text, _SIDES[said.side])
    trouble = said.mark.startswith("***")
    return paint(column, dim=True) + paint(text, "magenta" if trouble else None, bold=trouble, dim=not trouble)


def outcome(session: Session) -> str:
    """What came of a session, in one line."""
    text = safe(session.outcome) or "going on"
    return paint(text, "magenta", bold=True) if session.failed else paint(text, "cyan")


def advice(verdict: Verdict, outcome: str) -> Iterator[str]:
    """What a failure means and what to do, in a line or two each; what the outcome says already is not repeated."""
    if verdict.stage is not Stage.NONE:
        told = "" if verdict.summary.rstrip(".") in outcome else f"{verdict.summary} "
        yield from labelled("why", f"{told}({verdict.stage}, {verdict.blame})")
        if verdict.remedy:
            yield from labelled("do", verdict.remedy)


def labelled(label: str, text: str, indent: int = 6) -> Iterator[str]:
    """A text behind a label, in lines that fit the screen."""
    lines = textwrap.wrap(safe(text), width() - indent - 6, break_on_hyphens=False) or [""]
    yield f"{paint(label, bold=True)}{' ' * (indent - len(label))}{lines[0]}"
    yield from (" " * indent + line for line in lines[1:])


def width() -> int:
    """How many columns prose may take: those of the screen, up to 100."""
    return max(40, min(100, shutil.get_terminal_size((100, 24)).columns))


def screen_width() -> int:
    """How many columns the screen has; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def harmless(text: str) -> str:
    """A text from elsewhere, made harmless to a terminal."""
    return escape_text(text)


def safe(text: str) -> str:
    """A text that is escaped already, or should be: its backslashes stand."""
    return escape_text(text).replace("\\\\", "\\")


def say(text: str = "") -> None:
    """Print a line. Raises OSError where that cannot be, and BrokenPipeError where nobody reads it."""
    typer.echo(text, color=colourful())


def show(text: str = "") -> None:
    """Print a line of something that goes on, whether it can be printed or not."""
    try:
        say(text)
    except BrokenPipeError:
        hush()
    except OSError as error:
        hush()
        complain(f"nothing is shown any more: {error.strerror}")


def complain(text: str) -> None:
    """Say on standard error what went wrong, in one line."""
    with suppress(OSError):  # there is nobody left to tell
        typer.echo(f"mailproxy: {safe(text)}", err=True)


def hush() -> None:
    """Let standard output go nowhere from now on, with what is on its way there."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave() -> None:
    """Print what is on its way, or drop it where that cannot be: Python would complain of it at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        hush()


def fit() -> None:
    """Have standard output take any text, also where its encoding lacks characters of it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
