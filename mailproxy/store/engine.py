"""The database: made, brought up to date and opened."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from mailproxy.store.schema import HEAD, upgrade, version
from mailproxy.store.trouble import StoreError, reason

_PRAGMAS = ("auto_vacuum = INCREMENTAL", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON")


def open_database(where: str | Path, *, patience: float = 5.0, log_pages: int = 1000) -> Engine:
    """Open a database by its path (SQLite) or SQLAlchemy URL; make it, or bring its schema up to date, first.

    `patience` is how many seconds to wait for a database that another process is writing to, `log_pages` how long
    SQLite's log may grow before a commit moves it into the database, at thrice the cost. A new file is
    readable by its owner only, and so is its directory where that is new. Raises StoreError.
    """
    url = _url(where)
    engine = _sqlite(url, patience, log_pages) if url.get_backend_name() == "sqlite" else _network(url)
    try:
        _bring_up_to_date(engine)
    except (DBAPIError, StoreError) as error:
        engine.dispose()
        raise StoreError(f"{_name(url)} {_refusal(error)}") from error
    return engine


def is_there(where: str | Path) -> bool:
    """Whether a database need not be made first; of one that is reached over a network that is not asked.

    Raises StoreError.
    """
    url = _url(where)
    return url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes. SQLite's lock is taken at once: a reader that turns writer cannot wait for it."""
    with engine.connect() as connection:
        connection.execution_options(mailproxy_writes=True)
        with connection.begin():
            yield connection


def busy(error: DBAPIError) -> bool:
    """Whether the database may take later what it refused now."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(error, OperationalError)


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        found = version(connection)
    if found != HEAD:
        with writing(engine) as connection:
            upgrade(connection)


def _url(where: str | Path) -> URL:
    if "://" not in str(where):
        return URL.create("sqlite", database=str(Path(where).expanduser().absolute()))
    try:
        url = make_url(str(where))
        return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgres", "postgresql"} else url
    except ArgumentError as error:
        raise StoreError(f"{where} is no URL of a database") from error


def _network(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        raise StoreError(f"{_name(url)}: SQLite and PostgreSQL are supported")
    try:
        return create_engine(url, pool_pre_ping=True)
    except NoSuchModuleError as error:
        raise StoreError(f"{_name(url)}: SQLite and PostgreSQL are supported") from error
    except ModuleNotFoundError as error:
        raise StoreError(f"{_name(url)} needs a driver: pip install 'mailproxy[postgresql]'") from error


def _sqlite(url: URL, patience: float, log_pages: int) -> Engine:
    if url.database:
        _make(Path(url.database))
    engine = create_engine(url, connect_args={"timeout": patience, "isolation_level": None})
    event.listen(engine, "connect", partial(_connected, log_pages))
    event.listen(engine, "begin", _begin)
    return engine


def _make(path: Path) -> None:
    """Make the file, whatever the umask says; SQLite gives its -wal and -shm the same mode."""
    try:
        for directory in reversed([each for each in path.parents if not each.exists()]):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o700)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {reason(error)}") from error


def _connected(log_pages: int, connection: sqlite3.Connection, _: Any) -> None:
    for pragma in (*_PRAGMAS, f"wal_autocheckpoint = {log_pages}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mailproxy_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _name(url: URL) -> str:
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _refusal(error: Exception) -> str:
    match error:
        case StoreError():
            return str(error)
        case DBAPIError(orig=sqlite3.DatabaseError(sqlite_errorcode=sqlite3.SQLITE_NOTADB)):
            return "is not a database"
        case _:
            return f"cannot be opened: {reason(error)}"
