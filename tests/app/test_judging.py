"""What is remembered of a session for its verdict, and what comes of one that nobody can judge."""

import pytest

from mailproxy.app import judging
from mailproxy.app.judging import MOST, Remembered, judge
from mailproxy.model.octets import Entry, Frame, Kind, Side
from tests.analysis.cases import CASES, SENT, recorded


def frames(kind: Kind, length: int, number: int) -> list[Entry]:
    """So many frames of the server, one behind the other."""
    moves = 0 if kind is Kind.TELNET else length
    return [Frame(Side.SERVER, b"x" * length, 0, at * moves, length, kind) for at in range(number)]


def kept(*entries: Entry) -> tuple[Entry, ...]:
    remembered = Remembered()
    remembered.heard(entries)
    return remembered.recording(recorded(SENT).session).entries


@pytest.mark.parametrize("kind", [Kind.SPEECH, Kind.CONTENT])
def test_a_session_that_says_much_takes_little_room(kind: Kind) -> None:
    entries = kept(*frames(kind, 100_000, 50))
    assert sum(len(entry.octets) for entry in entries if isinstance(entry, Frame)) <= MOST
    assert [entry.end for entry in entries if isinstance(entry, Frame)][-1] == 5_000_000


def test_a_telnet_command_moves_nothing() -> None:
    before, after = frames(Kind.SPEECH, 10, 2)
    assert kept(before, *frames(Kind.TELNET, 3, 1), after) == (before, after)


def test_positions_stay_where_they_were() -> None:
    recording = recorded(SENT)
    remembered = Remembered()
    remembered.heard(recording.entries)
    entries = remembered.recording(recording.session).entries
    assert [each.end for each in entries if isinstance(each, Frame)] == [
        each.end for each in recording.entries if isinstance(each, Frame)
    ]


def test_a_rule_that_fails_costs_the_verdict_and_not_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(recording: object) -> None:
        raise IndexError

    recording = recorded(CASES["null-sender"].bad)
    monkeypatch.setattr(judging, "diagnose", broken)
    outcome, failed = judge(recording)
    assert (outcome.startswith("failed: MAIL: 550"), failed) == (True, True)
