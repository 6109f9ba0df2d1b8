"""The lines for mail programs, tried by the real programs through the real proxy, its certificates verified."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mailproxy.app.setup import snippets
from mailproxy.app.setup.server import Server
from mailproxy.app.setup.table import Entry
from mailproxy.model.tls import Security
from mailproxy.net.authority import Authority, Form
from tests.app.setup_world import Tls, mail_server
from tests.whole import need
from tests.whole.proxy import Proxy, said

ALICE = "alice@example.org"
LIMIT = 30  # seconds
POP3 = {
    "CAPA": "+OK\r\nUSER\r\n.\r\n",
    "USER": "+OK\r\n",
    "PASS": "+OK\r\n",
    "STAT": "+OK 0 0\r\n",
    "LAST": "-ERR no\r\n",
    "UIDL": "+OK\r\n.\r\n",
    "QUIT": "+OK\r\n",
}
SMTP = {"EHLO": "250-mail.example.org\r\n250 AUTH PLAIN\r\n", "QUIT": "221 bye\r\n"}
WAYS = ("", "s", "+starttls")


class House(NamedTuple):
    """A proxy before servers under TLS, and the home of a user who trusts it."""

    proxy: Proxy
    home: Path
    entries: dict[tuple[str, Security], Entry]

    def run(self, file: str, lines: list[str], *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program with these lines in its file."""
        path = self.home / file
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(0o600)
        ran = subprocess.run(
            [need.program(command[0]), *(str(path) if word == file else word for word in command[1:])],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            env=os.environ | {"FETCHMAILHOME": str(self.home)},
        )
        print(ran.stdout, ran.stderr)
        return ran


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The proxy listens in each of the ways that `setup` writes."""
    monkeypatch.setenv("HOME", str(tmp_path))
    tls = Tls("localhost")
    (tmp_path / "roots.pem").write_bytes(tls.pem)
    with (
        mail_server("+OK hello\r\n", POP3, tls.server) as pop3,
        mail_server("220 mail\r\n", SMTP, tls.server) as smtp,
    ):
        servers = {"pop3": pop3, "smtp": smtp}
        ways = {
            (protocol, security): f"{protocol}{way}://127.0.0.1:0={protocol}s://localhost:{port}"
            for protocol, port in servers.items()
            for way, security in zip(WAYS, (Security.NONE, Security.TLS, Security.STARTTLS), strict=True)
        }
        with Proxy(tmp_path / "proxy", "--trust", str(tmp_path / "roots.pem"), *ways.values()) as proxy:
            snippets.authority().write_bytes(Authority(tmp_path / "proxy" / "ca").export(Form.PEM))
            entries = {
                way: Entry(Server(way[0], "localhost", servers[way[0]], Security.TLS, "here", ALICE), *address, way[1])
                for way, address in zip(ways, proxy.addresses, strict=True)
            }
            yield House(proxy, tmp_path, entries)
            proxy.stop()


@pytest.mark.parametrize("security", list(Security))
def test_fetchmail(house: House, security: Security) -> None:
    lines = [*snippets.fetchmail([house.entries["pop3", security]]), '  password "secret"']
    assert (
        house.run(
            "fetchmailrc", lines, "fetchmail", "--nodetach", "-f", "fetchmailrc", "--pidfile", "pid", "--check"
        ).returncode
        == 1
    )
    [session] = house.proxy.sessions()
    assert "STAT +OK" in said(session)


@pytest.mark.parametrize("security", list(Security))
def test_mpop(house: House, security: Security) -> None:
    lines = [*snippets.mpop([house.entries["pop3", security]]), "password secret", "delivery mbox /dev/null"]
    assert house.run("mpoprc", lines, "mpop", "-C", "mpoprc", "mailproxy").returncode == 0
    [session] = house.proxy.sessions()
    assert session["user"] == ALICE


@pytest.mark.parametrize("security", list(Security))
def test_msmtp(house: House, security: Security) -> None:
    lines = snippets.msmtp([house.entries["smtp", security]])
    assert house.run("msmtprc", lines, "msmtp", "-C", "msmtprc", "-a", "mailproxy", "--serverinfo").returncode == 0
    [session] = house.proxy.sessions()
    assert "EHLO localhost 250" in said(session)
