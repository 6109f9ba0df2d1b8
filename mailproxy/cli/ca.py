"""`mailproxy ca`: the certificate that a mail program is told to trust."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Json

if TYPE_CHECKING:
    from mailproxy.app.ca import Shown
    from mailproxy.app.ca_steps import Way

ca = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


class Form(StrEnum):
    """How a certificate is written."""

    PEM = "pem"
    DER = "der"
    P12 = "p12"


@ca.callback()
def _ca(context: typer.Context) -> None:
    """Have programs trust mailproxy's certificate authority.

    To record what is said under TLS, mailproxy shows the mail program a certificate of its own. The authority that
    signs it is made on this computer, and its key stays here. `mailproxy ca install` says how to trust it.

    MAILPROXY_CA names the folder that holds it; by default it is in your data directory.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@ca.command()
def show(as_json: Json = False) -> None:
    """Show its name, validity and fingerprint, and where it is."""
    from mailproxy.app.ca import show

    _show(show(), as_json)


@ca.command()
def path() -> None:
    """Print the path of its certificate, in PEM.

    \b
    curl --cacert "$(mailproxy ca path)" pop3s://127.0.0.1:2995
    """
    from mailproxy.app.ca import show

    render.say(str(show().path))


@ca.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A file, else standard output.", show_default=False)
    ] = None,
    format: Annotated[
        Form, typer.Option("--format", "-f", help="PEM, DER, or a trust store in PKCS #12 without a password.")
    ] = Form.PEM,
) -> None:
    """Write its certificate, never its key.

    \b
    mailproxy ca export mailproxy-ca.pem
    mailproxy ca export --format p12 truststore.p12
    """
    import sys

    from mailproxy.app.ca import Form as Forms
    from mailproxy.app.ca import export

    octets = export(Forms(format))
    if file:
        file.write_bytes(octets)
        render.complain(f"wrote {file}")
    elif format is not Form.PEM and sys.stdout.isatty():
        raise typer.BadParameter(f"{format} is no text for a screen: name a file", param_hint="FILE")
    else:
        typer.echo(octets, nl=False)


@ca.command()
def new(as_json: Json = False) -> None:
    """Make another in its place, and keep the old one as .bak.

    Programs must be told to trust it anew.
    """
    from mailproxy.app.ca import new

    _show(new(), as_json)
    render.complain(
        "programs must trust this one now (mailproxy ca install); a mailproxy that runs must be started again"
    )


@ca.command()
def install(
    thunderbird: Annotated[
        Path | None,
        typer.Option(metavar="PROFILE", help="Have this profile folder of Thunderbird trust it.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how programs come to trust it, or have Thunderbird trust it.

    \b
    mailproxy ca install
    mailproxy ca install --thunderbird ~/.thunderbird/abcdefgh.default
    """
    from mailproxy.app.ca import show
    from mailproxy.app.ca_steps import for_file

    if thunderbird:
        _install(thunderbird, as_json)
        return
    file = show().path
    if as_json:
        _print_json(file=str(file), ways=[_told(way) for way in for_file(file)])
        return
    render.say(f"The certificate is in {file}")
    for way in for_file(file):
        render.say("\n" + render.paint(way.title, bold=True))
        for step in way.steps:
            if step.text:
                render.say(f"  {step.text}")
            if step.command:
                render.say(f"    {step.command}")


@ca.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")] = 2580,
    public: Annotated[bool, typer.Option("--public", help="Allow addresses that other computers can reach.")] = False,
) -> None:
    """Serve a page with it for phones and other computers.

    Ctrl-C ends it.

    \b
    mailproxy ca serve --host 192.0.2.7 --public
    """
    import trio

    from mailproxy.app.ca_page import serve_page
    from mailproxy.app.routes import is_private

    if not (public or is_private(host)):
        raise typer.BadParameter(f"others could reach {host}: add --public if they shall", param_hint="--host")
    trio.run(serve_page, host, port, lambda address: render.show(f"http://{address}/  (Ctrl-C ends it)"))


def _install(profile: Path, as_json: bool) -> None:
    from mailproxy.app.ca_profile import install

    name = install(profile)
    if as_json:
        _print_json(profile=str(profile), trusts=name)
        return
    render.say(f"{profile} trusts {render.paint(name, bold=True)} from Thunderbird's next start on")


def _show(shown: "Shown", as_json: bool) -> None:
    if as_json:
        _print_json(
            subject=shown.subject,
            not_before=shown.not_before.isoformat(),
            not_after=shown.not_after.isoformat(),
            fingerprint=shown.fingerprint,
            path=str(shown.path),
        )
        return
    render.say(f"  name     {render.paint(shown.name, bold=True)}")
    render.say(f"  valid    {shown.not_before:%Y-%m-%d} to {shown.not_after:%Y-%m-%d}")
    render.say(f"  SHA-256  {shown.spaced[:48]}\n           {shown.spaced[48:]}")
    render.say(f"  file     {shown.path}")


def _told(way: "Way") -> dict[str, object]:
    return {"title": way.title, "steps": [step._asdict() for step in way.steps]}


def _print_json(**said: object) -> None:
    import json

    render.say(json.dumps({"version": 1, **said}, indent=2))
