"""The version of the schema. Alembic is imported only where there is something to bring up to date."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

import mailproxy
from mailproxy.store.trouble import StoreError

HEAD: Final = "0003"
_PACKAGE: Final = Path(mailproxy.__file__).parent


def version(connection: Connection) -> str | None:
    """The version of the schema there is, None in an empty database. Raises StoreError in one that is not ours."""
    inspector = inspect(connection)
    if inspector.has_table("alembic_version"):
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if inspector.get_table_names():
        raise StoreError("is a database of another program")
    return None


def upgrade(connection: Connection) -> None:
    """Bring the schema to its head within the transaction. Raises StoreError where it is newer than that."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('mailproxy'))"))
    config = configuration()
    found = version(connection)
    try:
        ScriptDirectory.from_config(config).get_revision(found or "base")
    except CommandError as error:
        raise StoreError(f"was written by a newer mailproxy (schema {found}, this one knows {HEAD})") from error
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration() -> Any:
    """Alembic's configuration, with the migrations as they are installed or checked out."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    return config


def _migrations() -> Path:
    installed = _PACKAGE / "migrations"
    return installed if installed.is_dir() else _PACKAGE.parent / "migrations"
