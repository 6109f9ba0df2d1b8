"""`mailproxy demo`: see it at work, with no mail account."""

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database


def demo(db: Database = None, as_json: Json = False) -> None:
    """See mailproxy at work, with no mail account.

    Real clients talk to practice servers, on a good day and on a bad one, and both are recorded. It takes a second,
    needs no network, and leaves four sessions in your database.
    """
    import trio

    from mailproxy.app.demo import demo as run
    from mailproxy.app.take_out import headers
    from mailproxy.cli.record import Live

    where = database(db)
    sessions = trio.run(run, where, Live(as_json, where, introduce=False))
    if as_json:
        typer.echo(headers(sessions), nl=False)
        return
    failed = [session for session in sessions if session.failed]
    render.say(f"\n{len(sessions)} sessions are recorded in {where}, {len(failed)} of which failed:\n")
    for session in sessions:
        render.say(f"  {session.id:>4}  {session.protocol:<4}  {render.outcome(session)}")
    render.say("\nGo on with:\n")
    for command, what in (
        (f"mailproxy show {failed[0].id}", "read it again; --timing, --full and --hex show more"),
        ("mailproxy show last-failed", "the last that went wrong"),
        ("mailproxy sessions --failed", "all that went wrong"),
        (f"mailproxy export {sessions[0].id}", "a transcript to send to somebody"),
        ("mailproxy practice", "servers to try things on, with accounts that misbehave"),
        ("mailproxy telnet 127.0.0.1:3525", "speak with them by hand"),
        ("mailproxy record smtp://mail.example.org:587", "stand before your own server"),
    ):
        render.say(f"  {render.paint(f'{command:<45}', bold=True)} {what}")
