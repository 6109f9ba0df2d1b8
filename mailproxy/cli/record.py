"""`mailproxy record`: stand between a mail program and its server."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.config import settings as settings_of
from mailproxy.cli.faults import Fault, wanted
from mailproxy.cli.options import Database, Version, database

if TYPE_CHECKING:
    from mailproxy.app.judging import Remembered
    from mailproxy.app.record import Listening
    from mailproxy.model.finding import Verdict
    from mailproxy.model.line import Line
    from mailproxy.model.session import Session


class Content(StrEnum):
    """How much of a message is recorded."""

    FULL = "full"
    HEADERS = "headers"
    NONE = "none"


class Tls(StrEnum):
    """What is done about TLS."""

    APART = "apart"
    PASSTHROUGH = "passthrough"


class Verify(StrEnum):
    """What is done about a server whose certificate is not trusted."""

    MIRROR = "mirror"
    STRICT = "strict"
    OFF = "off"


class Full(StrEnum):
    """What happens while nothing can be recorded."""

    REFUSE = "refuse"
    RELAY = "relay"
    STOP = "stop"


def record(
    routes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LISTEN=]UPSTREAM...",
            help="UPSTREAM is the server: smtp://, smtps:// (TLS from the start), smtp+starttls:// (mailproxy asks for "
            "TLS itself), pop3:// and its like, lmtp:// or pop2://, with its host and, where it is not the standard "
            "one, its port. LISTEN is a port, host:port or, for a client that uses TLS, smtps://host:port. IPv6 "
            "addresses stand in brackets.",
            show_default=False,
        ),
    ] = None,
    db: Database = None,
    content: Annotated[Content | None, typer.Option(help="How much of messages is kept. [default: full]")] = None,
    keep_secrets: Annotated[bool, typer.Option("--keep-secrets", help="Keep passwords as they are said.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no live transcript.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Allow addresses that other computers can reach.")] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Have the real addresses in this file, in JSON, once all listen; removed at the end."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Settings and routes in TOML. [default: mailproxy.toml, where there is one]"),
    ] = None,
    when_full: Annotated[
        Full | None,
        typer.Option(
            help="While nothing can be recorded: refuse new connections, relay on, or stop. [default: refuse]"
        ),
    ] = None,
    socks: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Be a SOCKS v5 proxy there: mail programs stay as they are but for their proxy setting, and ask for "
            "their servers themselves. Mail is recorded, all else passes unread. The usual port is 1080.",
        ),
    ] = None,
    fault: Fault = None,
    tls: Annotated[
        Tls | None,
        typer.Option(
            help="Take TLS apart, so that all is recorded in clear, or pass it through unseen. [default: apart]",
            rich_help_panel="TLS",
        ),
    ] = None,
    verify: Annotated[
        Verify | None,
        typer.Option(
            help="Where a server's certificate is not trusted: show the client one that fails in the same way, end the "
            "session, or go on as if it were. [default: mirror]",
            rich_help_panel="TLS",
        ),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Trust the roots in this PEM file too. May be repeated.", rich_help_panel="TLS"
        ),
    ] = None,
    tls_min: Annotated[
        Version | None,
        typer.Option(
            help="Allow TLS from this version on, with old ciphers below 1.2. [default: OpenSSL's, mostly 1.2]",
            rich_help_panel="TLS",
        ),
    ] = None,
    client_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Show servers the certificate in this PEM file, with its key.", rich_help_panel="TLS"
        ),
    ] = None,
    keylog: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Append the keys of TLS sessions to this file, for Wireshark.", rich_help_panel="TLS"
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print, instead of all else, each session that has ended, as JSON in one line."),
    ] = False,
    poller: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Record what a mail program and its server say.

    mailproxy stands between them: point the mail program at the address that is printed, with "connection security:
    none", and let it send or fetch. What is said appears here line by line and stays in the database: see it again
    with `mailproxy show last`.
    TLS is taken apart: where the mail program uses it, it is shown a certificate of mailproxy's, which it trusts after
    `mailproxy ca install`. Passwords are masked before anything is written. Ctrl-C ends it.

    \b
    mailproxy record smtps://mail.example.org pop3s://mail.example.org
    mailproxy record smtp://mail.example.org:587
    mailproxy record smtps://127.0.0.1:2465=smtps://mail.example.org
    mailproxy record 2525=smtp://mail.example.org:587 2110=pop3://mail.example.org
    mailproxy record [::1]:2525=smtp://[2001:db8::25]
    """
    import trio

    from mailproxy.app.record import Keep, Plan, Terms, TlsPlan, TlsTerms, UnusableOption, WhenFull
    from mailproxy.app.record import Verify as Mode
    from mailproxy.app.record import record as run
    from mailproxy.app.routes import RouteError, is_private, parse, place, settled, spread
    from mailproxy.app.routes import socks as parse_socks
    from mailproxy.app.settings import authority

    settings = settings_of(config)
    apart = (tls or settings.tls or Tls.APART) == Tls.APART
    try:
        asked = [parse(each) for each in routes] if routes else settings.routes
    except RouteError as error:
        raise typer.BadParameter(str(error), param_hint="UPSTREAM") from error
    planned = spread(settled(each, apart) for each in asked)
    try:
        asking = parse_socks(where) if (where := socks or settings.socks) else None
    except RouteError as error:
        raise typer.BadParameter(str(error), param_hint="--socks") from error
    if not planned and not asking:
        raise typer.BadParameter("name a server, as in smtp://mail.example.org:587", param_hint="UPSTREAM")
    for route in (*planned, *([asking] if asking else [])):
        if not (public or settings.public or is_private(route.listen_host)):
            where = place(route.listen_host, route.listen_port)
            raise typer.BadParameter(f"others could reach {where}: add --public if they shall", param_hint="LISTEN")
    plan = Plan(
        planned,
        database(db or settings.db),
        Terms(keep_secrets or bool(settings.keep_secrets), Keep(content or settings.content or "full")),
        ready_file,
        WhenFull(when_full or settings.when_full or "refuse"),
        live=not (quiet or as_json),
        poller=poller,
        tls=TlsPlan(
            apart,
            TlsTerms(
                Mode(verify or settings.verify or "mirror"),
                str(tls_min or settings.tls_min or ""),
                keylog or (Path(settings.keylog) if settings.keylog else None),
                client_cert or (Path(settings.client_cert) if settings.client_cert else None),
            ),
            tuple(trust or map(Path, settings.trust)),
            authority(),
        ),
        socks=asking,
        faults=wanted(fault or settings.fault, () if asking else [(each.protocol, each.presents) for each in planned]),
    )
    try:
        plan.tls.try_files()
    except UnusableOption as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from error
    trio.run(run, plan, Documents() if as_json else Live(quiet, plan.db))


