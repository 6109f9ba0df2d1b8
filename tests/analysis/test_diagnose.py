"""Each rule and each text of servers decides the session that it is for, and leaves its neighbour alone."""

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.analysis.rules import RULES
from mailproxy.analysis.texts import TEXTS
from mailproxy.model.finding import Outcome
from tests.analysis.cases import CASES, FETCHED, HELLO, LOGGED_IN, SENT, recorded, smtp
from tests.analysis.refusals import PLACES, REFUSALS

SUMMARIES = {row.name: row.summary for row in TEXTS}


def test_each_rule_has_its_sessions() -> None:
    assert sorted(CASES) == sorted(rule.name for rule in RULES)


def test_each_text_has_its_refusals() -> None:
    assert sorted(REFUSALS) == sorted(SUMMARIES)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_decides(name: str) -> None:
    verdict = diagnose(recorded(CASES[name].bad))
    assert verdict.rule == name
    assert verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    assert verdict.evidence
    assert verdict.remedy


@pytest.mark.parametrize("name", CASES)
def test_a_rule_leaves_alone(name: str) -> None:
    assert diagnose(recorded(CASES[name].good)).rule != name


@pytest.mark.parametrize("name", REFUSALS)
def test_a_text_explains(name: str) -> None:
    """By itself, or through a rule that looked it up."""
    refusal = REFUSALS[name]
    assert diagnose(recorded(PLACES[refusal.where](refusal.bad))).summary == SUMMARIES[name]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_text_leaves_alone(name: str) -> None:
    refusal = REFUSALS[name]
    verdict = diagnose(recorded(PLACES[refusal.where](refusal.good)))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary != SUMMARIES[name]


@pytest.mark.parametrize(("talk", "said"), [(SENT, "1 message was sent."), (FETCHED, "1 message was fetched.")])
def test_what_went_well(talk: str, said: str) -> None:
    verdict = diagnose(recorded(talk))
    assert (verdict.outcome, verdict.rule, verdict.summary) == (Outcome.OK, "ok", said)


def test_the_first_cause_counts() -> None:
    """Not the last line: what comes behind the refused login follows from it."""
    refused = " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required"
    login = LOGGED_IN.replace("235 2.7.0 welcome", "535 5.7.8 authentication failed")
    verdict = diagnose(recorded(smtp(HELLO, login, refused)))
    assert (verdict.stage, verdict.rule) == ("auth", "bad-credentials")


def test_what_mailproxy_cut_is_unfinished() -> None:
    verdict = diagnose(recorded(smtp(HELLO, LOGGED_IN, "*** cut off: mailproxy was stopped")))
    assert (verdict.outcome, verdict.stage) == (Outcome.UNFINISHED, "none")
