"""Recordings go into the database and come back as they were."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Engine, text

from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.store.engine import open_database
from mailproxy.store.library import add, load, remove, resolve
from mailproxy.store.prune import Pruned, prune, size
from mailproxy.store.search import Query, find
from mailproxy.store.trouble import StoreError
from tests.tls import facts

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

# What octets decode to with surrogateescape: the text that a reader can come to.
texts = some.binary(max_size=20).map(lambda octets: octets.decode("utf-8", "surrogateescape")) | some.text(
    some.characters(exclude_categories=["Cs"]), max_size=20
)
times = some.integers(0, 10**12)
positions = some.integers(0, 2**40)
spans = some.builds(Span, some.sampled_from(Side), positions, positions)
frames = some.builds(
    Frame,
    some.sampled_from(Side),
    some.binary(max_size=50),
    times,
    positions,
    positions,
    some.sampled_from(Kind),
    some.sampled_from(Origin),
    some.booleans(),
)
notes = some.builds(Note, some.sampled_from(Mark), texts, times)
replies = some.builds(
    Reply, texts, texts, texts, some.builds(Span, some.just(Side.SERVER), positions, positions), times
)
exchanges = some.builds(
    Exchange,
    number=some.just(0),
    verb=texts,
    argument=texts,
    command=some.none() | some.builds(Span, some.just(Side.CLIENT), positions, positions),
    at=times,
    replies=some.lists(replies, max_size=3).map(tuple),
    content=some.none() | some.builds(Content, spans, some.booleans(), some.none() | positions),
    extra=some.lists(spans, max_size=3).map(tuple),
    flags=some.frozensets(some.sampled_from(Flag)),
)
endings = some.none() | some.builds(Ending, some.none() | some.sampled_from(Side), some.sampled_from(How), times)


def legs(side: Side) -> some.SearchStrategy[Leg]:
    ports = some.integers(0, 65535)
    secure = some.none() | facts(texts)
    return some.builds(Leg, some.just(side), texts, texts, ports, texts, ports, some.none() | times, endings, secure)


sessions = some.builds(
    Session,
    id=some.just(1),
    protocol=texts,
    started=some.datetimes(timezones=some.just(UTC)),
    upstream=texts,
    client=legs(Side.CLIENT),
    server=legs(Side.SERVER),
    duration=some.none() | times,
    source=texts,
    replays=texts,
    user=texts,
    outcome=texts,
    failed=some.booleans(),
)
recordings = some.builds(
    Recording,
    sessions,
    some.lists(frames | notes, max_size=6).map(tuple),
    some.lists(exchanges, max_size=4).map(lambda all: tuple(each._replace(number=n) for n, each in enumerate(all))),
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "mail.db")
    yield opened
    opened.dispose()


def said(line: bytes, side: Side = Side.CLIENT, at: int = 0) -> Frame:
    return Frame(side, line, at, 0, len(line))


def recording(
    *lines: bytes, code: str = "250", failed: bool = False, days: int = 0, server: str = "mail.example.org"
) -> Recording:
    session = Session(
        0,
        "smtp",
        NOON + timedelta(days=days),
        client=Leg(Side.CLIENT, address="192.0.2.7"),
        server=Leg(Side.SERVER, host=server),
        duration=1_500_000,
        failed=failed,
    )
    answer = Reply(code, "5.1.1" if code == "550" else "", "No Such User\nhere", Span(Side.SERVER, 0, 9), 7)
    exchange = Exchange(0, "RCPT", "TO:<bob@example.org>", Span(Side.CLIENT, 0, 5), 5, (answer,))
    return Recording(session, tuple(map(said, lines)), (exchange,))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(recordings)
def test_what_was_recorded_comes_back(engine: Engine, recording: Recording) -> None:
    number = add(engine, recording)
    again = load(engine, number)
    assert again.entries == recording.entries
    assert again.exchanges == recording.exchanges
    assert again.session == replace(recording.session, id=number)


def test_a_person_can_read_the_tables(engine: Engine) -> None:
    ended = recording(b"EHLO a\r\n", code="550")
    ending = Ending(Side.CLIENT, How.CLOSED, 1_500_000)
    add(
        engine,
        Recording(
            replace(ended.session, client=Leg(Side.CLIENT, "h", ending=ending)),
            ended.entries,
            ended.exchanges,
        ),
    )
    with engine.begin() as connection:
        asked = (
            "SELECT started_at, seconds, client, server, ending, exchanges, client_octets, server_octets FROM sessions"
        )
        assert tuple(connection.execute(text(asked)).one()) == (
            "2026-01-31T12:00:00.000000Z",
            1.5,
            "h",
            "mail.example.org",
            "closed by the client",
            1,
            8,
            0,
        )
        asked = "SELECT verb, argument, code, enhanced, text, latency FROM exchanges"
        assert tuple(connection.execute(text(asked)).one()) == (
            "RCPT",
            "TO:<bob@example.org>",
            "550",
            "5.1.1",
            "No Such User\nhere",
            2,
        )


def test_numbers_begin_at_1_and_go_up(engine: Engine) -> None:
    assert [add(engine, recording()) for _ in range(3)] == [1, 2, 3]
    remove(engine, 3)
    assert add(engine, recording()) == 4


def test_names_of_sessions(engine: Engine) -> None:
    for failed in (True, False, True, False):
        add(engine, recording(failed=failed))
    names = "2", "last", "last~0", "last~3", "last-failed", "last-failed~1"
    assert [resolve(engine, name) for name in names] == [2, 4, 4, 1, 3, 1]


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("5", "there is no session 5"),
        ("9" * 40, "there is no session 999999999999999999"),
        ("last~1", "there is only 1 session"),
        ("last-failed", "there is no failed session yet"),
        ("yesterday", "yesterday names no session: a number, last, last~1, last-failed or last-failed~1 does"),
        ("last~-1", "last~-1 names no session: a number, last, last~1, last-failed or last-failed~1 does"),
        ("²", "² names no session: a number, last, last~1, last-failed or last-failed~1 does"),
    ],
)
def test_names_of_no_session(engine: Engine, name: str, trouble: str) -> None:
    add(engine, recording())
    with pytest.raises(StoreError) as caught:
        resolve(engine, name)
    assert str(caught.value) == trouble


def test_no_session_yet(engine: Engine) -> None:
    with pytest.raises(StoreError, match="there is no session yet"):
        resolve(engine, "last")


def test_what_is_not_there_cannot_be_loaded_or_removed(engine: Engine) -> None:
    with pytest.raises(StoreError, match="there is no session 1"):
        load(engine, 1)
    with pytest.raises(StoreError, match="there is no session 1"):
        remove(engine, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [4, 3, 2, 1]),
        (Query(limit=2), [4, 3]),
        (Query(failed=True), [2]),
        (Query(failed=False, limit=1), [4]),
        (Query(protocol="smtp"), [4, 3, 2, 1]),
        (Query(protocol="pop3"), []),
        (Query(client="192.0.2"), [4, 3, 2, 1]),
        (Query(server="OTHER"), [3]),
        (Query(server="%"), []),
        (Query(since=NOON + timedelta(days=1)), [4, 3, 2]),
        (Query(code="5"), [2]),
        (Query(code="550"), [2]),
        (Query(code="5.1"), [2]),
        (Query(code="50"), []),
        (Query(text="such user"), [4, 3, 2, 1]),
        (Query(text="BOB@example"), [4, 3, 2, 1]),
        (Query(text="xclient"), [1]),
        (Query(text="back\\slash"), [4]),
        (Query(text="b_ck"), []),
        (Query(text="xclient", failed=True), []),
    ],
)
def test_finding(engine: Engine, query: Query, found: list[int]) -> None:
    add(engine, recording(b"XCLIENT NAME=a\r\n"))
    add(engine, recording(failed=True, code="550", days=1))
    add(engine, recording(server="other.example.org", days=2))
    add(engine, recording(b"\x00\xff back\\slash\r\n", days=3))
    assert [session.id for session in find(engine, query)] == found


def test_what_is_found_is_what_was_recorded(engine: Engine) -> None:
    add(engine, recording(failed=True))
    assert find(engine, Query()) == [load(engine, 1).session]


def test_removing_takes_everything(engine: Engine) -> None:
    add(engine, recording(b"NOOP\r\n"))
    remove(engine, 1)
    with engine.begin() as connection:
        left = [
            connection.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("sessions", "legs", "frames", "notes", "exchanges", "replies")
        ]
    assert left == [0] * 6


def test_pruning_by_age(engine: Engine) -> None:
    for days in (3, 1, 2):
        add(engine, recording(days=days))
    pruned = prune(engine, timedelta(days=1), now=NOON + timedelta(days=3, hours=1))
    assert pruned.sessions == 2
    assert [session.id for session in find(engine, Query())] == [1]


def test_pruning_by_size_gives_the_space_back(engine: Engine, tmp_path: Path) -> None:
    for _ in range(40):
        add(engine, recording(b"x" * 50_000))
    pruned = prune(engine, max_size=1_000_000)
    left = [session.id for session in find(engine, Query())]
    assert left == list(range(40, 40 - len(left), -1))
    assert 15 <= len(left) <= 20
    assert pruned == (40 - len(left), pruned.freed)
    assert pruned.freed > 900_000
    assert (tmp_path / "mail.db").stat().st_size == size(engine) <= 1_000_000


def test_pruning_by_size_takes_no_more_than_it_must(engine: Engine) -> None:
    add(engine, recording(*[b"NOOP\r\n"] * 20_000))  # small in what was said, large in rows
    for _ in range(400):
        add(engine, recording(b"NOOP\r\n"))
    assert prune(engine, max_size=size(engine) - 500_000).sessions == 1
    assert resolve(engine, "last~399") == 2


def test_pruning_spares_what_goes_on(engine: Engine) -> None:
    going_on = Session(0, "smtp", NOON)
    add(engine, Recording(going_on, (said(b"x" * 100_000),)))
    assert prune(engine, timedelta(0), 0, now=NOON + timedelta(days=9)) == Pruned(0, 0)
    assert resolve(engine, "last") == 1
