"""`mailproxy sessions`: which sessions there are."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailproxy.model.finding import Verdict
    from mailproxy.model.session import Session


def sessions(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    protocol: Annotated[str | None, typer.Option(help="Only those of smtp, lmtp, pop3 or pop2.")] = None,
    client: Annotated[str | None, typer.Option(help="Only those of a client: its address or a part of it.")] = None,
    server: Annotated[str | None, typer.Option(help="Only those with a server: its name or a part of it.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only later ones: 2h, 3d, 2026-11-24 or 2026-11-24T08:15.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="Only those with a reply of this code or beginning so: 535, 5, 5.7, -ERR.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Only those in which this was said.")] = None,
    by_click: Annotated[
        bool, typer.Option("--by-click", help="Put retries and connections of one click of a user together.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """List the recorded sessions, the newest first.

    \b
    mailproxy sessions --failed
    mailproxy sessions --code 535 --since 2d
    mailproxy sessions --by-click
    mailproxy sessions --text "relay access denied" --json
    """
    from mailproxy.app.diagnose import by_click as clicks
    from mailproxy.app.diagnose import verdicts
    from mailproxy.app.library import NoLibrary, Query, find, open_library
    from mailproxy.app.routes import known_protocols

    if protocol and protocol not in known_protocols():
        raise typer.BadParameter(f"{protocol!r} is none of {', '.join(known_protocols())}", param_hint="--protocol")
    where = database(db)
    since_then = moment(since) if since else None
    query = Query(failed or None, protocol, client, server, since_then, code, text, limit)
    found: list[Session] = []
    with suppress(NoLibrary):
        engine = open_library(where)
        found = find(engine, query)
        engine.dispose()
    if as_json:
        _json(found)
    elif found and by_click:
        told = verdicts(where, found)
        for number, group in enumerate(clicks(where, found)):
            if number:
                render.say()
            _table(list(group), told)
    elif found:
        _table(found, verdicts(where, found))
    else:
        render.say("No session." if query == Query(limit=limit) else "No session is like that.")


def moment(given: str) -> datetime:
    """A time as a user gives it: so long ago, or a date of ISO 8601, which is local where it names no zone."""
    if (ago := duration(given)) is not None:
        return datetime.now(UTC) - ago
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except ValueError as error:
        raise typer.BadParameter(
            f"{given!r} is no time: write 2h, 3d, 2026-11-24 or 2026-11-24T08:15", param_hint="--since"
        ) from error


def duration(given: str) -> timedelta | None:
    """A duration such as 30m, 2h, 3d, 4w; None where it is none."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    number, unit = given[:-1], given[-1:]
    if unit in units and number.isascii() and number.isdigit() and len(number) < 7:
        return timedelta(**{units[unit]: int(number)})
    return None


def _json(found: "list[Session]") -> None:
    from mailproxy.app.take_out import headers

    typer.echo(headers(found), nl=False)


def _table(found: "list[Session]", verdicts: "Mapping[int, Verdict]") -> None:
    width = max(len(str(session.id)) for session in found)
    places = max(len(_server(session)) for session in found)
    for session in found:
        started = session.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        user = f"  {render.harmless(session.user)}" if session.user else ""
        row = f"{session.id:>{width}}  {started}  {session.protocol:<4}  {_server(session):<{places}}"
        verdict = verdicts.get(session.id)
        where = (
            render.paint(f"  ({verdict.stage}, {verdict.blame})", dim=True)
            if verdict and verdict.outcome != "ok"
            else ""
        )
        plays = render.paint(f"  plays the {render.harmless(session.replays)}", dim=True) if session.replays else ""
        render.say(f"{row}  {render.outcome(session)}{where}{render.paint(user, dim=True)}{plays}")


def _server(session: "Session") -> str:
    server = session.server
    return render.harmless(f"{server.host or server.address or '-'}{f':{server.port}' if server.port else ''}")
