"""`mailproxy lookup`: what a dialog or an error code means."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database

if TYPE_CHECKING:
    from mailproxy.app.lookup import Answer
    from mailproxy.model.session import Session


def lookup(
    words: Annotated[
        list[str], typer.Argument(metavar="TEXT...", help="What the mail program shows: its text, or a code in it.")
    ],
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Tell what a dialog or an error code means, and which recorded sessions have it.

    \b
    mailproxy lookup 0x800CCC0F
    mailproxy lookup "The mail server responded: Relay access denied."
    mailproxy lookup 5.7.8
    mailproxy lookup "[IN-USE]"
    mailproxy lookup unknown_ca
    """
    from mailproxy.app import lookup as asked

    text = " ".join(words)
    if not text.strip():
        raise typer.BadParameter("write what the mail program shows, or a code", param_hint="TEXT")
    answers = asked.look_up(text)
    found: list[Session] = []
    with suppress(asked.NoLibrary):
        engine = asked.open_library(database(db))
        found = asked.recorded(engine, text, answers)
        engine.dispose()
    if as_json:
        typer.echo(asked.as_json(text, answers, found), nl=False)
        return
    _answers(answers)
    _sessions(found, bool(answers))


def _answers(answers: "Sequence[Answer]") -> None:
    if not answers:
        render.say("Nothing is known of this. Try a part of it: a code, or the words of the server.")
    for number, answer in enumerate(answers):
        if number:
            render.say()
        render.say(f"{answer.kind}: {render.paint(render.harmless(answer.name), bold=True)}")
        render.say(f"  {answer.means}")
        if answer.remedy:
            render.say(f"  What to do: {answer.remedy}")
        render.say(render.paint(f"  Source: {answer.source}", dim=True))


def _sessions(found: "Sequence[Session]", known: bool) -> None:
    if not found:
        render.say("\nNo recorded session has it.")
        return
    render.say(f"\n{'Recorded sessions that have it' if known else 'It was said in these sessions'}, the newest first:")
    width = max(len(str(session.id)) for session in found)
    for session in found:
        started = session.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        render.say(f"{session.id:>{width}}  {started}  {session.protocol:<4}  {render.outcome(session)}")
    render.say(render.paint(f"See one: mailproxy show {found[0].id}", dim=True))
