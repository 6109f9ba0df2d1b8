"""What TLS told of a leg is kept, however the recording ends, and each certificate once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Engine, create_engine, text

from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.model.tls import TlsFacts
from mailproxy.store.engine import open_database
from mailproxy.store.library import add, load, remove
from mailproxy.store.prune import prune
from mailproxy.store.recorder import Recorder
from mailproxy.store.records import pack_header, pack_live, records
from mailproxy.store.recovery import recover
from mailproxy.store.rows import header
from mailproxy.store.schema import HEAD
from mailproxy.store.search import Query, find
from tests.store import older
from tests.tls import FACTS, LEAF, ROOT, facts

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLEAR = Session(1, "smtp", NOON, client=Leg(Side.CLIENT, "192.0.2.7", connected=0))
FORGED = replace(LEAF, issuer="CN=mailproxy", der=b"forged")
SHOWN = TlsFacts(version="TLSv1.2", server_name="mail.example.org", chain=(FORGED, ROOT))
SECURE = replace(CLEAR, client=replace(CLEAR.client, tls=SHOWN), server=Leg(Side.SERVER, "mail.example.org", tls=FACTS))
OVER = replace(
    SECURE,
    client=replace(SECURE.client, ending=Ending(Side.CLIENT, How.CLOSED, 9)),
    server=replace(SECURE.server, ending=Ending(None, How.CUT, 9)),
    duration=9,
    outcome="ok: no message",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "mail.db", patience=0)
    yield opened
    opened.dispose()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "mail.db.journal.d"


def fingerprints(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        return set(connection.scalars(text("SELECT sha256 FROM certificates")))


def test_a_session_is_taken_down(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(CLEAR)
    assert recorder.flush()
    sheet.revise(SECURE)
    assert recorder.flush()
    assert load(engine, 1).session == SECURE
    sheet.close(OVER)
    assert recorder.close()
    assert load(engine, 1).session == OVER
    assert find(engine, Query()) == [OVER]


def test_clear_and_secure_sessions_in_one_batch(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    for number, session in ((1, CLEAR), (2, SECURE), (3, CLEAR), (4, OVER)):
        recorder.open(replace(session, id=number))
    assert recorder.close()
    assert [session.client.tls for session in find(engine, Query())] == [SHOWN, None, SHOWN, None]


def test_tls_of_which_nothing_is_known_is_tls(engine: Engine) -> None:
    unknown = replace(CLEAR, server=Leg(Side.SERVER, tls=TlsFacts()))
    add(engine, Recording(unknown))
    assert load(engine, 1).session == unknown


def test_a_certificate_is_kept_once(engine: Engine) -> None:
    for _ in range(3):
        add(engine, Recording(OVER))
    assert fingerprints(engine) == {each.fingerprint for each in (LEAF, ROOT, FORGED)}


def test_a_person_can_read_the_tables(engine: Engine) -> None:
    add(engine, Recording(OVER))
    with engine.begin() as connection:
        asked = "SELECT tls_version, tls_name, tls_offered, tls_offered_alpn, tls_faults, tls_checked FROM legs"
        assert connection.execute(text(f"{asked} WHERE side = 'server'")).one() == (
            "TLSv1.3",
            "mail.example.org",
            "TLSv1.3 TLSv1.2",
            "smtp lmtp",
            "certificate has expired, hostname mismatch",
            1,
        )
        found = connection.execute(
            text(
                "SELECT subject, issuer, names, not_before, not_after, key, der FROM certificates JOIN legs"
                " ON tls_chain LIKE sha256 || '%' WHERE side = 'server'"
            )
        )
        assert found.one() == (
            "CN=mail.example.org",
            "CN=Example Root,O=Example",
            "mail.example.org 192.0.2.25",
            "2026-01-01T00:00:00.000000Z",
            "2026-04-01T00:00:00.000000Z",
            "EC P-256",
            LEAF.der,
        )


def test_a_killed_process_loses_nothing(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(CLEAR)
    assert recorder.flush()
    sheet.revise(SECURE)
    sheet.write([Frame(Side.SERVER, b"220 hello\r\n", 9, 0, 11)])
    recorder._journal.close(keep=True)
    assert load(engine, 1).session == CLEAR
    assert recover(engine, journal, reread=lambda *_: (), judge=lambda _: ("failed: killed", True)) == [1]
    session = load(engine, 1).session
    assert (session.client.tls, session.server.tls) == (SHOWN, FACTS)
    assert session.client.ending == Ending(None, How.CUT, 9)


def test_a_killed_process_loses_nothing_that_was_over(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.open(SECURE).close(OVER)
    recorder._journal.close(keep=True)
    assert recover(engine, journal, reread=lambda *_: (), judge=lambda _: ("", True)) == [1]
    assert load(engine, 1).session == OVER


texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=20) | some.just("a b\\x20\n")
secure = some.none() | facts(texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secure, secure)
def test_headers_in_the_journal(engine: Engine, client: TlsFacts | None, server: TlsFacts | None) -> None:
    session = replace(CLEAR, client=replace(CLEAR.client, tls=client), server=replace(CLEAR.server, tls=server))
    packed = pack_live(0, ()) + pack_header(header(session))
    assert list(records(packed))[1:] == [header(session)]
    number = add(engine, Recording(session))
    assert load(engine, number).session == replace(session, id=number)


def test_a_session_in_clear_takes_no_more_room_in_the_journal() -> None:
    assert pack_header(header(CLEAR)).endswith(b'[1,"server","","",0,"",0,null,null,null,null]]')


def test_pruning_forgets_certificates_that_nobody_names(engine: Engine) -> None:
    for days, leaf in enumerate((LEAF, FORGED)):
        told = replace(FACTS, chain=(leaf, ROOT))
        server = replace(OVER.server, tls=told)
        add(engine, Recording(replace(OVER, client=CLEAR.client, server=server, started=NOON + timedelta(days=days))))
    assert len(fingerprints(engine)) == 3
    assert prune(engine, timedelta(hours=12), now=NOON + timedelta(days=1)).sessions == 1
    assert fingerprints(engine) == {FORGED.fingerprint, ROOT.fingerprint}
    assert load(engine, 2).session.server.tls == replace(FACTS, chain=(FORGED, ROOT))


def test_a_chain_whose_certificates_are_gone_is_empty(engine: Engine) -> None:
    add(engine, Recording(OVER))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM certificates"))
    assert load(engine, 1).session.server.tls == replace(FACTS, chain=())


def test_a_session_deleted_while_it_goes_on_begins_again(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(SECURE)
    assert recorder.flush()
    remove(engine, 1)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM certificates"))
    sheet.write([Frame(Side.SERVER, b"220 hello\r\n", 3, 0, 11)])
    assert recorder.flush()
    assert load(engine, 1).session == SECURE
    sheet.close(OVER)
    assert recorder.close()


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    where = tmp_path / "old.db"
    old = create_engine(f"sqlite:///{where}")
    older.make(old)
    old.dispose()
    engine = open_database(where)
    assert load(engine, 1) == older.RECORDING
    assert add(engine, Recording(OVER)) == 2
    assert load(engine, 2).session == replace(OVER, id=2)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    engine.dispose()
