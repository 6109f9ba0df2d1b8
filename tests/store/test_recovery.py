"""What a killed process left is brought in: nothing that a peer was handed is missing."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Mark, Note, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.store.engine import open_database
from mailproxy.store.library import load, remove
from mailproxy.store.recorder import Recorder
from mailproxy.store.records import Live, pack_header, pack_live, records
from mailproxy.store.recovery import recover
from mailproxy.store.rows import header
from mailproxy.store.search import Query, find
from mailproxy.store.trouble import StoreError

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
GREETING = Frame(Side.SERVER, b"220 hello\r\n", 3, 0, 11)
NOOP = Frame(Side.CLIENT, b"NOOP\r\n", 5, 0, 6)
FACT = Note(Mark.FACT, "connected", 1)


def killed(at: int) -> Note:
    return Note(Mark.TROUBLE, "the proxy was killed", at)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "mail.db", patience=0)
    yield opened
    opened.dispose()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "mail.db.journal.d"


def opening(number: int) -> Session:
    return Session(number, "smtp", NOON, client=Leg(Side.CLIENT, "192.0.2.7", connected=0))


def closing(number: int) -> Session:
    ended = Leg(Side.CLIENT, "192.0.2.7", connected=0, ending=Ending(Side.CLIENT, How.CLOSED, 9))
    return Session(number, "smtp", NOON, client=ended, duration=9, outcome="ok")


def reread(protocol: str, entries: Sequence[Entry]) -> list[Exchange]:
    """Each frame of the client is a command."""
    spoken = [entry for entry in entries if isinstance(entry, Frame) and entry.side is Side.CLIENT]
    return [
        Exchange(number, protocol.upper(), frame.octets.decode().strip(), Span(Side.CLIENT, 0, 6), frame.at)
        for number, frame in enumerate(spoken)
    ]


def judge(recording: Recording) -> tuple[str, bool]:
    return f"failed: {len(recording.exchanges)} exchanges", True


def bring_in(engine: Engine, journal: Path) -> list[int]:
    return recover(engine, journal, reread=reread, judge=judge)


def die(recorder: Recorder) -> None:
    """The files stay, and the system gives the lock back: all that a killed process leaves."""
    recorder._journal.close(keep=True)


def test_an_open_session_is_ended(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(recorder.next_id()))
    sheet.write([FACT, GREETING])
    sheet.write([NOOP])
    die(recorder)
    assert bring_in(engine, journal) == [1]
    recording = load(engine, 1)
    assert recording.entries == (FACT, GREETING, NOOP, killed(5))
    assert [exchange.argument for exchange in recording.exchanges] == ["NOOP"]
    session = recording.session
    assert (session.duration, session.outcome, session.failed) == (5, "failed: 1 exchanges", True)
    assert session.client.ending == Ending(None, How.CUT, 5)
    assert session.server.ending is None
    assert list(journal.iterdir()) == []


def test_what_was_flushed_is_ended_too(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    sheet.write([GREETING])
    recorder.flush()
    die(recorder)
    assert bring_in(engine, journal) == [1]
    assert load(engine, 1).entries == (GREETING, killed(3))


def test_flushed_and_unflushed_come_together(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    for frame in (GREETING, NOOP, GREETING):
        sheet.write([frame])
        recorder.flush()
    sheet.write([NOOP])
    die(recorder)
    bring_in(engine, journal)
    assert load(engine, 1).entries == (GREETING, NOOP, GREETING, NOOP, killed(5))


def test_a_session_that_was_over_is_not_ended_again(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    sheet.write([NOOP])
    sheet.close(closing(1))
    die(recorder)
    assert bring_in(engine, journal) == [1]
    recording = load(engine, 1)
    assert recording.session == closing(1)
    assert recording.entries == (NOOP,)
    assert len(recording.exchanges) == 1


def test_both_files_count_where_the_database_was_locked(engine: Engine, journal: Path, tmp_path: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    sheet.write([GREETING])
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not recorder.flush()
    sheet.write([NOOP])
    sheet.close(closing(1))
    die(recorder)
    assert bring_in(engine, journal) == []
    assert len(list(journal.iterdir())) == 2
    other.close()
    assert bring_in(engine, journal) == [1]
    assert load(engine, 1).session == closing(1)
    assert load(engine, 1).entries == (GREETING, NOOP)


def test_recovering_twice_changes_nothing(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.open(opening(1)).write([NOOP])
    die(recorder)
    files = {path: path.read_bytes() for path in journal.iterdir()}
    bring_in(engine, journal)
    once = load(engine, 1)
    for path, octets in files.items():  # it was killed itself, before it deleted them
        path.write_bytes(octets)
    assert bring_in(engine, journal) == [1]
    assert load(engine, 1) == once


def test_the_living_are_left_alone(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    assert bring_in(engine, journal) == []
    sheet.close(closing(1))
    assert recorder.close()


def test_without_journals_the_database_is_not_asked(engine: Engine, journal: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE replies"))
    assert bring_in(engine, journal) == []


def test_the_deleted_stay_deleted(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    sheet = recorder.open(opening(1))
    recorder.flush()
    sheet.write([NOOP])
    remove(engine, 1)
    die(recorder)
    assert bring_in(engine, journal) == []
    assert find(engine, Query()) == []


def test_numbers_of_a_lost_database_are_not_given_again(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.open(opening(30)).close(closing(30))
    die(recorder)
    bring_in(engine, journal)
    again = Recorder(engine, journal)
    assert again.next_id() == 31
    again.close()


def test_a_database_that_cannot_be_written_is_told(engine: Engine, journal: Path) -> None:
    recorder = Recorder(engine, journal)
    recorder.open(opening(1)).write([NOOP])
    die(recorder)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE replies"))
    with pytest.raises(StoreError, match=f"{journal.name} cannot be recovered: no such table: replies"):
        bring_in(engine, journal)
    assert len(list(journal.iterdir())) == 2


def test_a_journal_cut_anywhere_gives_what_was_whole(tmp_path: Path) -> None:
    spoken: list[Entry] = [FACT, GREETING, NOOP, NOOP]
    whole, ends = _written(tmp_path / "model", spoken)
    engine = open_database(tmp_path / "mail.db")
    for cut in range(len(whole) + 1):
        (path := tmp_path / "j" / "1-cut.0").parent.mkdir(exist_ok=True)
        path.write_bytes(whole[:cut])
        found = bring_in(engine, path.parent)
        kept = tuple(spoken[: sum(end <= cut for end in ends[1:])])
        assert found == ([1] if cut >= ends[0] else [])
        assert list(path.parent.iterdir()) == []
        if found:
            assert load(engine, 1).entries[:-1] == kept
            remove(engine, 1)
    engine.dispose()


def _written(where: Path, spoken: Sequence[Entry]) -> tuple[bytes, list[int]]:
    """A journal, and where the header and each entry ends in it."""
    engine = open_database(where / "mail.db")
    recorder = Recorder(engine, where / "j")
    [path] = (where / "j").glob("*.0")
    sheet = recorder.open(opening(1))
    ends = [path.stat().st_size]
    for entry in spoken:
        sheet.write([entry])
        ends.append(path.stat().st_size)
    die(recorder)
    engine.dispose()
    return path.read_bytes(), ends


RECORD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Session
from mailproxy.store.engine import open_database
from mailproxy.store.recorder import Recorder

engine = open_database(sys.argv[1])
recorder = Recorder(engine, Path(sys.argv[2]))
session = recorder.next_id()
sheet = recorder.open(Session(session, "smtp", datetime.now(UTC)))
n = 0
while True:
    sheet.write([Frame(Side.CLIENT, b"%d" % n, n, n, 1)])
    print(n, flush=True)
    n += 1
    if n % 50 == 0:
        recorder.flush()
"""


def test_a_journal_of_before_sessions_could_be_replayed_is_read() -> None:
    now = header(closing(1))
    before = now._replace(session=now.session[:-1])
    assert list(records(pack_live(1, ()) + pack_header(before))) == [Live(1, ()), now]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
@pytest.mark.parametrize("lines", [1, 49, 50, 51, 333])
def test_nothing_is_missing_after_kill_9(engine: Engine, journal: Path, tmp_path: Path, lines: int) -> None:
    command = [sys.executable, "-c", RECORD, str(tmp_path / "mail.db"), str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout is not None
        handed_on = [proxy.stdout.readline() for _ in range(lines)]
        os.kill(proxy.pid, signal.SIGKILL)
        handed_on += [line for line in proxy.stdout.readlines() if line.endswith(b"\n")]
    assert bring_in(engine, journal) == [1]
    *kept, end = load(engine, 1).entries
    said = [entry.octets for entry in kept if isinstance(entry, Frame)]
    assert said[: len(handed_on)] == [line.strip() for line in handed_on]
    assert len(handed_on) <= len(said) <= len(handed_on) + 1
    assert isinstance(end, Note)
    assert end.mark is Mark.TROUBLE
