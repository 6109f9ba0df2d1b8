"""`mailproxy probe`: ask servers what a mail program would ask, and tell what works and what does not."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, TlsMin, Trust, database

if TYPE_CHECKING:
    from mailproxy.app.probe import Login


def probe(
    servers: Annotated[
        list[str],
        typer.Argument(
            metavar="HOST[:PORT]|URL...",
            help="A host, whose usual ports are all asked (465, 587, 25, 995, 110); a host and a port; or a URL that "
            "says what is spoken there, as in smtp+starttls://mail.example.org:587.",
        ),
    ],
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Log in with this name too. The password is asked for, and never shown or recorded.",
            show_default=False,
        ),
    ] = None,
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Take the password from the first line of a file; - is standard input.",
            show_default=False,
        ),
    ] = None,
    insecure_login: Annotated[
        bool,
        typer.Option("--insecure-login", help="Log in also in clear, and at servers that are not trusted."),
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds that each stage may take.")] = 10,
    trust: Trust = None,
    tls_min: TlsMin = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Keep nothing of it.")] = False,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Ask a mail server what a mail program would ask.

    Stage by stage: does the name have an address, does anybody answer there, how does the server greet, what does it
    offer, does TLS begin, is its certificate trusted, can one log in. Where a stage fails, it is said what that means
    and what to try. Each server is recorded as a session. The exit code is 0 where all stages were passed; of a host
    without a port, ports at which nobody answers do not count, as long as one does.

    \b
    mailproxy probe mail.example.org
    mailproxy probe mail.example.org:587 pop3s://pop.example.org
    mailproxy probe smtps://mail.example.org --user alice@example.org
    """
    import trio

    from mailproxy.app import probe as app
    from mailproxy.app.routes import RouteError
    from mailproxy.cli.render_probe import Progress, ladder

    try:
        targets = app.targets(servers)
    except RouteError as error:
        raise typer.BadParameter(str(error), param_hint="HOST") from error
    login = _login(user, password_file)
    least = tls_min.value if tls_min else ""
    wanted = app.Wanted(timeout, tuple(trust or ()), least, login, insecure_login)
    with Progress() as progress:
        kept = None if no_record else database(db)
        reports = trio.run(app.probe, targets, wanted, kept, progress.tell, progress.warn)
    if as_json:
        import json

        render.say(json.dumps(app.document(reports), indent=2))
    else:
        for report in reports:
            ladder(report)
    if not app.passed(reports):
        raise typer.Exit(1)


def _login(user: str | None, password_file: str | None) -> "Login | None":
    if user is None:
        if password_file is not None:
            raise typer.BadParameter("whose password? name the --user", param_hint="--password-file")
        return None
    from mailproxy.app.probe import Login

    password = _read(password_file) if password_file is not None else _ask(user)
    try:
        return Login(user, password)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--user") from error


def _read(name: str) -> str:
    """The first line of a file, or of standard input."""
    octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    line = octets.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise typer.BadParameter("the password is no UTF-8", param_hint="--password-file") from None


def _ask(user: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked for the password: add --password-file -", param_hint="--user")
    import getpass

    return getpass.getpass(f"Password of {render.harmless(user)}: ", sys.stderr)
