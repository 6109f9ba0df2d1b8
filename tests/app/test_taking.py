"""What is typed by hand is taken down, and a recording that stops does not end the conversation."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from mailproxy.app.by_hand import Target, Unreachable, by_hand, target
from mailproxy.app.library import recordings
from mailproxy.app.practice import practice_server
from mailproxy.app.take_out import lines
from mailproxy.app.taking import Notebook, notebook
from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import RecordingStopped


class Script:
    """A person who types these lines; `before` is called before each."""

    patient = True

    def __init__(self, *typed: str, before: Callable[[int], None] = lambda left: None) -> None:
        self.shown: list[str] = []
        self._typed = [line.encode() for line in typed]
        self._before = before

    def read(self, prompt: str) -> bytes | None:
        """The next line."""
        self._before(len(self._typed))
        return self._typed.pop(0) if self._typed else None

    def show(self, text: str) -> None:
        """Keep it."""
        self.shown += text.split("\n")

    def warn(self, text: str) -> None:
        """Keep nothing."""

    def remember(self, line: str) -> None:
        """Keep nothing."""


def talk(person: Script, database: Path, protocol: str = "pop3") -> Notebook:
    """The person's session with a practice server, taken down."""

    async def run() -> Notebook:
        async with practice_server() as servers:
            server = getattr(servers, protocol)
            where = target(server.host, server.port, protocol)
            with notebook(str(database), where) as kept, trio.fail_after(30):
                await by_hand(where, person, kept)
        return kept

    return trio.run(run)


def test_a_session_is_taken_down(database: Path) -> None:
    kept = talk(Script("USER alice", "PASS practice", "STAT", "QUIT"), database)
    [recording] = recordings(str(database), ["last"])
    assert recording.session == kept.session
    assert (kept.session.id, kept.session.user, kept.session.outcome) == (1, "alice", "ok: no message")
    assert [exchange.verb for exchange in recording.exchanges] == ["", "USER", "PASS", "STAT", "QUIT"]
    assert [line.mark + line.text for line in lines(recording, fold=True)][2:6] == [
        " -> USER alice",
        "<-  +OK And the password?",
        " -> PASS <secret: 8 characters>",
        "<-  +OK Welcome, alice: 3 messages",
    ]


def test_it_is_in_the_database_while_it_goes_on(database: Path) -> None:
    verbs: list[list[str]] = []

    def look(left: int) -> None:
        if left:
            [recording] = recordings(str(database), ["last"])
            verbs.append([exchange.verb for exchange in recording.exchanges if exchange.replies])

    talk(Script("NOOP", "QUIT", before=look), database)
    assert verbs == [[""], ["", "NOOP"]]


def test_a_session_that_did_not_come_about(database: Path) -> None:
    nobody = Target("nowhere.invalid", 25, "smtp", True)
    with notebook(str(database), nobody) as kept, pytest.raises(Unreachable):
        trio.run(by_hand, nobody, Script(), kept)
    [recording] = recordings(str(database), ["last-failed"])
    assert recording.session.outcome == "failed: no such host"
    assert recording.session.upstream == "smtp://nowhere.invalid:25"
    assert recording.session.server.ending
    assert recording.session.server.ending.how is How.NO_NAME


def test_a_recording_that_stops_does_not_end_the_conversation(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(recorder: Recorder, placed: object) -> None:
        raise RecordingStopped("the disk is full")

    def fill(left: int) -> None:
        if left == 2:
            monkeypatch.setattr(Recorder, "take_down", full)

    person = Script("NOOP", "STAT", "QUIT", before=fill)
    kept = talk(person, database)
    assert kept.trouble == "the disk is full"
    assert person.shown[-3:] == [
        "-ERR Log in first",
        "+OK example.org closes the connection",
        "Connection closed by foreign host.",
    ]
    [recording] = recordings(str(database), ["last"])
    assert [line.text for line in lines(recording, fold=True) if line.side is Side.CLIENT] == ["NOOP"]
