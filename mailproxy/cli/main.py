"""The command `mailproxy`: its commands, and how an error looks."""

import errno
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import typer

from mailproxy.cli import render
from mailproxy.model.escape import escape_text

app = typer.Typer(
    name="mailproxy",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="See what your mail program and its server say to each other.\n\n"
    "Record a session, point the mail program at mailproxy, and read what was said, line by line.",
    epilog="Begin with: mailproxy demo",
)

COMMANDS: Final = (
    ("record", "record", "Record"),
    ("setup", "setup", "Record"),
    ("point", "point", "Record"),
    ("unpoint", "point:unpoint", "Record"),
    ("ca", "ca", "Record"),
    ("sessions", "sessions", "Read"),
    ("show", "show", "Read"),
    ("diagnose", "diagnose", "Read"),
    ("diff", "diff", "Read"),
    ("report", "report", "Read"),
    ("lookup", "lookup", "Read"),
    ("export", "export", "Read"),
    ("import", "bring_in", "Read"),
    ("prune", "prune", "Read"),
    ("replay", "replay", "Try"),
    ("probe", "probe", "Try"),
    ("telnet", "telnet", "Try"),
    ("practice", "practice", "Try"),
    ("faults", "faults", "Try"),
    ("demo", "demo", "Try"),
)
"""Each command: its name, the module and function that hold it (one word where they are called the same), and the panel
of the help it stands in."""


@app.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _register() -> None:
    for name, where, panel in COMMANDS:
        module, _, function = where.partition(":")
        found = getattr(importlib.import_module(f"mailproxy.cli.{module}"), function or module)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, rich_help_panel=panel)
        else:
            command: Callable[..., Any] = found
            app.command(name, rich_help_panel=panel)(command)


_register()


def main() -> None:
    """Run the command line; what goes wrong is told in one line, with an exit code: 2 where the words were off."""
    render.fit()
    code = _run(sys.argv[1:])
    render.leave()
    sys.exit(code)


def _run(words: list[str]) -> int:
    try:
        return app(words, prog_name="mailproxy", standalone_mode=False) or 0
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:
        match _first(error):
            case KeyboardInterrupt() | typer.Abort():
                return 130
            case BrokenPipeError():
                return 1
            case first if not os.environ.get("MAILPROXY_DEBUG"):
                render.complain(_harmless(_one_line(first)))
                return int(getattr(first, "exit_code", 1))
        raise


def _first(error: BaseException) -> BaseException:
    """What went wrong; of a group, the first that did."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE and error.filename:
        return f"{error.filename}: {error.strerror}: name another port, or 0 for any that is free"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if wrong := getattr(error, "format_message", None):
        command = getattr(getattr(error, "ctx", None), "command_path", "mailproxy")
        return f"{wrong().replace('Value error, ', '')} (see {command} --help)"
    if type(error).__module__.startswith("mailproxy."):
        return str(error)
    return f"{type(error).__name__}: {error} (MAILPROXY_DEBUG=1 shows where)"


def _harmless(text: str) -> str:
    """A text that may quote anything, as one line that harms no terminal; the backslashes of a path stay single."""
    return escape_text(" ".join(text.split())).replace("\\\\", "\\")