class Live:
    """Shows sessions as they go on, and lets them go on where nobody looks."""

    def __init__(self, quiet: bool, db: str, introduce: bool = True) -> None:
        self._quiet = quiet
        self._introduce = introduce
        self._db = db
        self._open: set[int] = set()
        self._last = 0

    def listening(self, where: "Sequence[Listening]") -> None:
        """Say what to enter in the mail program."""
        from mailproxy.app.routes import place as place_of
        from mailproxy.app.settings import shown

        if not self._introduce:
            return
        render.show("Enter in your mail program, and leave user name and password as they are:\n")
        for route, host, port in where:
            place = f"server {render.paint(host, bold=True)}  port {render.paint(str(port), bold=True)}"
            render.show(f"  {route.title:<20}  {place}")
            if route.playing:
                render.show(f"  {'':<20}  connection security: {route.security}   (plays the {route.playing.part})\n")
                continue
            if not route.upstream:
                render.show(f"  {'':<20}  as SOCKS v5 proxy, host names by proxy; all servers stay as they are")
                render.show(f"  {'':<20}  certificate to trust: http://{place_of(host, port)}/\n")
                continue
            render.show(f"  {'':<20}  connection security: {route.security}   (goes on to {route.upstream})\n")
        if any(route.presents for route, _, _ in where):
            render.show("Where the mail program uses TLS, it must trust mailproxy: mailproxy ca install\n")
        render.show(f"Recording into {shown(self._db)}. Ctrl-C ends it.\n")

    def waiting(self, where: "Sequence[Listening]") -> None:
        """Say who has not called yet."""
        from mailproxy.app.routes import place

        places = ", ".join(place(each.host, each.port) for each in where)
        render.show(render.paint(f"... no connection seen yet on {places}", dim=True))

    def began(self, session: "Session") -> None:
        """Say that somebody has called."""
        self._open.add(session.id)
        if not self._quiet:
            who = f"{session.client.address} port {session.client.port}"
            played = f"the {render.safe(session.replays)}, played by mailproxy"
            whom = played if session.replays else session.upstream
            self._print(session.id, render.paint(f"=== session {session.id}: {who} to {whom}", dim=True))

    def said(self, number: int, lines: "Sequence[Line]") -> None:
        """Show what was said."""
        if not self._quiet:
            for line in lines:
                self._print(number, render.line(line))

    def ended(self, session: "Session", verdict: "Verdict | None", remembered: "Remembered") -> None:
        """Say what came of it, and where it failed what that means and what to do."""
        if not self._quiet:
            self._print(session.id, f"--- session {session.id} {render.outcome(session)}")
            for line in render.advice(verdict, session.outcome) if verdict else ():
                self._print(session.id, f"    {line}")
        self._open.discard(session.id)

    def trouble(self, text: str) -> None:
        """Say loudly what is wrong."""
        render.complain(text)

    def _print(self, number: int, text: str) -> None:
        several = len(self._open) > 1
        render.show(f"{number:>4} {text}" if several else text)


class Documents:
    """Tells programs of sessions that have ended."""

    def listening(self, where: "Sequence[Listening]") -> None:
        """The ready file says where."""

    def waiting(self, where: "Sequence[Listening]") -> None:
        """No session has ended."""

    def began(self, session: "Session") -> None:
        """No session has ended."""

    def said(self, number: int, lines: "Sequence[Line]") -> None:
        """No session has ended."""

    def ended(self, session: "Session", verdict: "Verdict | None", remembered: "Remembered") -> None:
        """Print the session and its verdict, without what was said: its number tells where that is."""
        from mailproxy.app.diagnose import line

        render.show(line(remembered.recording(session), verdict))

    def trouble(self, text: str) -> None:
        """Say loudly what is wrong."""
        render.complain(text)
