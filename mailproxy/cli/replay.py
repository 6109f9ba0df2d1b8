"""`mailproxy replay`: a recorded client speaks again to a server, or a recorded server answers again."""

from pathlib import Path
from typing import Annotated

import typer

from mailproxy.cli.config import FaultConfig
from mailproxy.cli.faults import Fault, here
from mailproxy.cli.options import Database, database
from mailproxy.cli.pace import pace
from mailproxy.cli.record import Documents, Live
from mailproxy.cli.replay_client import client

replay = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@replay.callback()
def _replay(context: typer.Context) -> None:
    """Make it happen again: play a session's client or its server.

    \b
    mailproxy replay client last-failed
    mailproxy replay server last-failed
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@replay.command()
def server(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="A number, last, last~1, last-failed, or the path of a file. Several are played in turn, one to a "
            "connection: first refuse, then accept.",
        ),
    ],
    listen: Annotated[
        str,
        typer.Option(
            metavar="[SCHEME://][HOST:]PORT",
            help="Where to listen: a port, host:port or, for a client that uses TLS, smtps://host:port. [default: "
            "like record]",
            show_default=False,
        ),
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Close where the record has no answer, instead of making one up.")
    ] = False,
    pauses: Annotated[
        str, typer.Option(metavar="none|real|2x", help="The recorded server's pauses: none, as they were, or faster.")
    ] = "none",
    edit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="Change replies: [VERB [N]] s/REGEX/TEXT/, or VERB N REPLY for the whole of one. May be repeated.",
            show_default=False,
        ),
    ] = None,
    cycle: Annotated[
        bool, typer.Option("--cycle", help="Of several sessions, begin with the first again behind the last.")
    ] = False,
    fault: Fault = None,
    config: FaultConfig = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no live transcript.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Allow addresses that other computers can reach.")] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Have the real address in this file, in JSON, once it listens; removed at the end."
        ),
    ] = None,
    db: Database = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print, instead of all else, each session that has ended, as JSON in one line."),
    ] = False,
) -> None:
    """Play the server of a session to a mail program.

    What the recorded server said it says again, octet for octet, to whatever means the same: other host names, sizes
    and recipients, another way to log in; any password is taken or refused as the recorded one was. TLS is begun as it
    was, with a certificate like the recorded one from mailproxy's own authority. No connection is made to anybody.
    Each session is recorded; what the record could not answer is told. Ctrl-C ends it.

    \b
    mailproxy replay server last-failed
    mailproxy replay server 12 14 --listen 2525
    mailproxy replay server replay/smtp-relay-denied.talk --edit "RCPT s/554.*/250 2.1.5 Ok/"
    """
    import trio

    from mailproxy.app.library import recordings
    from mailproxy.app.replay import server as play
    from mailproxy.app.routes import RouteError, is_private, place

    where = database(db)
    try:
        edits = tuple(map(play.edit, edit or ()))
    except play.EditError as error:
        raise typer.BadParameter(str(error), param_hint="--edit") from error
    manner = play.Manner(strict, pace(pauses, "--pauses"), edits, cycle)
    screen = Documents() if as_json else Live(quiet, where)
    try:
        played = recordings(where, ids)
        route = play.route(played, listen, manner, screen.trouble)
    except play.EditError as error:
        raise typer.BadParameter(str(error), param_hint="--edit") from error
    except RouteError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from error
    if not (public or is_private(route.listen_host)):
        reached = place(route.listen_host, route.listen_port)
        raise typer.BadParameter(f"others could reach {reached}: add --public if they shall", param_hint="--listen")
    faults = here(fault, config, [(route.protocol, play.may_use_tls(route, played))])
    trio.run(play.play, route, where, screen, ready_file, not (quiet or as_json), faults)


replay.command()(client)
