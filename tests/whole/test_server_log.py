"""What Postfix and Dovecot log themselves stands beside what was recorded: of each session its own lines."""

import json
import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from .client import Login
from .daemon import Daemon
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS
from .messages import message
from .postfix import Postfix
from .proxy import COMMAND, LIMIT, Proxy, until
from .senders import swaks
from .servers import Servers
from .test_secrets import WRONG, forms
from .way import Layer

Finding = dict[str, Any]
LINE: Final = "server-log"
PATIENCE: Final = 20.0  # seconds


def ends(daemon: Daemon) -> int:
    """How many connections have ended, as the server logs it."""
    return sum("isconnect" in line for line in list(daemon.log))


class Logged:
    """What `diagnose` finds in a server's log about a session."""

    def __init__(self, folder: Path, number: int, *daemons: Daemon) -> None:
        logs = [folder / f"{at}.log" for at in range(len(daemons))]
        for path, daemon in zip(logs, daemons, strict=True):
            path.write_text("".join(list(daemon.log)), encoding="utf-8", errors="replace")
        options = [word for path in logs for word in ("--server-log", str(path))]
        ran = subprocess.run(
            [COMMAND, "diagnose", str(number), "--json", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
            env={**os.environ, "MAILPROXY_DB": str(folder / "record.sqlite")},
        )
        assert not any(form in ran.stdout for form in forms(WRONG) + forms(PASSWORD))
        (self.session,) = json.loads(ran.stdout)["sessions"]
        findings: list[Finding] = self.session["verdict"]["findings"]
        self.findings = [each for each in findings if each["rule"].startswith(LINE)]
        self.means = [str(each["summary"]) for each in self.findings if each["rule"] != LINE]

    def beside(self, words: str) -> str:
        """What was asked where a line that holds these words stands."""
        (found,) = [each for each in self.findings if each["rule"] == LINE and words in each["summary"]]
        return str(found["evidence"][0]["lines"][0].split("<secret")[0].strip().lstrip("-~> "))


def test_each_session_has_its_own_lines(postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    """In one second, from one address, by one process of Postfix, whose log tells no ports."""
    before = ends(postfix.daemon)
    tries = [
        (mailbox.address, Login(mailbox.name, PASSWORD, "PLAIN")),
        (mailbox.address, Login(mailbox.name, WRONG, "PLAIN")),
        (mailbox.address, Login(mailbox.name, WRONG, "LOGIN")),
        ("gone@example.org", None),
    ]
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        for number, (recipient, login) in enumerate(tries):
            (home := tmp_path / str(number)).mkdir()
            swaks(proxy.address("smtp"), recipient, message("plain"), home, login)
        proxy.stop()
    postfix.delivered(mailbox.address)
    until(lambda: ends(postfix.daemon) >= before + len(tries))
    sent, plain, login_, gone = (Logged(proxy.folder, number, postfix.daemon) for number in (1, 2, 3, 4))
    assert "The message reached the mailbox, or the next server." in sent.means
    assert sent.beside("sasl_method=PLAIN") == "MAIL FROM:<bob@example.org>"
    assert sent.beside("status=sent") == "DATA"
    assert plain.beside("SASL PLAIN authentication failed") == "AUTH PLAIN"
    assert login_.beside("SASL LOGIN authentication failed") == "AUTH LOGIN"
    assert gone.beside("NOQUEUE: reject: RCPT") == "RCPT TO:<gone@example.org>"
    assert "The server knows no such recipient." in gone.means


def test_dovecot_is_known_by_the_port(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    """Which stands in the name that it gives to a session."""
    before = ends(dovecot.daemon)
    with Proxy(tmp_path / "proxy", f"0=pop3://{dovecot.pop3}") as proxy:
        for number, password in enumerate((WRONG, PASSWORD, WRONG)):
            (home := tmp_path / str(number)).mkdir()
            mailbox.put(message("plain"))
            FETCHERS["poplib"](proxy.address("pop3"), Login(mailbox.name, password, "USER"), home)
        proxy.stop()
    until(lambda: ends(dovecot.daemon) >= before + 3)
    wrong, right, again = (Logged(proxy.folder, number, dovecot.daemon) for number in (1, 2, 3))
    for each in (wrong, again):
        assert each.beside("auth failed, 1 attempts") == "PASS"
        assert each.means == ["The server refused the login."]
    assert right.beside(" Login: user=") == "PASS"
    assert right.beside("Logged out") == "QUIT"
    lines = [each["summary"] for logged in (wrong, right, again) for each in logged.findings if each["rule"] == LINE]
    assert len(lines) == len(set(lines)) == 4


@pytest.mark.parametrize(("protocol", "asks"), [("smtp", b"EHLO client.example\r\n"), ("pop3", b"CAPA\r\n")])
def test_why_a_handshake_failed(protocol: str, asks: bytes, servers: Servers, tmp_path: Path) -> None:
    """The client speaks in clear where TLS comes first, and both wait for the other until it does."""
    daemon = (servers.postfix if protocol == "smtp" else servers.dovecot).daemon
    before = ends(daemon)
    with Proxy(tmp_path / "proxy", f"0={protocol}://{servers.at(protocol, Layer.IMPLICIT)}") as proxy:
        with socket.create_connection(proxy.address(protocol), PATIENCE) as client:
            client.sendall(asks)
            with suppress(ConnectionResetError):
                while client.recv(4096):
                    pass
        proxy.stop()
    until(lambda: ends(daemon) > before)
    logged = Logged(proxy.folder, 1, daemon)
    told = "One side spoke TLS where the other spoke in clear: port and security setting do not go together."
    assert told in logged.means
