"""`mailproxy faults`: what can be made to go wrong; and `--fault`, which has it go wrong."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.config import settings
from mailproxy.cli.options import Json

if TYPE_CHECKING:
    from mailproxy.app.faults import Faults

Fault = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help='Have something go wrong: "at RCPT 2 answer 452 4.5.3 Too many recipients". `mailproxy faults` lists the '
        "rules. May be repeated.",
        show_default=False,
    ),
]


def faults(as_json: Json = False) -> None:
    """List what can be made to go wrong, and how it is written.

    A rule says what, and where and when if that matters. `record`, `practice` and `replay server` take it by --fault,
    else out of mailproxy.toml: fault = ["RULE"].

    \b
    mailproxy record smtp://mail.example.org:587 --fault "at RCPT 2 answer 452 4.5.3 No"
    mailproxy practice --fault "at PASS answer -ERR [IN-USE] Locked first 2"
    mailproxy replay server last --fault "at content reset after 100 octets one in 3"
    """
    import json

    from mailproxy.app import faults as known

    if as_json:
        render.say(json.dumps(known.document(), indent=2))
        return
    render.say(f"A rule: {render.paint(known.SYNTAX, bold=True)}")
    render.say("\nWHAT, and where it may stand:\n")
    for rule in known.rules():
        only = f" ({', '.join(rule.protocols)} alone)" if set(rule.protocols) < set(known.names()) else ""
        _rule(rule.syntax, f"{rule.does}{only}")
        render.say(render.paint(f"      e.g. {rule.example}", dim=True))
    for title, rows in (("WHERE", known.WHERE), ("WHEN", known.WHEN)):
        render.say(f"\n{title}:\n")
        for syntax, does in rows:
            _rule(syntax, does)


def _rule(syntax: str, does: str) -> None:
    render.say(f"  {render.paint(syntax, bold=True)}")
    for line in textwrap.wrap(does, render.width() - 6, break_on_hyphens=False):
        render.say(f"      {line}")


def wanted(rules: Sequence[str] | None, spoken: Iterable[tuple[str, bool]] = ()) -> "Faults | None":
    """The faults of these rules; None where there are none. `spoken` is what listeners speak, and whether under TLS."""
    from mailproxy.app.faults import UnusableOption
    from mailproxy.app.faults import wanted as read

    try:
        return read(rules or (), spoken)
    except UnusableOption as error:
        told = f"{error}; `mailproxy faults` lists what can be written"
        raise typer.BadParameter(told, param_hint=error.option) from error


def here(rules: Sequence[str] | None, config: Path | None, spoken: Iterable[tuple[str, bool]]) -> "Faults | None":
    """The same; without rules those of mailproxy.toml, of which some may be for listeners elsewhere."""
    return wanted(rules, spoken) if rules else wanted(settings(config).fault)
