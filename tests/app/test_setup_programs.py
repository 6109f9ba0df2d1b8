"""What to enter in which mail program; the real programs read the lines that are for their files."""

import configparser
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailproxy.app.setup import programs, snippets
from mailproxy.app.setup.programs import PROGRAMS, advice
from mailproxy.app.setup.server import Server
from mailproxy.app.setup.table import Entry, Ways
from mailproxy.model.tls import Security
from tests.app.setup_world import Tls, mail_server
from tests.whole import need

LOOPBACK = "127.0.0.1"
ALICE = "alice@example.org"
LIMIT = 30  # seconds


def entry(protocol: str, security: Security, port: int) -> Entry:
    host = f"{protocol}.example.org"
    return Entry(Server(protocol, host, 1, Security.TLS, "DNS", ALICE), LOOPBACK, port, security)


def both(security: Security) -> tuple[Entry, Entry]:
    return entry("smtp", security, 2465), entry("pop3", security, 2995)


def ways(security: Security) -> Ways:
    return Ways((entry("smtp", Security.NONE, 2525), entry("pop3", Security.NONE, 2110)), both(security))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, its name with a blank."""
    folder = tmp_path / "a home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


def run(*command: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOME": str(home), "FETCHMAILHOME": str(home)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, env=environment, check=False, input="secret\n"
    )


def private(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_every_program_is_told_the_ports_that_concern_it(name: str, security: Security) -> None:
    said = advice(name, ways(security))
    only = {"msmtp": {"2525", "2465"}, "mpop": {"2110", "2995"}, "fetchmail": {"2110", "2995"}}
    only["getmail"] = only["mpop"]
    wanted = only.get(name, {"2525", "2110", "2465", "2995"})
    if security is Security.STARTTLS and name in ("getmail", "outlook"):
        wanted = wanted - {"2995"}  # they have no STARTTLS for POP3, and say so
        assert "no STARTTLS" in "\n".join(said.faithful)
    assert wanted == set(re.findall(r"\b2\d\d\d\b", "\n".join((*said.simple, *said.faithful))))
    assert re.search("once", said.faithful[0], re.IGNORECASE) or name == "k9"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_server_without_security_has_one_way(name: str) -> None:
    said = advice(name, Ways(ways(Security.TLS).simple))
    assert said.simple
    assert said.faithful == ()


def test_a_menu_reads_as_in_thunderbird() -> None:
    assert advice("thunderbird", ways(Security.TLS)).simple == (
        "Account Settings > Outgoing Server (SMTP) > smtp.example.org > Edit",
        "  Server Name: 127.0.0.1   Port: 2525",
        "  Connection security: None",
        "  Authentication method: Password, transmitted insecurely",
        "Account Settings > the account > Server Settings",
        "  Server Name: 127.0.0.1   Port: 2110",
        "  Connection security: None",
        "  Authentication method: Password, transmitted insecurely",
        "Thunderbird keeps passwords by server, so it asks for yours once more.",
    )


def test_a_muttrc() -> None:
    assert snippets.mutt(both(Security.TLS))[:-1] == [
        'set smtp_url = "smtps://alice%40example.org@127.0.0.1:2465"',
        'set pop_host = "pops://alice%40example.org@127.0.0.1:2995"',
        "set ssl_starttls = yes",
        "set ssl_force_tls = yes",
    ]


def test_a_user_name_that_is_not_known_is_to_be_filled_in() -> None:
    server = Server("pop3", "pop.example.org", 995, Security.TLS, "DNS")
    assert 'user "YOUR_USER_NAME"' in "\n".join(snippets.fetchmail([Entry(server, LOOPBACK, 2110, Security.NONE)]))


@pytest.fixture
def tls(home: Path) -> Tls:
    """What mailproxy would present, its authority in the file that the lines name."""
    made = Tls("localhost", LOOPBACK)
    snippets.authority().write_bytes(made.pem)
    return made


STARTTLS = "250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 1\r\n"


def smtp(tls: Tls, security: Security) -> Iterator[int]:
    context = tls.server if security is Security.TLS else None
    with mail_server("220 mail\r\n", {"EHLO": STARTTLS, "QUIT": "221 bye\r\n"}, context) as port:
        yield port


@pytest.mark.parametrize("security", [Security.NONE, Security.TLS])
def test_msmtp_reaches_mailproxy_with_its_lines(home: Path, tls: Tls, security: Security) -> None:
    program = need.program("msmtp")
    for port in smtp(tls, security):
        lines = snippets.msmtp([entry("smtp", security, port)])
        file = private(home / "msmtprc", lines)
        ran = run(program, "-C", file, "-a", "mailproxy", "--serverinfo", home=home)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "SIZE 1" in ran.stdout or "AUTH" in ran.stdout
        pretended = run(program, "-C", file, "-a", "mailproxy", "--pretend", "x@example.org", home=home)
        shown = dict(line.partition("=")[::2] for line in map(str.strip, pretended.stdout.splitlines()))
        assert (shown["host "], shown["port "]) == (f" {LOOPBACK}", f" {port}")
        assert (shown["user "], shown["from "]) == (f" {ALICE}", f" {ALICE}")


@pytest.mark.parametrize("security", list(Security))
def test_mpop_understands_its_lines(home: Path, security: Security) -> None:
    lines = [*snippets.mpop(both(security)), "delivery mbox /dev/null"]
    ran = run(need.program("mpop"), "-C", private(home / "mpoprc", lines), "--pretend", "mailproxy", home=home)
    assert (ran.returncode, ran.stderr) == (0, "")
    said = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in ran.stdout.splitlines())}
    assert (said["host"], said["port"], said["user"]) == (LOOPBACK, "2995", ALICE)
    assert said["tls"] == ("off" if security is Security.NONE else "on")
    assert said["tls_starttls"] == ("off" if security is Security.TLS else "on")
    if security is not Security.NONE:
        assert said["tls_trust_file"] == str(snippets.authority())


@pytest.mark.parametrize("security", list(Security))
def test_fetchmail_understands_its_lines(home: Path, security: Security) -> None:
    file = private(home / "fetchmailrc", snippets.fetchmail(both(security)))
    ran = run(need.program("fetchmail"), "-f", file, "--configdump", home=home)
    assert ran.returncode == 0, ran.stderr
    assert '"service":"2995"' in ran.stdout
    assert f'"remote":"{ALICE}"' in ran.stdout
    assert ("'ssl':TRUE" in ran.stdout) == (security is Security.TLS)


@pytest.mark.parametrize("security", [Security.NONE, Security.TLS])
def test_fetchmail_logs_in_through_its_lines(home: Path, tls: Tls, security: Security) -> None:
    program = need.program("fetchmail")
    replies = {
        "CAPA": "+OK\r\nUSER\r\n.\r\n",
        "USER": "+OK\r\n",
        "PASS": "+OK\r\n",
        "STAT": "+OK 0 0\r\n",
        "LAST": "-ERR no\r\n",
        "UIDL": "+OK\r\n.\r\n",
        "QUIT": "+OK\r\n",
    }
    context = tls.server if security is Security.TLS else None
    with mail_server("+OK hello\r\n", replies, context) as port:
        lines = snippets.fetchmail([entry("pop3", security, port)])
        lines.append('  password "secret"')
        file, lock = private(home / "fetchmailrc", lines), str(home / "fetchmail.pid")
        ran = run(program, "--nodetach", "-f", file, "--pidfile", lock, "--check", home=home)
    assert ran.returncode == 1, ran.stdout + ran.stderr  # 1: no mail is there


def test_a_getmailrc_is_an_ini_file(home: Path) -> None:
    ini = configparser.ConfigParser()
    ini.read_string("\n".join(snippets.getmail(both(Security.TLS))))
    assert dict(ini["retriever"]) == {
        "type": "SimplePOP3SSLRetriever",
        "server": LOOPBACK,
        "port": "2995",
        "username": ALICE,
        "ca_certs": str(snippets.authority()),
    }


def test_the_authority_is_where_the_first_line_puts_it(home: Path) -> None:
    first = programs.advice("msmtp", ways(Security.TLS)).faithful[0]
    assert first == f"# once: mailproxy ca export --format pem '{home}/mailproxy-ca.pem'"
