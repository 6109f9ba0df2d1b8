"""Options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar="MAILPROXY_DB",
        metavar="PATH|URL",
        help="The database: a file of SQLite, or a URL as SQLAlchemy has it. By default it is in your data directory.",
        show_default=False,
    ),
]


class Version(StrEnum):
    """The lowest version of TLS."""

    TLS10 = "1.0"
    TLS11 = "1.1"
    TLS12 = "1.2"
    TLS13 = "1.3"


Trust = Annotated[
    list[Path] | None, typer.Option(metavar="PATH", help="Trust the roots in this PEM file too. May be repeated.")
]
TlsMin = Annotated[
    Version | None,
    typer.Option(help="Allow TLS from this version on, with old ciphers below 1.2. [default: OpenSSL's]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, its shape versioned.")]


def database(given: str | None) -> str:
    """The database that is meant."""
    from mailproxy.app.settings import database as default

    return given or default()
