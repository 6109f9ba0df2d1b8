"""`mailproxy point` and `unpoint`."""

from pathlib import Path
from typing import Any

import pytest

from tests.app.thunderbird_profile import PREFS
from tests.app.thunderbird_profile import profile as made
from tests.cli.command import Mailproxy, Ran

ROUTES = """
[[route]]
upstream = "pop3s://pop.example.org:995"

[[route]]
upstream = "smtp+starttls://smtp.example.org:587"
listen = 2525
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile with accounts."""
    return made(tmp_path / "profile")


@pytest.fixture
def run(mailproxy: Mailproxy, profile: Path) -> Mailproxy:
    """Run a command on the profile."""
    return lambda *words: mailproxy(*words, "--profile", str(profile))


def test_point_and_back(run: Mailproxy, profile: Path) -> None:
    assert run("point", "thunderbird") == Ran(
        0,
        f"""\
{profile}:
  network.proxy.type              (not set)  ->  1
  network.proxy.socks             (not set)  ->  "127.0.0.1"
  network.proxy.socks_port        (not set)  ->  1080
  network.proxy.socks_version     (not set)  ->  5
  network.proxy.socks_remote_dns  (not set)  ->  true
Start `mailproxy record --socks 1080`, then Thunderbird.
To put all back: mailproxy unpoint thunderbird --profile {profile}
""".encode(),
        "",
    )
    assert run("unpoint").lines == [
        f"{profile}:",
        '  network.proxy.socks             "127.0.0.1"  ->  (not set)',
        "  network.proxy.socks_port        1080         ->  (not set)",
        "  network.proxy.socks_remote_dns  true         ->  (not set)",
        "  network.proxy.socks_version     5            ->  (not set)",
        "  network.proxy.type              1            ->  (not set)",
        "prefs.js is octet for octet what it was.",
    ]
    assert (profile / "prefs.js").read_bytes() == PREFS


def test_in_the_place_of_servers(run: Mailproxy, tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(ROUTES)
    ran = run("point", "thunderbird", "--how", "servers", "--config", str(tmp_path / "routes.toml"))
    assert ran.code == 0
    rows = [" ".join(line.split()) for line in ran.lines]
    assert 'mail.server.server1.hostname "pop.example.org" -> "127.0.0.1"' in rows
    assert "mail.server.server1.port 995 -> 2110" in rows
    assert rows[-2] == "Start `mailproxy record`, then Thunderbird."
    assert ran.err.splitlines() == [
        "mailproxy: pop3://pop.example.net:110, smtp://smtp.example.net:465: no route in mailproxy.toml, left alone",
        "mailproxy: Thunderbird keeps passwords by the name of the server: it asks for them anew for 127.0.0.1",
    ]


def test_the_settings_file_here_is_read(run: Mailproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("point", "thunderbird", "--how", "servers").failure.startswith(
        "Invalid value for --config: mailproxy.toml"
    )
    (tmp_path / "mailproxy.toml").write_text(ROUTES)
    said = run("point", "thunderbird", "--how", "servers", "--security", "same", "--json").json
    assert said["how"] == "servers"
    names = [each["name"] for each in said["changed"]]
    assert "mail.smtpserver.smtp1.port" in names
    assert "mail.smtpserver.smtp1.try_ssl" not in names


def test_for_programs(run: Mailproxy, profile: Path) -> None:
    changed: list[dict[str, Any]] = [
        {"name": "network.proxy.type", "old": None, "new": 1},
        {"name": "network.proxy.socks", "old": None, "new": "127.0.0.1"},
        {"name": "network.proxy.socks_port", "old": None, "new": 9999},
        {"name": "network.proxy.socks_version", "old": None, "new": 5},
        {"name": "network.proxy.socks_remote_dns", "old": None, "new": True},
    ]
    pointed = {"version": 1, "profile": str(profile), "how": "socks", "warnings": [], "changed": changed}
    assert run("point", "thunderbird", "--port", "9999", "--dry-run", "--json").json == {**pointed, "dry_run": True}
    assert (profile / "prefs.js").read_bytes() == PREFS
    assert run("point", "thunderbird", "--port", "9999", "--json").json == {**pointed, "dry_run": False}
    back = run("unpoint", "thunderbird", "--json").json
    assert back["whole"] is True
    assert back["left"] == []
    assert {each["name"]: each["old"] for each in back["changed"]} == {each["name"]: each["new"] for each in changed}


def test_dry_run(run: Mailproxy, profile: Path) -> None:
    ran = run("point", "thunderbird", "--dry-run")
    assert ran.lines[0] == f"{profile} would change:"
    assert ran.lines[-1] == "Nothing is changed."
    run("point", "thunderbird")
    pointed = (profile / "prefs.js").read_bytes()
    assert run("unpoint", "--dry-run").lines[-1] == "Nothing is changed."
    assert (profile / "prefs.js").read_bytes() == pointed


def test_thunderbird_has_written_since(run: Mailproxy, profile: Path) -> None:
    run("point", "thunderbird")
    with (profile / "prefs.js").open("ab") as file:
        file.write(b'user_pref("network.test", "\\x1b[31m");\n')
    assert 'network.test                    "\\x1b[31m"' in run("unpoint", "--dry-run", "--force-backup").lines[-2]
    assert run("unpoint").lines[-1] == (
        "Thunderbird has written prefs.js since: what was changed is put back, all else is as it is now."
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["point"], 2, "Missing argument"),
        (["point", "mutt"], 2, "'mutt' is not"),
        (["point", "thunderbird", "--how", "servers", "--port", "1080"], 2, "--port is for --how socks"),
        (["point", "thunderbird", "--security", "none"], 2, "--security and --config are for --how servers"),
        (["point", "thunderbird", "--port", "0"], 2, "for '--port'"),
        (["unpoint"], 1, "{0} does not point at mailproxy: there is nothing to put back"),
    ],
)
def test_what_cannot_be_done(run: Mailproxy, profile: Path, words: list[str], code: int, told: str) -> None:
    ran = run(*words)
    assert ran.code == code
    assert told.format(profile) in ran.failure


def test_no_profile(mailproxy: Mailproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    ran = mailproxy("point", "thunderbird")
    assert ran.failure == "no Thunderbird profile here: open Thunderbird once, or give its directory with --profile"
    assert ran.code == 1
