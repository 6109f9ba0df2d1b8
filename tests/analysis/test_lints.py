"""Lints point out what is odd, and change no verdict."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.analysis.lints import LINTS
from mailproxy.analysis.view import View
from mailproxy.model.session import Recording
from tests.analysis.cases import BARE, BYE, POP, QUIT, USER, pop3, recorded, smtp
from tests.analysis.oddities import ODDITIES, UPGRADED
from tests.tls import FACTS, LEAF

BY_FACTS = {"certificate-expires", "certificate-by-inspector"}


def found(recording: Recording, name: str) -> list[str]:
    return [finding.summary for finding in diagnose(recording).findings if finding.rule == name]


def test_each_lint_has_its_sessions() -> None:
    assert sorted([*ODDITIES, *BY_FACTS]) == sorted(lint.name for lint in LINTS)


@pytest.mark.parametrize("name", ODDITIES)
def test_a_lint_finds(name: str) -> None:
    assert found(recorded(ODDITIES[name].odd), name) == [ODDITIES[name].says]


@pytest.mark.parametrize("name", ODDITIES)
def test_a_lint_keeps_silent(name: str) -> None:
    assert found(recorded(ODDITIES[name].plain), name) == []


@pytest.mark.parametrize("name", ODDITIES)
def test_a_finding_has_its_proof(name: str) -> None:
    proofs = [finding.evidence for finding in diagnose(recorded(ODDITIES[name].odd)).findings if finding.rule == name]
    assert all(proofs)


@pytest.mark.parametrize(
    ("days", "says"), [(15, []), (10, ["within 10 days"]), (1, ["within 1 day"]), (0.5, ["within a day"])]
)
def test_a_certificate_that_runs_out(days: float, says: list[str]) -> None:
    recording = recorded(UPGRADED)
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    facts = replace(FACTS, chain=(replace(LEAF, not_after=now + timedelta(days=days)),))
    session = replace(recording.session, started=now, server=replace(recording.session.server, tls=facts))
    told = [f"The server's certificate runs out {when}." for when in says]
    assert found(replace(recording, session=session), "certificate-expires") == told


@pytest.mark.parametrize(
    ("issuer", "says"),
    [
        ("CN=Avast Web/Mail Shield Root,O=Avast,OU=generated for self-signed certificates", ["Avast"]),
        ("CN=Kaspersky Anti-Virus Personal Root Certificate", ["Kaspersky"]),
        ("CN=R11,O=Let's Encrypt,C=US", []),
        ("CN=Presetting Authority", []),
    ],
)
def test_a_certificate_that_is_signed_anew(issuer: str, says: list[str]) -> None:
    recording = recorded(UPGRADED)
    facts = replace(FACTS, chain=(replace(LEAF, issuer=issuer),))
    session = replace(recording.session, server=replace(recording.session.server, tls=facts))
    told = found(replace(recording, session=session), "certificate-by-inspector")
    assert [who for who in ("Avast", "Kaspersky") for each in told if f"signed by {who}:" in each] == says
    assert len(told) == len(says)


def test_an_octet_count_that_differs() -> None:
    """LIST with as many messages as STAT, and other sizes."""
    talk = ODDITIES["count-differs"].plain.replace("2 44", "2 45")
    assert found(recorded(talk), "count-differs") == ["STAT tells of 45 octets, and the sizes of LIST make 44."]


@pytest.mark.parametrize("name", ["count-differs", "size-differs"])
@pytest.mark.parametrize("gap", ["...\n", "<-  1 740\n... two more\n"])
def test_nothing_is_counted_beside_a_gap(name: str, gap: str) -> None:
    listing = f" -> STAT\n<-  +OK 3 86884\n -> LIST\n<-  +OK\n{gap}<-  ."
    message = " -> RETR 1\n<-  +OK 740 octets\n<-  Subject: Hello\n<-\n... the rest of it\n<-  ."
    assert found(recorded(pop3(POP, USER, listing, message, BYE)), name) == []


def test_what_was_not_kept_is_not_judged() -> None:
    talk = smtp(BARE, " -> MAIL FROM:<a@example.org>\n<-  250 ok\n -> RCPT TO:<b@example.org>\n<-  250 ok",
                " -> DATA\n<-  354 go on\n -> (message, 3 lines, 60 octets)\n<-  250 ok", QUIT)  # fmt: skip
    names = {finding.rule for finding in diagnose(recorded(talk)).findings}
    assert not names & {"missing-header", "bare-line-end", "size-exceeded"}


@pytest.mark.parametrize("name", ODDITIES)
def test_no_lint_looks_twice(name: str) -> None:
    """A lint says one sentence for a kind of oddity, however often it is there."""
    view = View(recorded(ODDITIES[name].odd))
    for lint in LINTS:
        sentences = [each.summary for each in lint.look(view)]
        assert len(sentences) == len(set(sentences))
