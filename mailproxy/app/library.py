"""The library: recordings found and loaded, from the database or from a file."""

from pathlib import Path

from sqlalchemy import Engine

from mailproxy.app.settings import state
from mailproxy.store.engine import open_database
from mailproxy.store.journal import directory


def open_library(db: str) -> Engine:
    """Open a database, with what a killed recorder left in its journal. Raises StoreError."""
    return open_database(db)


def journal_of(engine: Engine) -> Path:
    """Where the journals of a database are."""
    return directory(engine, state())
