"""Which recordings are compared, from the database and from files, and what programs are told of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailproxy.app import diff, diff_document
from mailproxy.app.library import FormatError, StoreError, read_file
from mailproxy.model.session import Recording
from mailproxy.store.engine import open_database
from mailproxy.store.library import add

CORPUS = Path(__file__).parent.parent.parent / "replay"
GOOD = str(CORPUS / "smtp-send-good.talk")
BAD = str(CORPUS / "smtp-recipient-unknown.talk")


def session(name: str, host: str = "mail.example.org", client: str = "192.0.2.7", replays: str = "") -> Recording:
    """A session of the corpus, as one recorded here between these two."""
    recording = read_file(str(CORPUS / f"{name}.talk"))[0]
    known = recording.session
    server = replace(known.server, host=host, port=587)
    client_leg = replace(known.client, address=client)
    return replace(recording, session=replace(known, server=server, client=client_leg, source="", replays=replays))


def at(recording: Recording, started: datetime) -> Recording:
    return replace(recording, session=replace(recording.session, started=started))


def database(tmp_path: Path, *sessions: Recording) -> str:
    """A database of these, from 1 on."""
    db = str(tmp_path / "mail.db")
    engine = open_database(db)
    for each in sessions:
        add(engine, each)
    engine.dispose()
    return db


def test_two_files() -> None:
    found = diff.pair("", [GOOD, BAD])
    assert found.chosen == ""
    assert found.comparison.deciding
    assert found.comparison.deciding.bad.startswith("550 5.1.1")


def test_two_numbers(tmp_path: Path) -> None:
    db = database(tmp_path, session("smtp-send-good"), session("smtp-recipient-unknown"))
    found = diff.pair(db, ["1", "last"])
    assert (found.comparison.good.session.id, found.comparison.bad.session.id) == (1, 2)
    assert found.comparison.deciding == diff.pair("", [GOOD, BAD]).comparison.deciding


def test_of_a_bad_one_alone_the_last_good_one_of_its_kind_is_found(tmp_path: Path) -> None:
    db = database(
        tmp_path,
        session("smtp-send-good"),
        session("smtp-send-good"),
        session("smtp-send-good", host="mail.example.net"),
        session("smtp-send-good", client="192.0.2.99"),
        session("smtp-send-good", replays="client of 1"),
        session("pop3-mpop-good"),
        session("smtp-relay-denied"),
        session("smtp-recipient-unknown"),
    )
    found = diff.pair(db, ["last"])
    assert found.comparison.good.session.id == 2
    assert "session 2" in found.chosen


def test_the_last_good_one_is_the_newest_whatever_its_number(tmp_path: Path) -> None:
    # Programs that record side by side take their numbers in blocks.
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    sessions = [
        at(session("smtp-recipient-unknown"), noon + timedelta(minutes=2)),
        at(session("smtp-send-good"), noon),
        at(session("smtp-send-good"), noon + timedelta(minutes=1)),
        at(session("smtp-send-good"), noon - timedelta(minutes=1)),
        at(session("smtp-send-good"), noon + timedelta(minutes=3)),
    ]
    db = database(tmp_path, *sessions)
    assert diff.pair(db, ["1"]).comparison.good.session.id == 3


def test_a_good_one_that_came_later_is_better_than_none(tmp_path: Path) -> None:
    db = database(tmp_path, session("smtp-recipient-unknown"), session("smtp-send-good"))
    assert diff.pair(db, ["1"]).comparison.good.session.id == 2


def test_against_all_good_ones(tmp_path: Path) -> None:
    db = database(
        tmp_path, session("smtp-send-good"), session("smtp-data-dots-good"), session("smtp-recipient-unknown")
    )
    found = diff.against_good(db, "last")
    assert "2 good sessions" in found.chosen
    assert found.comparison.deciding
    assert found.comparison.deciding.bad.startswith("550 5.1.1")


@pytest.mark.parametrize(
    ("names", "error", "told"),
    [
        (["1"], diff.NothingToCompare, "no other good smtp session of the same client with mail.example.org"),
        (["7"], StoreError, "there is no session 7"),
        (["1", "nothing.talk"], FormatError, "nothing.talk: "),
        (["1", str(CORPUS / "pop3-mpop-good.talk")], diff.NothingToCompare, "of smtp, the other of pop3"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    tmp_path: Path, names: list[str], error: type[Exception], told: str
) -> None:
    db = database(tmp_path, session("smtp-recipient-unknown"))
    with pytest.raises(error) as raised:
        diff.pair(db, names)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nothing_to_compare_all_good_ones_with(tmp_path: Path) -> None:
    db = database(tmp_path, session("smtp-recipient-unknown"))
    with pytest.raises(diff.NothingToCompare):
        diff.against_good(db, "1")


def test_what_programs_are_told() -> None:
    told = json.loads(diff_document.document(diff.pair("", [GOOD, BAD])))
    assert (told["version"], told["equal"]) == (1, False)
    assert told["deciding"]["verb"] == "RCPT"
    assert told["deciding"]["stage"] == "rcpt"
    assert told["deciding"] in told["differences"]
    assert told["means"]["rule"] == "unknown-recipient"
    assert {row["bad"] for row in told["rows"]} >= {0, 1, 2, 3}


def test_what_programs_are_told_of_one_session_twice() -> None:
    told = json.loads(diff_document.document(diff.pair("", [GOOD, GOOD])))
    assert (told["equal"], told["deciding"], told["differences"]) == (True, None, [])


def test_the_legs_of_a_session_that_mailproxy_secured() -> None:
    recording, found = diff.legs_of("", str(CORPUS / "smtp-starttls-by-mailproxy-good.talk"))
    told = json.loads(diff_document.legs_document(recording, found))
    assert told["acts"][0]["text"] == "mailproxy asks the server for TLS, with STARTTLS"
    assert [each["side"] for each in told["carried"]] == ["client", "server"]
