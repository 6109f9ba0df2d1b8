"""The same store in PostgreSQL, in a cluster of its own that listens on no port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.store.engine import open_database, writing
from mailproxy.store.journal import directory
from mailproxy.store.library import add, load, remove, resolve
from mailproxy.store.prune import prune
from mailproxy.store.recorder import Recorder
from mailproxy.store.schema import HEAD
from mailproxy.store.search import Query, find
from mailproxy.store.tables import METADATA
from mailproxy.store.trouble import StoreError
from tests.store import older
from tests.tls import FACTS, LEAF, ROOT

pytest.importorskip("psycopg", reason="the extra postgresql is not installed")

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SESSION = Session(
    1,
    "smtp",
    NOON,
    upstream="smtp://mail.example.org",
    client=Leg(Side.CLIENT, address="192.0.2.7", connected=0, ending=Ending(None, How.CUT, 9)),
    server=Leg(Side.SERVER, host="mail.example.org", port=25, connected=1, tls=FACTS),
    duration=1_500_000,
    user="al\x00ice\udcff",
    failed=True,
)
SAID = (
    Note(Mark.FACT, "connected\x00", 1),
    Frame(Side.CLIENT, b"RCPT TO:<\xff\x00back\\slash>\r\n", 2, 0, 25, Kind.SPEECH, Origin.PROXY, True),
    Frame(Side.SERVER, b"550 5.1.1 No Such User\r\n", 7, 0, 24),
)
REFUSAL = Exchange(
    0,
    "RCPT",
    "TO:<\udcff\x00back\\slash>",
    Span(Side.CLIENT, 0, 25),
    2,
    (Reply("550", "5.1.1", "No Such User\nhere", Span(Side.SERVER, 0, 24), 7),),
    Content(Span(Side.CLIENT, 25, 30), True, 2**40),
    (Span(Side.CLIENT, 30, 40),),
    frozenset({Flag.NUL, Flag.EIGHT_BIT}),
)
RECORDING = Recording(SESSION, SAID, (REFUSAL,))


def _binaries() -> Path | None:
    places = [shutil.which("initdb"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    return next((Path(place).parent for place in places if place), None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    binaries = _binaries()
    if binaries is None or os.name != "posix":
        pytest.skip("there is no PostgreSQL server here")
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    home = tempfile.mkdtemp()  # pytest's own are too deep for the name of a socket

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), *arguments]
        subprocess.run(command, check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)

    try:
        if user:
            shutil.chown(home, user)
        run("initdb", "-D", f"{home}/data", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "-N")
        run("pg_ctl", "-w", "-D", f"{home}/data", "-l", f"{home}/log", "-o", f"-k {home} -h '' -F", "start")
        try:
            yield f"postgresql://tester@/postgres?host={home}"
        finally:
            run("pg_ctl", "-w", "-D", f"{home}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture
def engine(cluster: str) -> Iterator[Engine]:
    opened = open_database(cluster)
    yield opened
    with opened.begin() as connection:
        connection.execute(text(f"DROP TABLE alembic_version, {', '.join(METADATA.tables)} CASCADE"))
    opened.dispose()


def test_what_was_recorded_comes_back(engine: Engine) -> None:
    assert add(engine, RECORDING) == 1
    assert load(engine, 1) == RECORDING


def test_the_migrations_make_the_tables_and_their_comments(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_newer_schema_is_refused(engine: Engine, cluster: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=rf"was written by a newer mailproxy \(schema 9999, this one knows {HEAD}\)"):
        open_database(cluster)


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened: .*No such file or directory") as caught:
        open_database(f"postgresql://tester:hush@/postgres?host={tmp_path}")
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_session_is_taken_down(engine: Engine, tmp_path: Path) -> None:
    journal = directory(engine, tmp_path)
    assert journal.parent == tmp_path
    recorder = Recorder(engine, journal)
    number = recorder.next_id()
    sheet = recorder.open(replace(SESSION, id=number, duration=None))
    sheet.write(SAID[:1])
    assert recorder.flush()
    sheet.write(SAID[1:])
    sheet.exchanges([REFUSAL._replace(replies=()), REFUSAL])
    sheet.close(SESSION)
    assert recorder.close()
    assert load(engine, number) == RECORDING
    assert add(engine, RECORDING) == 2
    assert list(journal.iterdir()) == []


def test_a_session_deleted_while_it_goes_on_begins_again(engine: Engine, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path)
    sheet = recorder.open(replace(SESSION, duration=None))
    assert recorder.flush()
    remove(engine, 1)
    sheet.write(SAID)
    assert recorder.flush()
    assert load(engine, 1).entries == SAID
    sheet.close(SESSION)
    assert recorder.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(failed=True, limit=1), [2]),
        (Query(server="MAIL.example"), [2, 1]),
        (Query(client="%"), []),
        (Query(since=NOON + timedelta(hours=1)), [2]),
        (Query(code="5"), [2, 1]),
        (Query(code="5.1"), [2, 1]),
        (Query(code="51"), []),
        (Query(text="such user"), [2, 1]),
        (Query(text="BACK\\slash"), [2, 1]),
        (Query(text="XCLIENT\r\n"), [2]),
        (Query(text="ÿ"), []),
    ],
)
def test_finding(engine: Engine, query: Query, found: list[int]) -> None:
    spoken = Frame(Side.CLIENT, b"\x00\xffxclient\r\n", 3, 25, 11)
    add(engine, RECORDING)
    add(engine, Recording(replace(SESSION, started=NOON + timedelta(days=1)), (spoken,), (REFUSAL,)))
    assert [session.id for session in find(engine, query)] == found
    assert resolve(engine, "last-failed~1") == 1


def test_a_certificate_is_kept_once_and_while_a_session_names_it(engine: Engine) -> None:
    renewed = replace(LEAF, der=b"renewed")
    add(engine, RECORDING)
    add(engine, RECORDING)
    server = replace(SESSION.server, tls=replace(FACTS, chain=(renewed, ROOT)))
    add(engine, Recording(replace(SESSION, server=server, started=NOON + timedelta(days=1))))
    prune(engine, timedelta(hours=12), now=NOON + timedelta(days=1))
    with engine.begin() as connection:
        there = connection.scalars(text("SELECT sha256 FROM certificates")).all()
    assert set(there) == {renewed.fingerprint, ROOT.fingerprint}
    assert len(there) == 2


def test_an_older_database_is_brought_up_to_date(cluster: str) -> None:
    old = create_engine(cluster.replace("postgresql://", "postgresql+psycopg://"))
    older.make(old)
    old.dispose()
    opened = open_database(cluster)
    try:
        assert load(opened, 1) == older.RECORDING
        assert add(opened, RECORDING) == 2
        assert load(opened, 2).session == replace(SESSION, id=2)
    finally:
        with opened.begin() as connection:
            connection.execute(text(f"DROP TABLE alembic_version, {', '.join(METADATA.tables)} CASCADE"))
        opened.dispose()


def test_pruning_gives_the_space_back(engine: Engine) -> None:
    # What the octets are must not be compressed to nothing.
    content = Frame(Side.CLIENT, os.urandom(100_000), 1, 0, 100_000, Kind.CONTENT)
    for _ in range(20):
        add(engine, Recording(SESSION, (content,)))
    pruned = prune(engine, max_size=1_200_000)
    left = [session.id for session in find(engine, Query())]
    assert left == list(range(20, 20 - len(left), -1))
    assert 5 <= len(left) <= 11
    assert pruned.freed > 900_000
