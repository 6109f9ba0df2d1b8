"""What Thunderbird prints today, on this machine, of sessions that the proxy records."""

from typing import Final

import pytest

from mailproxy.formats import record_json
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording
from tests.formats.imports import asked, imported, recognised, speech
from tests.formats.test_import_real import ALICE, PASSWORD, servers
from tests.whole.need import program
from tests.whole.thunderbird import Preference, Thunderbird

LOGGED: Final[dict[str, Preference]] = {
    "mailnews.smtp.loglevel": "All",
    "mailnews.pop3.loglevel": "All",
    "browser.dom.window.dump.enabled": True,
    "devtools.console.stdout.chrome": True,
}


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Recording]]:
    """What it printed, and what the proxy recorded."""
    program("thunderbird")
    home = tmp_path_factory.mktemp("thunderbird")
    with servers(tmp_path_factory.mktemp("servers")) as there:
        with Thunderbird(home, preferences=LOGGED) as thunderbird:
            thunderbird.account(there.smtp, there.pop3, ALICE, PASSWORD, ALICE)
            thunderbird.send(ALICE, "hello", "Hello Alice,\n\n.how are you?\n").succeeded()
            thunderbird.fetch().succeeded()
        there.proxy.stop()
        numbers = [str(session["id"]) for session in there.proxy.sessions()]
        sessions = record_json.read(there.proxy.run("export", *numbers, "--format", "json").decode())
    return (home / "errors").read_text(errors="surrogateescape"), sessions


def by_protocol(recordings: list[Recording]) -> dict[str, Recording]:
    return {each.session.protocol: each for each in recordings}


def test_it_is_known_among_all_else_that_is_printed(came: tuple[str, list[Recording]]) -> None:
    assert recognised(came[0]) == "thunderbird"


@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_what_was_heard_is_what_the_proxy_recorded(came: tuple[str, list[Recording]], protocol: str) -> None:
    text, recorded = came
    found, meant = by_protocol(imported(text))[protocol], by_protocol(recorded)[protocol]
    assert asked(found.exchanges) == asked(meant.exchanges)
    assert found.session.outcome == meant.session.outcome
    assert found.session.user == meant.session.user


def test_the_message_is_counted(came: tuple[str, list[Recording]]) -> None:
    text, recorded = came
    lengths = [
        [each.content.span.length for each in of.exchanges if each.content and each.verb in {"DATA", "RETR"}]
        for source in (imported(text), recorded)
        for _, of in sorted(by_protocol(source).items())
    ]
    assert lengths[:2] == lengths[2:]


def test_octets_that_are_no_ascii_are_the_same(came: tuple[str, list[Recording]]) -> None:
    text, recorded = came
    heard = [speech(by_protocol(each)["pop3"], Side.SERVER) for each in (imported(text), recorded)]
    assert "Grüße".encode() in heard[0]
    assert heard[0] == heard[1]
