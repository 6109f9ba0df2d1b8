"""Options that several commands take."""

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
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, its shape versioned.")]


def database(given: str | None) -> str:
    """The database that is meant."""
    from mailproxy.app.settings import database as default

    return given or default()
