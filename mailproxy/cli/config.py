"""`--config`: what mailproxy.toml says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mailproxy.app.settings import Settings

FaultConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="Rules in TOML, where no --fault is. [default: mailproxy.toml, where there is one]",
    ),
]


def settings(config: Path | None) -> "Settings":
    """What this file says, else mailproxy.toml, else nothing."""
    from mailproxy.app.settings import FILE, Settings, SettingsError, read

    if config is None and not FILE.exists():
        return Settings()
    try:
        return read(config or FILE)
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint="--config") from error
