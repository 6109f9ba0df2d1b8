"""`mailproxy show`: what was said in a session."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database

if TYPE_CHECKING:
    from mailproxy.model.session import Recording


def show(
    names: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="A number, last, last~1, last-failed, or the path of a .talk file."),
    ],
    timing: Annotated[bool, typer.Option("--timing", help="Begin each line with the seconds since the start.")] = False,
    hex: Annotated[bool, typer.Option("--hex", help="Show octets in hexadecimal too, as they came.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show messages whole, and with --tls all ciphers.")] = False,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls", help="Tell what TLS told: versions, ciphers, certificates, and whether they are trusted."
        ),
    ] = False,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Show what was said in a session, line by line.

    \b
    mailproxy show last
    mailproxy show last-failed --timing
    mailproxy show last --tls
    mailproxy show replay/smtp-relay-denied.talk
    """
    from mailproxy.app.library import recordings

    found = recordings(database(db), names)
    if as_json:
        from mailproxy.app.take_out import as_json as write

        typer.echo(write(found), nl=False)
        return
    for number, recording in enumerate(found):
        if number:
            render.say()
        _show(recording, timing, hex, full, tls)


def _show(recording: "Recording", timing: bool, hex: bool, full: bool, tls: bool) -> None:
    from mailproxy.app.take_out import hex_lines, lines

    session = recording.session
    started = session.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    number = f"session {session.id}, " if session.id else ""
    where = f" with {render.harmless(session.upstream)}" if session.upstream else ""
    source = f", from {render.harmless(session.source)}" if session.source else ""
    if session.replays:
        source += f", plays the {render.harmless(session.replays)}"
    render.say(render.paint(f"# {number}{started}, {session.protocol}{where}{source}", dim=True))
    if tls:
        from mailproxy.cli import render_tls

        render_tls.tls(recording, full)
    for line in hex_lines(recording) if hex else lines(recording, fold=not full):
        render.say(render.line(line, timing))
    render.say(render.paint("# ", dim=True) + render.outcome(session))
    if session.failed:
        from mailproxy.app.diagnose import verdict

        told = verdict(recording)
        for text in render.advice(told, session.outcome) if told else ():
            render.say(render.paint("# ", dim=True) + text)
