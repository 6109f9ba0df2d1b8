"""TLS that a server offered in another session, and not in this one."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailproxy.app.diagnose import diagnosed
from mailproxy.model.session import Recording
from mailproxy.store.engine import open_database
from mailproxy.store.library import add
from tests.analysis.cases import BARE, BYE, CAPA, HELLO, POP, QUIT, pop3, recorded, smtp

SAID = "The server offers no {} here, and did in session 1: something on the way may take it out."


def session(talk: str, host: str = "mail.example.org", port: int = 587) -> Recording:
    """A recorded session with a server."""
    recording = recorded(talk)
    server = replace(recording.session.server, host=host, port=port)
    return replace(recording, session=replace(recording.session, server=server))


def findings(tmp_path: Path, *sessions: Recording) -> list[str]:
    """What is found of the last of these."""
    db = str(tmp_path / "mail.db")
    engine = open_database(db)
    for each in sessions:
        add(engine, each)
    engine.dispose()
    (told,) = diagnosed(db, ["last"])
    return [finding.summary for finding in told.verdict.findings if finding.rule == "offer-missing"]


OFFERED = session(smtp(HELLO, QUIT))
MISSING = session(smtp(BARE, QUIT))


def test_it_was_offered_before(tmp_path: Path) -> None:
    assert findings(tmp_path, OFFERED, MISSING) == [SAID.format("STARTTLS")]


def test_so_it_is_in_pop3(tmp_path: Path) -> None:
    listing = CAPA.removeprefix(POP).strip("\n")
    offered = session(pop3(POP, listing.replace("<-  .", "<-  STLS\n<-  ."), BYE))
    missing = session(pop3(POP, "\n".join(line for line in listing.splitlines() if "STLS" not in line), BYE))
    assert findings(tmp_path, offered, missing) == [SAID.format("STLS")]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (MISSING, MISSING),
        (OFFERED, OFFERED),
        (MISSING, OFFERED),
        (session(smtp(HELLO, QUIT), host="mail.example.net"), MISSING),
        (session(smtp(HELLO, QUIT), port=25), MISSING),
    ],
)
def test_nothing_is_missing(tmp_path: Path, before: Recording, now: Recording) -> None:
    assert findings(tmp_path, before, now) == []
