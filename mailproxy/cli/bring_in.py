"""`mailproxy import`: recordings from files into the database."""

from typing import Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database


def bring_in(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Transcripts, JSON, logs or captures; - is standard input.")
    ],
    format: Annotated[
        str, typer.Option("--format", "-f", help="A format of those above; by default it is recognised.")
    ] = "",
    keep_secrets: Annotated[bool, typer.Option("--keep-secrets", help="Keep passwords as they are said.")] = False,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Put recordings from files into the database.

    They are transcripts (.talk) or JSON, as `mailproxy export` writes them; what mail programs print or log by
    themselves, as it is or pasted from a mail or a forum; or captures of packets (pcap, pcapng), of which the mail
    sessions are taken. Lines that are not understood are kept as comments and counted. Captures need dpkt:
    pip install 'mailproxy[pcap]'.

    Formats: talk, json, pcap, swaks, telnet, s_client, phpmailer, python (smtplib and poplib), msmtp, mpop,
    fetchmail, mutt, curl, mailkit, nodemailer, javamail, claws (and Sylpheed), oauth2-proxy, thunderbird,
    rawlog (of Dovecot) and postfix.

    \b
    mailproxy import replay/*.talk
    swaks --server mail.example.org --to alice@example.org | mailproxy import -
    mailproxy import capture.pcapng
    mailproxy export 12 --format json --db other.sqlite | mailproxy import -
    """
    from mailproxy.app.bring_in import bring_in as run

    sessions, trouble = run(database(db), files, format, keep_secrets)
    if as_json:
        from mailproxy.app.take_out import headers

        typer.echo(headers(sessions), nl=False)
    else:
        for session in sessions:
            render.say(
                f"{session.id:>4}  {session.protocol:<4}  {render.harmless(session.source)}  {render.outcome(session)}"
            )
    for line in trouble:
        render.complain(line)
    if trouble:
        raise typer.Exit(1)
