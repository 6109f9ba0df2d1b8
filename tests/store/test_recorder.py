"""Sessions are taken down: at once into the journal, in batches into the database."""

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing as closed
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.octets import Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.store.engine import open_database
from mailproxy.store.journal import directory
from mailproxy.store.library import add, load, remove
from mailproxy.store.numbers import BLOCK
from mailproxy.store.recorder import LARGE, Recorder
from mailproxy.store.records import Live, pack, pack_header, pack_live, records
from mailproxy.store.rows import header
from mailproxy.store.trouble import RecordingStopped, StoreError

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
OPEN = Session(1, "smtp", NOON, client=Leg(Side.CLIENT, "192.0.2.7", connected=0))
CLOSED = Session(
    1,
    "smtp",
    NOON,
    client=Leg(Side.CLIENT, "192.0.2.7", connected=0, ending=Ending(Side.CLIENT, How.CLOSED, 9)),
    duration=9,
    outcome="ok: no message",
)
GREETING = Frame(Side.SERVER, b"220 hello\r\n", 3, 0, 11)
QUIT = Frame(Side.CLIENT, b"QUIT\r\n", 5, 0, 6)
NOTE = Note(Mark.FACT, "connected", 1)
WELCOME = Exchange(0, "", "", None, 3, (Reply("220", "", "hello", Span(Side.SERVER, 0, 11), 3),))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "mail.db", patience=0)
    yield opened
    opened.dispose()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "mail.db.journal.d"


@pytest.fixture
def recorder(engine: Engine, journal: Path) -> Iterator[Recorder]:
    opened = Recorder(engine, journal, bound_rows=4, bound_octets=100)
    yield opened
    opened.close()


def next_in(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.scalar(text("SELECT next_id FROM counter")) or 0)


def held(journal: Path) -> list[int]:
    return sorted(path.stat().st_size for path in journal.iterdir())


