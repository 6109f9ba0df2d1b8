"""`mailproxy setup`: find an account's servers, write the routes, and tell what to enter where."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailproxy.app.setup.run import SetUp
    from mailproxy.app.setup.server import Server
    from mailproxy.app.setup.table import Entry


def setup(
    account: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDRESS|PROFILE",
            help="Your e-mail address; with --thunderbird a profile, by its directory or its name.",
            show_default=False,
        ),
    ] = None,
    thunderbird: Annotated[
        bool, typer.Option("--thunderbird", help="Take the servers from a Thunderbird profile.")
    ] = False,
    program: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="NAME",
            help="Tell only what to enter in this program: thunderbird, outlook, apple-mail, k9, mutt, msmtp, mpop, "
            "fetchmail or getmail.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The file to write the routes into. [default: mailproxy.toml]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, and show what would be written.")] = False,
    as_json: Json = False,
) -> None:
    """Find your account's servers, and set mailproxy up before them.

    The servers are those of your Thunderbird profile, or those that your mail domain names: in DNS (SRV records), in
    its autoconfig file, or by answering at the usual ports. Nobody but the domain itself is asked, and no password is
    needed. The routes go into mailproxy.toml, behind what is there; then start `mailproxy record` without arguments,
    and enter in your mail program what is printed here.

    \b
    mailproxy setup alice@example.org
    mailproxy setup --thunderbird
    mailproxy setup alice@example.org --for mutt --dry-run
    """
    from mailproxy.app.setup import run

    if program is not None and program not in run.program_names():
        raise typer.BadParameter(f"{program!r} is none of {', '.join(run.program_names())}", param_hint="--for")
    ready = run.plan(run.find(account, thunderbird, _tell), config)
    written = not dry_run and run.write(ready)
    names = (program,) if program else run.program_names()
    if as_json:
        import json

        render.say(json.dumps(run.document(ready, written, names), indent=2))
    elif program and ready.ways.simple:
        _complain(ready)
        _advice(ready, program)
    else:
        _servers(ready)
        if ready.ways.simple:
            _file(ready, written)
            _ways(ready)
            if ready.found.profile:
                names = ("thunderbird",)
                _point(ready)
            for name in names:
                _advice(ready, name)
    if not ready.ways.simple:
        render.complain("nothing is set up: name a server yourself, as in mailproxy record smtp://mail.example.org:587")
        raise typer.Exit(1)


def _tell(text: str) -> None:
    typer.echo(f"... {render.harmless(text)}", err=True)


def _complain(ready: "SetUp") -> None:
    for note in ready.found.notes:
        render.complain(note)


def _servers(ready: "SetUp") -> None:
    """What was found, and where."""
    found = ready.found
    everything = [*found.chosen, *found.others]
    width = max((len(server.upstream) for server in everything), default=0)
    if everything:
        render.say("Found:\n")
    for server in everything:
        render.say(_found(server, width, server in found.chosen))
    if everything:
        render.say()
    for note in found.notes:
        render.say(f"  {render.harmless(note)}")
    if found.notes:
        render.say()


def _found(server: "Server", width: int, chosen: bool) -> str:
    text = f"  {'*' if chosen else ' '} {server.upstream:<{width}}  {render.harmless(server.source)}"
    return f"{text}; {render.harmless(server.note)}" if server.note else text


def _file(ready: "SetUp", written: bool) -> None:
    """What became of the settings file."""
    if written:
        render.say(f"Written to {ready.path}. Start it with:\n")
    elif ready.plan.changed:
        render.say(f"{ready.path} would have, at its end:\n")
        for route in ready.plan.routes:
            if route.new:
                render.say(f'  [[route]]\n  upstream = "{route.server.upstream}"\n  listen = "{route.listen}"\n')
        render.say("Then start it with:\n")
    else:
        render.say(f"{ready.path} has these routes already. Start it with:\n")
    elsewhere = f" --config {ready.path}" if _is_elsewhere(ready) else ""
    render.say(f"  {render.paint(f'mailproxy record{elsewhere}', bold=True)}\n")


def _ways(ready: "SetUp") -> None:
    """What to enter in any program."""
    if ready.ways.faithful:
        render.say("Enter in your mail program, and leave user name and password as they are, the simple way:\n")
        _table(ready.ways.simple)
        render.say("Or with the same security as before, once it trusts mailproxy (mailproxy ca install):\n")
        _table(ready.ways.faithful)
    else:
        render.say("Enter in your mail program, and leave user name and password as they are:\n")
        _table(ready.ways.simple)


def _table(entries: "Sequence[Entry]") -> None:
    from mailproxy.app.setup.table import WORDS

    for entry in entries:
        server = entry.server
        what = "outgoing" if entry.sends else "incoming"
        place = f"server {render.paint(entry.host, bold=True)}  port {render.paint(str(entry.port), bold=True)}"
        render.say(f"  {what}  {place}  connection security: {WORDS[entry.security]}")
        render.say(f"            instead of {server.host}, port {server.port}, {WORDS[server.security]}")
    render.say()


def _point(ready: "SetUp") -> None:
    """What spares the typing, where Thunderbird is the mail program."""
    import shlex

    config = f" --config {shlex.quote(str(ready.path))}" if _is_elsewhere(ready) else ""
    profile = shlex.quote(str(ready.found.profile))
    command = f"mailproxy point thunderbird --how servers --profile {profile}{config}"
    render.say(f"Or have it entered, while Thunderbird is closed:\n\n  {render.paint(command, bold=True)}\n")
    render.say("Or enter nothing, and keep all passwords: mailproxy as its proxy, while Thunderbird is closed:\n")
    for line in (
        f"ca install --thunderbird {profile}",
        f"point thunderbird --profile {profile}",
        f"record{config} --socks 1080",
    ):
        render.say(f"  {render.paint(f'mailproxy {line}', bold=True)}")
    render.say()
    render.say("For another mail program add --for NAME.\n")


def _is_elsewhere(ready: "SetUp") -> bool:
    """Whether the settings file is not the one that is read anyway."""
    from mailproxy.app.settings import FILE

    return ready.path != FILE


def _advice(ready: "SetUp", name: str) -> None:
    """What to enter in one program."""
    said = ready.advice(name)
    for lines, how in ((said.simple, "without security"), (said.faithful, "with the same security as before")):
        if not lines:
            continue
        file = f", lines for its {said.file}" if said.file else ""
        render.say(f"{render.paint(said.title, bold=True)}, {how}{file}:\n")
        for line in lines:
            render.say(f"  {line}")
        render.say()
