"""Commands that read make no database: a name that was mistyped is told, and nothing is left behind."""

from pathlib import Path

import pytest

from tests.cli.command import Mailproxy

READING = [
    ("show", "1"),
    ("show", "last-failed"),
    ("diagnose", "last"),
    ("diff", "last-failed"),
    ("diff", "1", "2"),
    ("diff", "--legs", "last"),
    ("diff", "--against-good", "last"),
    ("export", "1"),
    ("report", "last"),
    ("replay", "server", "1"),
    ("replay", "client", "1", "smtp://127.0.0.1:9"),
    ("prune", "--older-than", "1d"),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_needs_a_session_says_that_there_is_no_database(
    mailproxy: Mailproxy, tmp_path: Path, words: tuple[str, ...]
) -> None:
    where = tmp_path / "mistyped" / "mail.sqlite"
    ran = mailproxy(*words, "--db", str(where))
    assert ran.code in {1, 2}
    assert ran.failure == f"there is no database {where}: nothing was recorded in it yet"
    assert not where.parent.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(("sessions",), "No session."), (("lookup", "5.7.8"), "No recorded session has it.")],
    ids=["sessions", "lookup"],
)
def test_what_lists_sessions_lists_none(
    mailproxy: Mailproxy, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    where = tmp_path / "mistyped" / "mail.sqlite"
    ran = mailproxy(*words, "--db", str(where))
    assert (ran.code, ran.lines[-1]) == (0, said)
    assert not where.parent.exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "1"), 1, "there is no session 1"),
        (("diff", "last-failed"), 2, "there is no failed session yet"),
        (("export", "last"), 1, "there is no session yet"),
    ],
    ids=["show", "diff", "export"],
)
def test_where_nobody_names_one_nothing_is_recorded_yet(
    mailproxy: Mailproxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    where = tmp_path / "new" / "mail.sqlite"
    monkeypatch.setenv("MAILPROXY_DB", str(where))
    ran = mailproxy(*words)
    assert (ran.code, ran.failure) == (code, said)
    assert not where.parent.exists()
