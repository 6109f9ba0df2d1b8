"""`mailproxy report`: a session for a provider or a forum."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database


class Form(StrEnum):
    """What to write."""

    HTML = "html"
    TEXT = "text"
    BOTH = "both"


def report(
    name: Annotated[
        str,
        typer.Argument(metavar="ID", help="A number, last, last~1, last-failed, or the path of a file."),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FOLDER|FILE", help="Where to write it; - is standard output.", show_default=False
        ),
    ] = ".",
    anonymous: Annotated[
        bool,
        typer.Option(
            "--anonymous", help="Replace names, addresses and numbers of messages, each by the same everywhere."
        ),
    ] = False,
    form: Annotated[Form, typer.Option("--format", "-f", help="A page for a browser, a sheet of text, or both.")] = (
        Form.BOTH
    ),
    logs: Annotated[
        list[str] | None,
        typer.Option("--server-log", metavar="FILE", help="The server's own log, as for diagnose.", show_default=False),
    ] = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Write a report of a session: what went wrong, the proof, and what to do.

    It is what one sends to a provider or shows in a forum: the verdict, how far the session came, the transcript, what
    TLS told, and the versions of what recorded it. Passwords never stand in it, nor do messages.

    \b
    mailproxy report last-failed
    mailproxy report 12 --anonymous --output report.html
    mailproxy report last --format text --output -
    """
    from mailproxy.app import report as use

    if output == "-" and form is Form.BOTH:
        raise typer.BadParameter("name one --format for standard output", param_hint="--output")
    files = use.reports(database(db), name, use.Form(form), anonymous, logs or [])
    paths = use.written(files, output)
    if as_json and paths:
        render.say(json.dumps({"version": 1, "files": [str(path) for path in paths]}))
        return
    for path in paths:
        render.say(f"wrote {render.harmless(str(path))}")
