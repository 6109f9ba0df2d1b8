"""`mailproxy setup`, as a user runs it, in a small world on loopback."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailproxy.app import settings
from mailproxy.app.setup import lookup
from mailproxy.app.setup.lookup import World
from mailproxy.app.thunderbird import profiles
from tests.app.setup_world import dns_server, resolver
from tests.cli.command import Mailproxy

RECORDS = {
    "_submissions._tcp.example.org": ["0 1 465 smtp.example.org."],
    "_pop3s._tcp.example.org": ["0 1 995 pop.example.org."],
    "_imaps._tcp.example.net": ["0 1 993 imap.example.net."],
    "_submission._tcp.example.net": ["0 1 587 smtp.example.net."],
}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A domain with SRV records, nothing else to ask, no Thunderbird, and an empty directory to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(profiles, "own_roots", lambda: (tmp_path / "thunderbird",))
    with ExitStack() as stack:
        port = stack.enter_context(dns_server(RECORDS))
        monkeypatch.setattr(lookup, "REAL", World(lambda: resolver(port), (), lambda domain, wanted: []))
        yield


def thunderbird(folder: Path, name: str = "default") -> Path:
    """A profile that fetches and sends."""
    profile = folder / "thunderbird" / name
    profile.mkdir(parents=True)
    with (profile.parent / "profiles.ini").open("a") as ini:
        ini.write(f"[Profile{name}]\nName={name}\nIsRelative=1\nPath={name}\n")
    (profile / "prefs.js").write_text(
        'user_pref("mail.accountmanager.accounts", "account1");\n'
        'user_pref("mail.account.account1.server", "server1");\n'
        'user_pref("mail.account.account1.identities", "id1");\n'
        'user_pref("mail.identity.id1.useremail", "alice@example.org");\n'
        'user_pref("mail.server.server1.type", "pop3");\n'
        'user_pref("mail.server.server1.hostname", "pop.example.org");\n'
        'user_pref("mail.server.server1.port", 110);\n'
        'user_pref("mail.server.server1.userName", "a17");\n'
        'user_pref("mail.smtpservers", "smtp1");\n'
        'user_pref("mail.smtpserver.smtp1.hostname", "127.0.0.1");\n'
        'user_pref("mail.smtpserver.smtp1.port", 2525);\n'
    )
    return profile


def test_an_account_is_set_up(mailproxy: Mailproxy) -> None:
    ran = mailproxy("setup", "alice@example.org")
    assert ran.code == 0
    assert ran.err == "... asking DNS for the SRV records of example.org\n"
    for line in (
        "  * smtps://smtp.example.org:465  SRV record _submissions._tcp.example.org",
        "Written to mailproxy.toml. Start it with:",
        "  mailproxy record",
        "  outgoing  server 127.0.0.1  port 2525  connection security: none",
        "            instead of smtp.example.org, port 465, SSL/TLS",
        "  incoming  server 127.0.0.1  port 2995  connection security: SSL/TLS",
        "mutt, without security, lines for its muttrc:",
        "K-9 Mail and Thunderbird for Android, with the same security as before:",
    ):
        assert line in ran.lines
    listens = [(route.upstream, route.listen_port) for route in settings.read(settings.FILE).routes]
    assert listens == [
        ("smtps://smtp.example.org:465", 2525),
        ("smtps://smtp.example.org:465", 2465),
        ("pop3s://pop.example.org:995", 2110),
        ("pop3s://pop.example.org:995", 2995),
    ]


def test_a_second_time_nothing_changes(mailproxy: Mailproxy) -> None:
    mailproxy("setup", "alice@example.org")
    before = settings.FILE.read_bytes()
    ran = mailproxy("setup", "alice@example.org")
    assert "mailproxy.toml has these routes already. Start it with:" in ran.lines
    assert settings.FILE.read_bytes() == before


def test_a_dry_run_writes_nothing(mailproxy: Mailproxy) -> None:
    ran = mailproxy("setup", "alice@example.org", "--dry-run")
    assert "mailproxy.toml would have, at its end:" in ran.lines
    assert '  listen = "smtps://127.0.0.1:2465"' in ran.lines
    assert not settings.FILE.exists()


def test_another_file(mailproxy: Mailproxy, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("# mine\npublic = false\n")
    ran = mailproxy("setup", "alice@example.org", "--config", str(other))
    assert f"  mailproxy record --config {other}" in ran.lines
    assert other.read_text().startswith("# mine\npublic = false\n\n# SMTP, ")
    assert not settings.FILE.exists()


def test_one_program_only(mailproxy: Mailproxy) -> None:
    ran = mailproxy("setup", "alice@example.org", "--for", "mutt")
    assert ran.lines[:6] == [
        "mutt, without security, lines for its muttrc:",
        "",
        '  set smtp_url = "smtp://alice%40example.org@127.0.0.1:2525"',
        '  set pop_host = "pop://alice%40example.org@127.0.0.1:2110"',
        "  set ssl_starttls = no",
        "  set ssl_force_tls = no",
    ]


def test_json(mailproxy: Mailproxy) -> None:
    said = mailproxy("setup", "alice@example.org", "--json", "--for", "msmtp").json
    assert [(each["host"], each["security"], each["chosen"]) for each in said["found"]] == [
        ("smtp.example.org", "tls", True),
        ("pop.example.org", "tls", True),
    ]
    assert (said["config"], said["written"], said["notes"]) == ("mailproxy.toml", True, [])
    assert [each["listen"] for each in said["routes"]] == [
        "2525",
        "smtps://127.0.0.1:2465",
        "2110",
        "pop3s://127.0.0.1:2995",
    ]
    assert said["enter"]["simple"][0] == {
        "instead_of": "smtps://smtp.example.org:465",
        "host": "127.0.0.1",
        "port": 2525,
        "security": "none",
        "user": "alice@example.org",
    }
    assert list(said["programs"]) == ["msmtp"]
    assert "port 2465" in said["programs"]["msmtp"]["faithful"]


def test_a_domain_with_imap_only(mailproxy: Mailproxy) -> None:
    ran = mailproxy("setup", "bob@example.net")
    assert ran.code == 0
    assert "  mail to bob@example.net is fetched by IMAP only: mailproxy records POP3" in ran.lines
    assert [route["upstream"] for route in tomllib.loads(settings.FILE.read_text())["route"]] == [
        "smtp+starttls://smtp.example.net:587"
    ] * 2


def test_a_domain_with_nothing(mailproxy: Mailproxy) -> None:
    ran = mailproxy("setup", "carol@example.com")
    assert ran.code == 1
    assert "  no server was found to fetch mail to carol@example.com from" in ran.lines
    assert "mailproxy: nothing is set up: name a server yourself, as in mailproxy record smtp://" in ran.err
    assert not settings.FILE.exists()


def test_the_only_thunderbird_profile_is_taken(mailproxy: Mailproxy, tmp_path: Path) -> None:
    profile = thunderbird(tmp_path)
    ran = mailproxy("setup")
    assert ran.err == f"... reading {profile}\n"
    assert f"  mailproxy point thunderbird --how servers --profile {profile}" in ran.lines
    assert f"  mailproxy point thunderbird --profile {profile}\n  mailproxy record --socks 1080\n" in ran.out
    assert "Thunderbird, without security:" in ran.lines
    assert not [line for line in ran.lines if "mutt" in line]
    assert [route.upstream for route in settings.read(settings.FILE).routes] == [
        "smtp://127.0.0.1:2525",
        "pop3://pop.example.org:110",
    ]


@pytest.mark.parametrize("words", [["default"], ["thunderbird/default"], ["alice@example.org"], []])
def test_a_profile_by_name_path_or_account(mailproxy: Mailproxy, tmp_path: Path, words: list[str]) -> None:
    thunderbird(tmp_path)
    if words:
        thunderbird(tmp_path, "other")
        (tmp_path / "thunderbird/installs.ini").write_text("[A]\nDefault=default\n")
    said = mailproxy("setup", "--thunderbird", *words, "--json").json
    assert [(each["host"], each["user"]) for each in said["found"]] == [("127.0.0.1", ""), ("pop.example.org", "a17")]


def test_a_profile_that_points_at_mailproxy_already(mailproxy: Mailproxy, tmp_path: Path) -> None:
    thunderbird(tmp_path)
    settings.FILE.write_text('[[route]]\nupstream = "smtp://smtp.example.org:587"\nlisten = "2525"\n')
    ran = mailproxy("setup", "--thunderbird")
    assert "  smtp://127.0.0.1:2525 is mailproxy itself: first put the old server back" in ran.lines
    assert len(settings.read(settings.FILE).routes) == 2


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "whose servers? write mailproxy setup alice@example.org, or --thunderbird PROFILE"),
        (["alice"], 2, "'alice' is no e-mail address: write alice@example.org"),
        (["alice@example.org", "--for", "pine"], 2, "--for"),
        (["--thunderbird"], 1, "no Thunderbird profile here"),
        (["--thunderbird", "nowhere"], 1, "no profile 'nowhere'"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(mailproxy: Mailproxy, words: list[str], code: int, told: str) -> None:
    ran = mailproxy("setup", *words)
    assert ran.code == code
    assert told in ran.failure


@pytest.mark.parametrize(
    ("text", "told"),
    [("route = [", "mailproxy.toml: "), ("route = []", "[[route]] table"), ("nonsense = 1", "is not understood")],
)
def test_a_file_that_is_broken_stays(mailproxy: Mailproxy, text: str, told: str) -> None:
    settings.FILE.write_text(text)
    ran = mailproxy("setup", "alice@example.org")
    assert ran.code == 1
    assert told in ran.err.splitlines()[-1]
    assert settings.FILE.read_text() == text


def test_the_command_is_quick_to_load() -> None:
    heavy = "import sys, mailproxy.cli.setup; print([m for m in ('trio', 'dns', 'ssl') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
