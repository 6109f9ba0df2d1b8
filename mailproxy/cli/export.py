"""`mailproxy export`: recordings as files for others."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, database
from mailproxy.model.octets import Side


class Format(StrEnum):
    """What to write."""

    TALK = "talk"
    JSON = "json"
    EML = "eml"
    PCAP = "pcap"


def export(
    names: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="A number, last, last~1, last-failed, or the path of a file."),
    ],
    format: Annotated[
        Format,
        typer.Option("--format", "-f", help="A transcript, JSON with all that is known, the messages, or packets."),
    ] = Format.TALK,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file; for several messages or transcripts, a directory. Else standard output.",
        ),
    ] = None,
    timing: Annotated[bool, typer.Option("--timing", help="Transcripts with a column of seconds.")] = False,
    leg: Annotated[Side, typer.Option("--leg", help="Of packets: the connection with which of the two.")] = Side.SERVER,
    db: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write sessions as transcripts, as JSON, as packets, or their messages.

    `mailproxy import` reads transcripts, JSON and packets again.

    \b
    mailproxy export last > last.talk
    mailproxy export 12 13 --format json
    mailproxy export last --format eml -o messages/
    mailproxy export last --format pcap > last.pcap
    """
    from mailproxy.app.library import recordings
    from mailproxy.app.take_out import as_json as documents
    from mailproxy.app.take_out import as_messages, as_pcap, as_talk, write

    found = recordings(database(db), names)
    format = Format.JSON if as_json else format
    files: Mapping[str, str | bytes]
    match format:
        case Format.TALK:
            files = {f"{each.session.id or number}.talk": as_talk(each, timing) for number, each in enumerate(found, 1)}
        case Format.JSON:
            files = {"sessions.json": documents(found)}
        case Format.EML:
            files = as_messages(found)
            if not files:
                render.complain("no message was carried")
                raise typer.Exit(1)
        case Format.PCAP:
            files = {"sessions.pcap": as_pcap(found, leg)}
            if not any(files.values()):
                render.complain("nothing went over the wire")
                raise typer.Exit(1)
    for path in write(files, output):
        render.complain(f"wrote {path}")
