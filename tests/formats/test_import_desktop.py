"""What Claws Mail and Sylpheed log on this machine, of sessions that the proxy records."""

import os
import shutil

import pytest

from mailproxy.formats import record_json
from mailproxy.model.session import Recording
from tests.formats.desktop import DESKTOPS, Account, transfer
from tests.formats.imports import asked, imported, notes, recognised
from tests.formats.test_import_real import ALICE, BOB, PASSWORD, Came, servers
from tests.whole.need import missing, program


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Came]:
    """Every program that is there, run once, one after the other."""
    program("Xvfb")
    logs: dict[str, str] = {}
    with servers(tmp_path_factory.mktemp("servers")) as there:
        for name, desktop in DESKTOPS.items():
            if os.environ.get("CI") or shutil.which(name):
                account = Account(ALICE, PASSWORD, there.smtp, there.pop3)
                logs[name] = transfer(desktop, tmp_path_factory.mktemp(name), account, BOB)
        there.proxy.stop()
        numbers = [str(session["id"]) for session in there.proxy.sessions()]
        sessions = record_json.read(there.proxy.run("export", *numbers, "--format", "json").decode())
    assert len(sessions) == 2 * len(logs)
    return {name: Came(log, [sessions.pop(0), sessions.pop(0)]) for name, log in logs.items()}


def came_of(came: dict[str, Came], name: str) -> Came:
    if name not in came:
        missing(f"{name} is not installed")
    return came[name]


def by_protocol(recordings: list[Recording]) -> dict[str, Recording]:
    return {each.session.protocol: each for each in recordings}


@pytest.mark.parametrize("name", DESKTOPS)
@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_what_was_heard_is_what_the_proxy_recorded(came: dict[str, Came], name: str, protocol: str) -> None:
    log, recorded = came_of(came, name)
    found, meant = by_protocol(imported(log))[protocol], by_protocol(recorded)[protocol]
    assert asked(found.exchanges) == asked(meant.exchanges)
    assert found.session.outcome == meant.session.outcome
    assert found.session.user == meant.session.user == ALICE


@pytest.mark.parametrize("name", DESKTOPS)
def test_the_log_is_known_and_every_line_of_it_understood(came: dict[str, Came], name: str) -> None:
    log, _ = came_of(came, name)
    assert recognised(log) == "claws"
    assert not [note for each in imported(log) for note in notes(each) if "not understood" in note]
