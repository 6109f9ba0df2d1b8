"""`mailproxy prune`: make room."""

import re
from typing import Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database
from mailproxy.cli.sessions import duration

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="Delete sessions that began longer ago: 12h, 30d, 8w.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Delete the oldest until the database is no larger: 500M, 1G."),
    ] = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Delete old sessions and give their space back.

    Sessions that go on stay.

    \b
    mailproxy prune --older-than 30d --max-size 1G
    """
    from mailproxy.app.make_room import make_room

    if older_than is None and max_size is None:
        raise typer.BadParameter("say what may go: --older-than 30d, --max-size 1G, or both")
    age = duration(older_than) if older_than else None
    if older_than and age is None:
        raise typer.BadParameter(f"{older_than!r} is no time: write 12h, 30d or 8w", param_hint="--older-than")
    pruned = make_room(database(db), age, octets(max_size) if max_size else None)
    if as_json:
        import json

        typer.echo(json.dumps({"version": 1, "pruned": pruned.sessions, "freed": pruned.freed}))
        return
    render.say(f"{pruned.sessions} session{'s' * (pruned.sessions != 1)} deleted, {pruned.freed:,} octets given back")


def octets(given: str) -> int:
    """A size such as 1048576, 500M or 1G."""
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)B?", given.strip().upper())
    if not found:
        raise typer.BadParameter(f"{given!r} is no size: write 500M or 1G", param_hint="--max-size")
    return int(found[1]) * _UNITS[found[2]]
