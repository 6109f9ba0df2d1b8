"""`mailproxy point` and `unpoint`: let a mail program come to mailproxy, and put it back."""

import shlex
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Json

if TYPE_CHECKING:
    from mailproxy.app.thunderbird.plan import Change, Plan
    from mailproxy.app.thunderbird.point import Pointed, PutBack
    from mailproxy.app.thunderbird.prefs import Prefs, Value


class Program(StrEnum):
    """A mail program whose settings mailproxy can change."""

    THUNDERBIRD = "thunderbird"


class How(StrEnum):
    """How a mail program comes to mailproxy."""

    SOCKS = "socks"
    SERVERS = "servers"


class Security(StrEnum):
    """What becomes of the connection security of a server."""

    NONE = "none"
    SAME = "same"


Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="PROFILE", help="The profile: its directory or name. [default: the one it opens]"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def point(
    program: Annotated[Program, typer.Argument(help="The mail program.", show_default=False)],
    profile: Profile = None,
    how: Annotated[
        How,
        typer.Option(
            help="socks makes mailproxy its proxy and leaves the accounts alone; servers puts the address where "
            "mailproxy listens in the place of each server that has a route."
        ),
    ] = How.SOCKS,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="For socks, its port. [default: 1080]")] = None,
    security: Annotated[
        Security | None,
        typer.Option(
            help="For servers, the connection security: none, or the same as before. [default: what suits the route]"
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="For servers, the routes in TOML. [default: mailproxy.toml]", show_default=False
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Have Thunderbird connect through mailproxy.

    Close Thunderbird first. Its preferences are kept as they are: `mailproxy unpoint thunderbird` puts them back.

    \b
    mailproxy point thunderbird --dry-run
    mailproxy point thunderbird --how servers --config mailproxy.toml
    """
    from mailproxy.app.thunderbird.point import point as run
    from mailproxy.app.thunderbird.profiles import choose

    if how is How.SOCKS and (security or config):
        raise typer.BadParameter("--security and --config are for --how servers", param_hint="--how")
    if how is How.SERVERS and port:
        raise typer.BadParameter("--port is for --how socks; the routes name the ports", param_hint="--port")
    chosen = choose(profile)
    plan = _through(port) if how is How.SOCKS else _in_place(chosen, config, security)
    pointed = run(chosen, how.value, plan, dry_run)
    if as_json:
        _json(pointed.profile, pointed.changes, dry_run, how=how.value, warnings=pointed.warnings)
    else:
        begin = f"record --socks {port or 1080}" if how is How.SOCKS else "record"
        back = "unpoint thunderbird" + (f" --profile {shlex.quote(str(profile))}" if profile else "")
        _told(pointed, begin, back, dry_run)


def unpoint(
    program: Annotated[Program, typer.Argument(help="The mail program.", show_default=False)] = Program.THUNDERBIRD,
    profile: Profile = None,
    force_backup: Annotated[
        bool,
        typer.Option("--force-backup", help="Put all preferences back, and lose what Thunderbird has changed since."),
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put Thunderbird back as it was before `mailproxy point`.

    Close Thunderbird first. Its preferences become octet for octet what they were; where Thunderbird has written them
    since, only what was changed is put back.

    \b
    mailproxy unpoint thunderbird
    """
    from mailproxy.app.thunderbird.point import unpoint as run
    from mailproxy.app.thunderbird.profiles import choose

    put_back = run(choose(profile), force_backup, dry_run)
    if as_json:
        _json(put_back.profile, put_back.changes, dry_run, whole=put_back.whole, left=put_back.left)
    else:
        _told_back(put_back, dry_run)


def _through(port: int | None) -> "Callable[[Prefs], Plan]":
    from mailproxy.app.thunderbird import socks

    return partial(socks.plan, port=port or socks.PORT)


def _in_place(profile: Path, config: Path | None, security: Security | None) -> "Callable[[Prefs], Plan]":
    from mailproxy.app.routes import spread
    from mailproxy.app.settings import FILE, SettingsError, read
    from mailproxy.app.thunderbird import servers

    try:
        routes = spread(read(config or FILE).routes)
    except SettingsError as error:
        raise typer.BadParameter(f"{error}; it names the routes of --how servers", param_hint="--config") from error
    return partial(servers.plan, profile=profile, routes=routes, security=security and security.value)


def _told(pointed: "Pointed", begin: str, back: str, dry_run: bool) -> None:
    render.say(f"{render.harmless(str(pointed.profile))}{' would change' if dry_run else ''}:")
    _table(pointed.changes)
    for warning in pointed.warnings:
        render.complain(warning)
    if dry_run:
        render.say("Nothing is changed.")
    elif pointed.changes:
        render.say(f"Start `mailproxy {begin}`, then Thunderbird.")
        render.say(f"To put all back: mailproxy {back}")


def _told_back(put_back: "PutBack", dry_run: bool) -> None:
    render.say(f"{render.harmless(str(put_back.profile))}{' would change' if dry_run else ''}:")
    _table(put_back.changes)
    if put_back.left:
        render.complain(f"left alone, since its account is gone: {', '.join(put_back.left)}")
    if dry_run:
        render.say("Nothing is changed.")
    elif put_back.whole:
        render.say("prefs.js is octet for octet what it was.")
    else:
        render.say("Thunderbird has written prefs.js since: what was changed is put back, all else is as it is now.")


def _table(changes: "Iterable[Change]") -> None:
    rows = [(change.name, _shown(change.old), _shown(change.new)) for change in changes]
    if not rows:
        render.say("  no preference differs")
        return
    names, olds = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, old, new in rows:
        render.say(f"  {name:<{names}}  {render.paint(f'{old:<{olds}}', dim=True)}  ->  {render.paint(new, 'cyan')}")


def _shown(value: "Value | None") -> str:
    match value:
        case None:
            return "(not set)"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
    return f'"{render.harmless(value)}"'


def _json(profile: Path, changes: "Iterable[Change]", dry_run: bool, **more: object) -> None:
    import json

    changed = [change._asdict() for change in changes]
    said = {"version": 1, "profile": str(profile), "dry_run": dry_run, **more, "changed": changed}
    typer.echo(json.dumps(said, indent=2))
