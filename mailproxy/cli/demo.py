"""`mailproxy demo`: see it at work, with no mail account."""

from typing import TYPE_CHECKING

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database

if TYPE_CHECKING:
    from mailproxy.model.session import Session


def demo(db: Database = None, as_json: Json = False) -> None:
    """See mailproxy at work, with no mail account.

    Real clients talk to practice servers, on a good day and on a bad one, and both are recorded. It takes a second,
    needs no network, and leaves four sessions in your database.
    """
    import trio

    from mailproxy.app.demo import demo as run
    from mailproxy.app.settings import shown
    from mailproxy.app.take_out import headers
    from mailproxy.cli.record import Live

    where = database(db)
    sessions = trio.run(run, where, Live(as_json, where, introduce=False))
    if as_json:
        typer.echo(headers(sessions), nl=False)
        return
    failed = [session for session in sessions if session.failed]
    render.say(f"\n{len(sessions)} sessions are recorded in {shown(where)}, {len(failed)} of which failed:\n")
    for session in sessions:
        render.say(f"  {session.id:>4}  {session.protocol:<4}  {render.outcome(session)}")
    render.say("\nGo on with:\n")
    elsewhere = "" if where == database(None) else f" --db {shown(where)}"
    _table(_next(sessions[0], failed[0], elsewhere))


def _next(good: "Session", bad: "Session", elsewhere: str) -> dict[str, str]:
    """Commands to try, and what they are for."""
    return {
        f"mailproxy show {bad.id}{elsewhere}": "read it again; --timing, --full and --hex show more",
        f"mailproxy show last-failed{elsewhere}": "the last that went wrong",
        f"mailproxy diff last-failed{elsewhere}": "the same beside the last that went well",
        f"mailproxy sessions --failed{elsewhere}": "all that went wrong",
        f"mailproxy export {good.id}{elsewhere}": "a transcript to send to somebody",
        "mailproxy practice": "servers to try things on; some accounts misbehave",
        "mailproxy telnet 127.0.0.1:3525": "speak with them by hand",
        "mailproxy record smtp://mail.example.org:587": "stand before your own server",
    }


def _table(commands: dict[str, str]) -> None:
    width = max(map(len, commands))
    for command, what in commands.items():
        render.say(f"  {render.paint(f'{command:<{width}}', bold=True)}  {what}")
