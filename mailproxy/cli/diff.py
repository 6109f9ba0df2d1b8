"""`mailproxy diff`: what differs between a session that went well and one that did not."""

from typing import Annotated

import typer

from mailproxy.cli.options import Database, Json, database


def diff(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[GOOD] BAD",
            help="Numbers, last, last~1, last-failed, or paths of files. Of BAD alone, the last good session of the "
            "same client, server and protocol is found.",
        ),
    ],
    unified: Annotated[
        bool, typer.Option("--unified", "-u", help="One below the other instead of side by side.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Show what is alike as well.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Take nothing for volatile: dates, queue ids, addresses, names of hosts."),
    ] = False,
    timing: Annotated[bool, typer.Option("--timing", help="Tell which answers took much longer.")] = False,
    legs: Annotated[
        bool,
        typer.Option(
            "--legs",
            help="Of one session: what one leg (the connection with the client, or that with the server) gave against "
            "what the other was handed, and what mailproxy did.",
        ),
    ] = False,
    against_good: Annotated[
        bool,
        typer.Option("--against-good", help="Of one session: what it has that none of the good ones of its kind has."),
    ] = False,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Say what differs between a session that went well and one that did not.

    Exchange stands beside exchange: a command that only one has, one that was said or answered otherwise, what the
    server offers, messages field by field and part by part, TLS, endings. Dates, queue ids, challenges, host names and
    the like are taken for equal. First comes the one difference that matters, and what it means. The exit code is 0
    where nothing differs, 1 where something does, 2 where they cannot be compared.

    \b
    mailproxy diff last-failed
    mailproxy diff 12 14 --unified
    mailproxy diff replay/smtp-send-good.talk replay/smtp-recipient-unknown.talk
    mailproxy diff --legs last
    mailproxy diff --against-good last-failed
    """
    from mailproxy.app import diff as app
    from mailproxy.cli import render, render_diff

    if len(names) > 2:
        raise typer.BadParameter("two sessions are compared, GOOD and BAD", param_hint="[GOOD] BAD")
    if (legs or against_good) and len(names) != 1:
        raise typer.BadParameter("one session is looked at here", param_hint="--legs" if legs else "--against-good")
    if legs and (against_good or unified or full or strict or timing):
        raise typer.BadParameter(
            "its two legs are compared, octet for octet: only --json goes with it", param_hint="--legs"
        )
    if against_good and timing:
        raise typer.BadParameter("times are compared between two sessions alone", param_hint="--timing")
    where = database(db)
    try:
        if legs:
            recording, carried = app.legs_of(where, names[0])
        elif against_good:
            found = app.against_good(where, names[0], strict)
        else:
            found = app.pair(where, names, strict, timing)
    except app.TROUBLE as error:
        render.complain(str(error))
        raise typer.Exit(2) from error
    if as_json:
        from mailproxy.app import diff_document
    if legs:
        if as_json:
            render.say(diff_document.legs_document(recording, carried))
        else:
            render_diff.legs(recording, carried)
        return
    if as_json:
        render.say(diff_document.document(found))
    else:
        render_diff.comparison(found, unified, not full)
    if not found.comparison.equal or (timing and found.comparison.differences):
        raise typer.Exit(1)
