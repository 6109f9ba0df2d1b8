"""Two sessions on one maildrop at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailproxy.app.diagnose import diagnosed
from mailproxy.model.finding import Verdict
from mailproxy.model.session import Recording
from mailproxy.store.engine import open_database
from mailproxy.store.library import add
from tests.analysis.cases import BYE, ONE, POP, USER, pop3, recorded, smtp

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
REFUSED = " -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  -ERR [IN-USE] maildrop is locked"
GONE = " -> STAT\n<-  +OK 2 44\n -> RETR 2\n<-  -ERR no such message"
HELD = pop3(POP, USER, ONE, BYE)
BROKEN = pop3(POP, USER, ONE, "*** reset by the client")
EMPTIED = pop3(POP, USER, ONE, " -> DELE 1\n<-  +OK", BYE)
WAITED = pop3(POP, REFUSED, BYE)
MISSED = pop3(POP, USER, GONE, BYE)


def session(
    talk: str, since: float, until: float | None, user: str = "alice", host: str = "mail.example.org"
) -> Recording:
    """A session that lasted from so many seconds after noon to so many; None while it goes on."""
    recording = recorded(talk.replace("USER alice", f"USER {user}"))
    duration = None if until is None else int((until - since) * 1_000_000)
    server = replace(recording.session.server, host=host)
    client = replace(recording.session.client, address="192.0.2.7")
    timed = replace(
        recording.session, started=NOON + timedelta(seconds=since), duration=duration, server=server, client=client
    )
    return replace(recording, session=timed)


def verdict(tmp_path: Path, *sessions: Recording) -> Verdict:
    """The verdict on the last of these."""
    db = str(tmp_path / "mail.db")
    engine = open_database(db)
    for each in sessions:
        add(engine, each)
    engine.dispose()
    (told,) = diagnosed(db, ["last"])
    return told.verdict


def findings(told: Verdict) -> list[str]:
    return [finding.summary for finding in told.findings if finding.rule == "two-at-once"]


def clock(seconds: float) -> str:
    """So many seconds after noon, as a clock on the wall shows it."""
    return (NOON + timedelta(seconds=seconds)).astimezone().strftime("%H:%M:%S")


def test_another_session_was_open(tmp_path: Path) -> None:
    told = verdict(tmp_path, session(HELD, 0, 60), session(WAITED, 30, 31))
    assert findings(told) == [
        f"Session 1 of the same account (a program at 192.0.2.7) was open from {clock(0)} to {clock(60)}: it holds the "
        "maildrop."
    ]
    assert (told.rule, told.remedy.split(". ")[0]) == ("mailbox-in-use", "End session 1 (a program at 192.0.2.7) first")


def test_another_session_is_open_still(tmp_path: Path) -> None:
    [said] = findings(verdict(tmp_path, session(HELD, 0, None), session(WAITED, 30, 31)))
    assert said.endswith(f"was open since {clock(0)}: it holds the maildrop.")


def test_another_session_was_broken_off(tmp_path: Path) -> None:
    [said] = findings(verdict(tmp_path, session(BROKEN, 0, 60), session(WAITED, 100, 101)))
    assert f"ended without QUIT at {clock(60)}: the server may hold the maildrop for it" in said


def test_another_session_deletes_meanwhile(tmp_path: Path) -> None:
    told = verdict(tmp_path, session(EMPTIED, 0, 60), session(MISSED, 30, 90))
    [said] = findings(told)
    assert said.endswith(f"was open from {clock(0)} to {clock(60)} and deleted 1 of its messages.")
    assert told.rule == "message-gone"


def test_a_finding_has_its_proof(tmp_path: Path) -> None:
    told = verdict(tmp_path, session(HELD, 0, 60), session(WAITED, 30, 31))
    assert [len(each.evidence) for each in told.findings if each.rule == "two-at-once"] == [2]


@pytest.mark.parametrize(
    ("other", "this"),
    [
        (session(HELD, 0, 60), session(WAITED, 100, 101)),
        (session(BROKEN, 0, 60), session(WAITED, 1000, 1001)),
        (session(WAITED, 0, 60), session(WAITED, 30, 31)),
        (session(HELD, 0, 60, user="bob"), session(WAITED, 30, 31)),
        (session(HELD, 0, 60, host="pop.example.net"), session(WAITED, 30, 31)),
        (session(HELD, 0, 60), session(HELD, 30, 31)),
        (session(HELD, 0, 60), session(MISSED, 30, 90)),
        (session(smtp("<-  220 ready", " -> QUIT\n<-  221 bye"), 0, 60), session(WAITED, 30, 31)),
    ],
    ids=["it had quit", "long ago", "refused too", "another user", "another server", "not refused", "deleted nothing",
         "another protocol"],
)  # fmt: skip
def test_nothing_is_found(tmp_path: Path, other: Recording, this: Recording) -> None:
    assert findings(verdict(tmp_path, other, this)) == []
