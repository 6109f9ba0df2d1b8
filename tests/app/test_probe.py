"""Which servers are meant by what is typed, and when all of them are well."""

from datetime import UTC, datetime

import pytest

from mailproxy.app.probe import Report, Stage, State, Step, Target, passed, targets
from mailproxy.app.routes import RouteError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("smtps://mail.example.org", ["smtps://mail.example.org:465"]),
        ("pop3+starttls://mail.example.org:1110", ["pop3+starttls://mail.example.org:1110"]),
        ("mail.example.org:465", ["smtps://mail.example.org:465"]),
        ("mail.example.org:587", ["smtp+starttls://mail.example.org:587"]),
        ("mail.example.org:25", ["smtp://mail.example.org:25"]),
        ("mail.example.org:110", ["pop3://mail.example.org:110"]),
        ("mail.example.org:995", ["pop3s://mail.example.org:995"]),
        ("mail.example.org:109", ["pop2://mail.example.org:109"]),
        ("mail.example.org:2525", ["mail.example.org:2525"]),
        ("[2001:db8::25]:25", ["smtp://[2001:db8::25]:25"]),
        ("2001:db8::25", [f"{scheme}://[2001:db8::25]:{port}" for scheme, port in (
            ("smtps", 465), ("smtp+starttls", 587), ("smtp", 25), ("pop3s", 995), ("pop3", 110))]),
    ],
)  # fmt: skip
def test_what_is_typed_means_servers(said: str, meant: list[str]) -> None:
    assert [str(each) for each in targets([said, said])] == meant


@pytest.mark.parametrize("said", ["", "mail example", "mail.example.org:0", "mail.example.org:65536", "a@b", "a/b"])
def test_what_means_none_is_refused(said: str) -> None:
    with pytest.raises(RouteError):
        targets([said])


def report(host: str, usual: bool, **states: State) -> Report:
    """A report with stages in these states."""
    stages = tuple(Stage(Step[name], name, state) for name, state in states.items())
    return Report(Target(host, 25, usual=usual), host, NOON, stages)


OPEN = {"CONNECT": State.PASSED, "STARTTLS": State.ABSENT}
SHUT = {"CONNECT": State.FAILED, "GREETING": State.UNREACHED}
BAD = {"CONNECT": State.PASSED, "TRUST": State.FAILED}


def test_one_usual_port_of_a_host_is_enough() -> None:
    assert passed((report("a", True, **OPEN), report("a", True, **SHUT)))
    assert not passed((report("a", True, **SHUT), report("a", True, **SHUT)))
    assert not passed((report("a", True, **OPEN), report("b", True, **SHUT)))


def test_whatever_answers_must_pass() -> None:
    assert not passed((report("a", True, **OPEN), report("a", True, **BAD)))
    assert not passed((report("a", True, **OPEN), report("a", False, **SHUT)))