def test_a_session_is_taken_down(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([NOTE, GREETING])
    sheet.exchanges([WELCOME])
    sheet.write([QUIT])
    sheet.close(CLOSED)
    assert recorder.flush()
    recording = load(engine, 1)
    assert recording.session == CLOSED
    assert recording.entries == (NOTE, GREETING, QUIT)
    assert recording.exchanges == (WELCOME,)


def test_it_can_be_seen_while_it_goes_on(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([GREETING])
    recorder.flush()
    assert load(engine, 1).session == OPEN
    sheet.revise(Session(1, "smtp", NOON, user="alice"))
    sheet.write([QUIT])
    recorder.flush()
    assert load(engine, 1).session.user == "alice"
    assert load(engine, 1).entries == (GREETING, QUIT)
    sheet.close(CLOSED)


def test_a_later_word_on_an_exchange_replaces_the_earlier(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.exchanges([WELCOME._replace(replies=()), WELCOME])
    recorder.flush()
    sheet.exchanges([WELCOME._replace(argument="again")])
    sheet.close(CLOSED)
    recorder.flush()
    assert load(engine, 1).exchanges == (WELCOME._replace(argument="again"),)


def test_it_says_when_it_wants_to_be_flushed(recorder: Recorder) -> None:
    assert (recorder.due, recorder.full) == (False, False)
    sheet = recorder.open(OPEN)
    assert (recorder.due, recorder.full) == (True, False)
    sheet.write([QUIT] * 3)
    assert (recorder.due, recorder.full) == (True, True)
    recorder.flush()
    assert (recorder.due, recorder.full) == (False, False)
    sheet.write([GREETING._replace(octets=b"x" * 100)])
    assert (recorder.due, recorder.full) == (True, True)
    sheet.close(CLOSED)


def test_the_journal_empties_when_the_database_has_it(recorder: Recorder, journal: Path) -> None:
    begun = max(held(journal))
    sheet = recorder.open(OPEN)
    sheet.write([GREETING])
    recorder.flush()
    assert held(journal) == [0, begun + 8]  # it names the session that goes on
    sheet.close(CLOSED)
    recorder.flush()
    assert held(journal) == [0, begun]


def test_the_journal_goes_at_a_clean_end(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(OPEN)
    sheet.close(CLOSED)
    assert recorder.close()
    assert list(journal.iterdir()) == []
    assert load(engine, 1).session == CLOSED


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_the_journal_is_its_owners(recorder: Recorder, journal: Path) -> None:
    assert recorder.trouble == ""
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (journal, *journal.iterdir())]
    assert modes == [0o700, 0o600, 0o600]


def test_a_locked_database_is_waited_for(engine: Engine, recorder: Recorder, tmp_path: Path) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([GREETING])
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not recorder.flush()
    assert recorder.trouble == "the database takes nothing: database is locked"
    sheet.write([QUIT])
    assert not recorder.flush()
    other.close()
    assert recorder.flush()
    assert (recorder.due, recorder.trouble) == (False, "")
    assert load(engine, 1).entries == (GREETING, QUIT)
    sheet.close(CLOSED)


def test_a_locked_database_at_the_end_leaves_the_journal(engine: Engine, journal: Path, tmp_path: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.open(OPEN).close(CLOSED)
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not recorder.close()
    other.close()
    assert len(list(journal.iterdir())) == 2


def test_a_locked_database_gives_no_number(recorder: Recorder, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordingStopped, match="the database gives no number: database is locked"):
        recorder.next_id()
    other.close()
    assert recorder.next_id() == 1


def test_it_stops_where_too_much_waits(recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([QUIT] * 17)
    with pytest.raises(RecordingStopped, match="the database has not been written to for too long"):
        sheet.write([QUIT])
    recorder.flush()
    sheet.write([QUIT])
    sheet.close(CLOSED)


def test_it_stops_where_the_database_cannot_be_written(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE frames RENAME TO gone"))
    sheet.write([QUIT])
    with pytest.raises(RecordingStopped, match="the database takes nothing: no such table: frames"):
        recorder.flush()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO frames"))
    assert recorder.flush()
    assert load(engine, 1).entries == (QUIT,)
    sheet.close(CLOSED)


def test_a_full_disk_stops_it_and_tears_nothing(
    engine: Engine, recorder: Recorder, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([GREETING])
    write = os.write
    before = held(journal)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda file, octets: write(file, octets[:7]))
        with pytest.raises(RecordingStopped, match="the journal cannot be written: no space left"):
            sheet.write([QUIT])
    assert held(journal) == before

    def full(_file: int, _octets: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(RecordingStopped, match="the journal cannot be written: No space left on device"):
            sheet.write([QUIT])
        with pytest.raises(RecordingStopped):
            recorder.flush()
    sheet.write([QUIT])
    recorder.flush()
    assert load(engine, 1).entries == (GREETING, QUIT)
    sheet.close(CLOSED)


def test_a_journal_that_cannot_be_made(engine: Engine, journal: Path) -> None:
    journal.touch()
    with pytest.raises(RecordingStopped, match=f"{journal.name} cannot be written: "):
        Recorder(engine, journal)


def test_a_session_deleted_while_it_goes_on_begins_again(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([GREETING])
    recorder.flush()
    remove(engine, 1)
    sheet.write([QUIT])
    assert recorder.flush()
    assert load(engine, 1).entries == (QUIT,)
    sheet.close(CLOSED)


def test_a_session_deleted_before_its_large_frames_came_stops_nothing(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.write([GREETING._replace(octets=b"x" * LARGE)])
    sheet.close(CLOSED)
    assert recorder.flush(0)
    assert recorder.laden
    remove(engine, 1)
    assert recorder.flush()
    assert not recorder.due
    with pytest.raises(StoreError, match="there is no session 1"):
        load(engine, 1)


def test_what_is_over_stays_as_it_is(engine: Engine, recorder: Recorder) -> None:
    sheet = recorder.open(OPEN)
    sheet.close(CLOSED)
    recorder.flush()
    sheet.close(OPEN)
    recorder.flush()
    assert load(engine, 1).session == CLOSED
    sheet.close(CLOSED)


def test_numbers_begin_at_1_without_gaps(engine: Engine, recorder: Recorder) -> None:
    assert [recorder.next_id() for _ in range(40)] == list(range(1, 41))


def test_two_recorders_share_no_number(engine: Engine, recorder: Recorder, journal: Path) -> None:
    other = Recorder(engine, journal)
    numbers = [taker.next_id() for _ in range(20) for taker in (recorder, other)]
    assert len(set(numbers)) == 40
    other.close()


def test_numbers_go_on_behind_those_that_others_took_meanwhile(engine: Engine, journal: Path) -> None:
    """A session that begins later has a higher number, also where somebody else has recorded in between."""
    time = [0.0]
    with closed(Recorder(engine, journal, clock=lambda: time[0])) as recorder:
        assert [recorder.next_id(), recorder.next_id()] == [1, 2]
        with closed(Recorder(engine, journal)) as other:
            later = other.next_id()
        assert later > 2
        time[0] += 0.5
        assert recorder.next_id() == 3, "nobody looks each time"
        time[0] += 60
        assert recorder.next_id() > later
        time[0] += 60
        assert recorder.next_id() == later + 2, "nobody has taken any since"


def test_numbers_nobody_needed_are_given_back(engine: Engine, journal: Path) -> None:
    for number in (1, 2):
        recorder = Recorder(engine, journal)
        assert recorder.next_id() == number
        assert next_in(engine) == number + BLOCK
        recorder.close()
        assert next_in(engine) == number + 1


def test_numbers_are_not_given_back_where_others_took_more(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.next_id()
    assert add(engine, Recording(CLOSED)) == 1 + BLOCK
    recorder.close()
    assert next_in(engine) == 2 + BLOCK


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("secure", [False, True])
def test_frames_in_the_journal(kind: Kind, origin: Origin, side: Side, secure: bool) -> None:
    frame = Frame(side, b"\x00\xff\n", 2**40, 2**41, 2**42, kind, origin, secure)
    assert list(records(pack_live(1, ()) + pack(2**40, 7, frame)))[1:] == [(2**40, 7, frame)]


@pytest.mark.parametrize("mark", Mark)
def test_notes_in_the_journal(mark: Mark) -> None:
    note = Note(mark, "né\udcff", 5)
    assert list(records(pack_live(1, ()) + pack(1, 7, note)))[1:] == [(1, 7, note)]


def test_headers_in_the_journal() -> None:
    octets = pack_live(3, (4, 5)) + pack_header(header(CLOSED))
    assert list(records(octets)) == [Live(3, (4, 5)), header(CLOSED)]


def test_a_foreign_file_is_no_journal() -> None:
    assert list(records(b"Dear diary, " * 10)) == []


def test_where_the_journals_are(engine: Engine, journal: Path, tmp_path: Path) -> None:
    assert directory(engine, tmp_path / "state") == journal
