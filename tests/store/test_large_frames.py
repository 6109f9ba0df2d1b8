"""Large frames wait in the journal, and lose nothing by it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Session
from mailproxy.store.engine import open_database
from mailproxy.store.library import load
from mailproxy.store.recorder import LARGE, STEP, Recorder
from mailproxy.store.trouble import RecordingStopped

SIZE = 3 * LARGE


def content(number: int) -> Frame:
    return Frame(Side.CLIENT, bytes([number]) * SIZE, number, number * SIZE, SIZE, Kind.CONTENT)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path / "mail.db")


def test_they_are_written_in_steps_between_what_was_said_around_them(engine: Engine, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path / "j")
    session = Session(recorder.next_id(), "smtp", datetime.now(UTC))
    sheet = recorder.open(session)
    said: list[Entry] = [Note(Mark.FACT, "connected", 0), *map(content, range(2 * STEP // SIZE)), Note(Mark.GAP, "", 9)]
    sheet.write(said[:3])
    for entry in said[3:]:
        sheet.write([entry])
    sheet.close(replace(session, duration=9))
    steps = 0
    while recorder.due:
        assert recorder.flush(1)
        assert recorder.laden is recorder.due
        steps += 1
    assert steps == 2
    found = load(engine, session.id)
    assert found.entries == tuple(said)
    recorder.close()
    with engine.connect() as connection:
        counted = connection.exec_driver_sql("SELECT client_octets FROM sessions").scalar()
    assert counted == sum(entry.wire for entry in said if isinstance(entry, Frame))
    engine.dispose()


def test_what_comes_while_they_are_written_goes_into_the_other_file(engine: Engine, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path / "j")
    session = Session(recorder.next_id(), "smtp", datetime.now(UTC))
    sheet = recorder.open(session)
    many = 2 * STEP // SIZE
    sheet.write([*map(content, range(many))])
    assert recorder.flush(1)
    sheet.write([content(many)])
    sheet.write([Note(Mark.FACT, "later", 1)])
    recorder.close()
    assert len(load(engine, session.id).entries) == many + 2
    engine.dispose()


def test_a_journal_that_lost_them_is_told(engine: Engine, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path / "j")
    sheet = recorder.open(Session(recorder.next_id(), "smtp", datetime.now(UTC)))
    sheet.write([content(0)])
    for path in (tmp_path / "j").iterdir():
        with path.open("r+b") as file:
            file.truncate(0)
    with pytest.raises(RecordingStopped, match="cut short"):
        recorder.flush()
    engine.dispose()


def test_they_bring_the_recorder_to_its_bound(engine: Engine, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path / "j", bound_journal=2 * SIZE)
    sheet = recorder.open(Session(recorder.next_id(), "smtp", datetime.now(UTC)))
    sheet.write([content(0)])
    assert not recorder.full
    sheet.write([content(1)])
    assert recorder.full
    recorder.close()
    assert not recorder.due
    engine.dispose()
