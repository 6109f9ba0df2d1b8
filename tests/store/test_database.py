"""The database is made, brought up to date, and refused where it is not ours."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from mailproxy.store import schema
from mailproxy.store.engine import open_database, writing
from mailproxy.store.tables import METADATA, describe
from mailproxy.store.trouble import StoreError

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
mortal = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")


@pytest.fixture(params=[0o000, 0o022, 0o277])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def trouble(where: str | Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_database(where, patience=0)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@posix
@pytest.mark.usefixtures("_umask")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "new" / "newer" / "mail.db")
    with writing(engine) as connection:
        connection.execute(text("UPDATE counter SET next_id = 2"))
        files = sorted((tmp_path / "new" / "newer").iterdir())
        assert [path.name for path in files] == ["mail.db", "mail.db-shm", "mail.db-wal"]
        assert {mode(path) for path in files} == {0o600}
    engine.dispose()
    assert mode(tmp_path / "new") == mode(tmp_path / "new" / "newer") == 0o700


@posix
def test_a_mode_that_was_chosen_stays(tmp_path: Path) -> None:
    open_database(tmp_path / "mail.db").dispose()
    (tmp_path / "mail.db").chmod(0o640)
    open_database(tmp_path / "mail.db").dispose()
    assert mode(tmp_path / "mail.db") == 0o640


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    where = tmp_path / "mail.db"
    engine = open_database(where)
    with writing(engine) as connection:
        connection.execute(text("UPDATE counter SET next_id = 7"))
    engine.dispose()
    engine = open_database(f"sqlite:///{where}")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT next_id FROM counter")) == 7
    engine.dispose()


def test_opening_it_again_does_not_load_alembic(tmp_path: Path) -> None:
    open_database(tmp_path / "mail.db").dispose()
    program = (
        "import sys; from mailproxy.store.engine import open_database;"
        "open_database(sys.argv[1]).dispose(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path / "mail.db")], check=False).returncode == 0


def test_the_head_is_the_head() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(schema.configuration()).get_current_head() == schema.HEAD


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_database(tmp_path / "mail.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_migrations_can_be_undone(tmp_path: Path) -> None:
    from alembic import command

    engine = open_database(tmp_path / "mail.db")
    config = schema.configuration()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all() == [
            "alembic_version"
        ]
    engine.dispose()
    engine = open_database(tmp_path / "mail.db")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT next_id FROM counter")) == 1
    engine.dispose()


def test_every_column_says_what_it_holds() -> None:
    rows = describe()
    assert ("frames", "wire", "BIGINT", "how many octets went over the wire, masked and omitted ones too") in rows
    assert [row for row in rows if not all(row)] == []


def test_the_tables_suit_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables]
    made += [
        str(CreateIndex(each).compile(dialect=dialect)) for table in METADATA.sorted_tables for each in table.indexes
    ]
    assert "octets BYTEA NOT NULL" in "".join(made)
    assert '"' not in "".join(made)  # no name is a reserved word, here or in the statements made by hand


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    where = tmp_path / "mail.db"
    engine = open_database(where)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert trouble(where) == f"{where} was written by a newer mailproxy (schema 9999, this one knows {schema.HEAD})"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    where = tmp_path / "notes.txt"
    where.write_text("Dear diary, " * 100)
    assert trouble(where) == f"{where} is not a database"
    assert where.read_text().startswith("Dear diary")


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    where = tmp_path / "places.sqlite"
    other = sqlite3.connect(where)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    assert trouble(where) == f"{where} is a database of another program"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert trouble(tmp_path) == f"{tmp_path} cannot be opened: unable to open database file"


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert trouble(tmp_path / "file" / "mail.db").startswith(f"{tmp_path / 'file' / 'mail.db'} cannot be made: ")


@mortal
def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert trouble(tmp_path / "mail.db") == f"{tmp_path / 'mail.db'} cannot be made: Permission denied"
    tmp_path.chmod(0o700)


def test_a_database_that_is_locked_is_told(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert trouble(tmp_path / "mail.db") == f"{tmp_path / 'mail.db'} cannot be opened: database is locked"
    other.close()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("://", ":// is no URL of a database"),
        ("oracle9://u:hush@h/x", "oracle9://u:***@h/x: SQLite and PostgreSQL are supported"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(where: str, said: str) -> None:
    assert trouble(where) == said


def test_two_that_make_it_at_once_make_it_once(tmp_path: Path) -> None:
    program = "import sys; from mailproxy.store.engine import open_database; open_database(sys.argv[1]).dispose()"
    both = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "mail.db")]) for _ in range(3)]
    assert [each.wait() for each in both] == [0, 0, 0]
    engine = create_engine(f"sqlite:///{tmp_path / 'mail.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM counter")) == 1
    engine.dispose()
