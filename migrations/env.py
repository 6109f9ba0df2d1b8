"""Alembic's way in. mailproxy hands over its connection; `alembic -x database=URL …` opens one."""

from alembic import context
from sqlalchemy import Connection, create_engine

from mailproxy.store.tables import METADATA


def migrate(connection: Connection) -> None:
    """Run what is asked for over this connection."""
    context.configure(connection=connection, target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    migrate(given)
else:
    engine = create_engine(context.get_x_argument(as_dictionary=True).get("database", "sqlite:///mailproxy.db"))
    with engine.begin() as opened:
        migrate(opened)
    engine.dispose()
