"""Identifiers of messages that changed since the account's last session."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mailproxy.app.diagnose import diagnosed
from mailproxy.model.session import Recording
from mailproxy.store.engine import open_database
from mailproxy.store.library import add
from tests.analysis.cases import BYE, POP, pop3, recorded

SAID = "No message has the identifier (UIDL) that it had in session 1: 3 messages will come down again."
SIZES = ["22", "33", "44"]


def session(
    names: Sequence[str],
    sizes: Sequence[str] = SIZES,
    user: str = "alice",
    deleted: str = "",
    host: str = "mail.example.org",
) -> Recording:
    """A recorded session of somebody's maildrop."""
    login = f" -> USER {user}\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  +OK"
    listed = "".join(f"<-  {n} {size}\n" for n, size in enumerate(sizes, 1))
    named = "".join(f"<-  {n} {name}\n" for n, name in enumerate(names, 1))
    asked = f" -> LIST\n<-  +OK\n{listed}<-  .\n -> UIDL\n<-  +OK\n{named}<-  ."
    gone = "\n".join(f" -> DELE {n}\n<-  +OK" for n in deleted)
    recording = recorded(pop3(POP, login, asked, gone, BYE))
    server = replace(recording.session.server, host=host)
    return replace(recording, session=replace(recording.session, server=server))


def findings(tmp_path: Path, *sessions: Recording) -> list[str]:
    """What is found of the last of these."""
    db = str(tmp_path / "mail.db")
    engine = open_database(db)
    for each in sessions:
        add(engine, each)
    engine.dispose()
    (told,) = diagnosed(db, ["last"])
    return [finding.summary for finding in told.verdict.findings if finding.rule == "uids-changed"]


def test_all_identifiers_are_new(tmp_path: Path) -> None:
    assert findings(tmp_path, session(["a", "b", "c"]), session(["x", "y", "z"])) == [SAID]


def test_between_them_are_sessions_of_others(tmp_path: Path) -> None:
    others = session(["a", "b", "c"], user="bob"), session(["p"], ["1"], host="pop.example.net")
    assert findings(tmp_path, session(["a", "b", "c"]), *others, session(["x", "y", "z"])) == [SAID]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (session(["a", "b", "c"]), session(["a", "b", "c"])),
        (session(["a", "b", "c"]), session(["c", "y", "z"])),
        (session(["a", "b", "c"], deleted="123"), session(["x", "y", "z"])),
        (session(["a", "b", "c"]), session(["x", "y", "z"], ["555", "666", "777"])),
        (session(["a", "b", "c"], user="bob"), session(["x", "y", "z"])),
        (session(["a", "b", "c"], host="pop.example.net"), session(["x", "y", "z"])),
    ],
    ids=["the same", "one stayed", "deleted", "other mail", "another user", "another server"],
)
def test_nothing_is_found(tmp_path: Path, before: Recording, now: Recording) -> None:
    assert findings(tmp_path, before, now) == []


def test_of_the_first_session_nothing_is_known(tmp_path: Path) -> None:
    assert findings(tmp_path, session(["a", "b", "c"])) == []
