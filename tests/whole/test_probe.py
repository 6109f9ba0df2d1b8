"""`mailproxy probe` before real servers: what works is ticked, what does not is named, and nothing else is recorded."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from .certificate import FAULTS, Certificates
from .dovecot import PASSWORD, Mailbox
from .loopback import Address
from .proxy import COMMAND, LIMIT
from .servers import Servers, named, url
from .test_secrets import forms
from .tls_server import TlsServer
from .way import Layer

BLOCK: Final = ["tls", "chain", "trust"]
LADDERS: Final = {
    Layer.IMPLICIT: ["name", "connect", *BLOCK, "greeting", "hello", "auth", "login", "quit"],
    Layer.STARTTLS: [
        "name",
        "connect",
        "greeting",
        "hello",
        "starttls",
        *BLOCK,
        "hello-again",
        "auth",
        "login",
        "quit",
    ],
}
REASONS: Final = {
    "expired": "certificate has expired",
    "wrong_name": "hostname mismatch",
    "self_signed": "self-signed certificate",
    "unknown_issuer": "unknown issuer",
}
CASES: Final = [(protocol, layer) for protocol in ("smtp", "pop3") for layer in LADDERS]


class Probed(NamedTuple):
    """What came of one server: the exit code, the report and where the recording is."""

    code: int
    server: dict[str, Any]
    folder: Path

    def states(self, state: str) -> list[str]:
        """The stages that ended so."""
        return [stage["stage"] for stage in self.server["stages"] if stage["state"] == state]

    def told(self, step: str) -> str:
        """What was told of a stage, and of what to try."""
        [stage] = [stage for stage in self.server["stages"] if stage["stage"] == step]
        return f"{stage['text']}; {stage['hint']}" if stage["hint"] else str(stage["text"])

    def shown(self) -> list[str]:
        """The recording as a transcript."""
        return run(self.folder, "show", "last").stdout.decode().splitlines()

    def keeps(self, password: str) -> bool:
        """Whether any file holds the password, in any form."""
        files = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        return any(form in octets for form in forms(password) for octets in files)


def run(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[bytes]:
    """A command that uses a database of this test."""
    return subprocess.run(
        [COMMAND, *words],
        input=typed.encode(),
        capture_output=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "MAILPROXY_DB": str(folder / "record.sqlite"), "MAILPROXY_CA": str(folder / "ca")},
    )


def probe(folder: Path, *words: str, password: str = "") -> Probed:
    """Ask one server; the password comes from standard input."""
    login = ["--password-file", "-"] if password else []
    ran = run(folder, "probe", *words, *login, "--json", typed=password)
    assert ran.stdout, ran.stderr.decode()
    assert password == "" or not any(form in ran.stdout + ran.stderr for form in forms(password))
    [server] = json.loads(ran.stdout)["servers"]
    return Probed(ran.returncode, server, folder)


@pytest.mark.parametrize(("protocol", "layer"), CASES)
def test_a_good_server_passes_all_stages(
    protocol: str, layer: Layer, servers: Servers, certificates: Certificates, mailbox: Mailbox, tmp_path: Path
) -> None:
    at = url(protocol, layer, servers.at(protocol, layer))
    trust = ("--trust", str(certificates.root))
    found = probe(tmp_path, at, *trust, "--user", mailbox.name, password=PASSWORD)
    assert (found.code, found.states("passed")) == (0, LADDERS[layer])
    assert found.server["upstream"] == at
    assert found.server["tls"]["version"] == "TLSv1.3"
    assert "mail.example.org" in found.server["tls"]["chain"][0]["names"]
    assert len(found.server["tls"]["chain"]) == len(found.server["days_left"]) == 2
    assert "PLAIN" in found.server["offers_under_tls"]["mechanisms"]
    assert found.told("login").startswith({"smtp": "235 2.7.0 ", "pop3": "+OK Logged in"}[protocol])
    assert not found.keeps(PASSWORD)


def test_the_session_is_recorded(
    servers: Servers, certificates: Certificates, mailbox: Mailbox, tmp_path: Path
) -> None:
    at = servers.at("pop3", Layer.STARTTLS)
    trust = ("--trust", str(certificates.root))
    found = probe(tmp_path, url("pop3", Layer.STARTTLS, at), *trust, "--user", mailbox.name, password=PASSWORD)
    said = [line for line in found.shown() if line.startswith((" -> ", " ~> "))]
    login = f" ~> AUTH PLAIN <secret: PLAIN, user {mailbox.name}, password {len(PASSWORD)} characters>"
    assert said == [" -> CAPA", " -> STLS", " ~> CAPA", login, " ~> QUIT"]
    listed = json.loads(run(tmp_path, "sessions", "--json").stdout)["sessions"]
    assert [(each["id"], each["client"]["host"], each["failed"]) for each in listed] == [(1, "probe", False)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("protocol", "layer"), CASES)
def test_a_faulty_certificate_is_named_and_gets_no_password(
    protocol: str,
    layer: Layer,
    fault: str,
    servers: Servers,
    certificates: Certificates,
    mailbox: Mailbox,
    tmp_path: Path,
) -> None:
    at = url(protocol, layer, servers.faulty(protocol, layer, fault))
    trust = ("--trust", str(certificates.root))
    found = probe(tmp_path, at, *trust, "--user", mailbox.name, password=PASSWORD)
    assert (found.code, found.states("failed")) == (1, ["trust", "login"])
    assert found.told("trust").startswith(f"not trusted: {REASONS[fault]}")
    assert found.told("login").startswith("not tried: the server is not trusted; ")
    assert found.states("not-reached") == []
    assert not any("<secret: " in line for line in found.shown())


def test_a_password_goes_to_an_untrusted_server_where_that_is_wanted(
    servers: Servers, mailbox: Mailbox, tmp_path: Path
) -> None:
    at = url("pop3", Layer.IMPLICIT, servers.at("pop3", Layer.IMPLICIT))
    found = probe(tmp_path, at, "--insecure-login", "--user", mailbox.name, password=PASSWORD)
    assert (found.code, found.states("failed")) == (1, ["trust"])


def test_a_wrong_password_is_refused(
    servers: Servers, certificates: Certificates, mailbox: Mailbox, tmp_path: Path
) -> None:
    at = url("smtp", Layer.IMPLICIT, servers.at("smtp", Layer.IMPLICIT))
    trust = ("--trust", str(certificates.root))
    found = probe(tmp_path, at, *trust, "--user", mailbox.name, password="Falsch-19-wort")
    assert (found.code, found.states("failed"), found.states("not-reached")) == (1, ["login"], [])
    assert found.told("login").startswith("535 5.7.8 ")
    assert not found.keeps("Falsch-19-wort")


def test_an_old_server_is_reached_when_that_is_asked_for(
    servers: Servers, certificates: Certificates, tmp_path: Path
) -> None:
    at = url("smtp", Layer.IMPLICIT, named(servers.postfix.old))
    trust = ("--trust", str(certificates.root))
    refused = probe(tmp_path, at, *trust)
    assert (refused.code, refused.states("failed")) == (1, ["tls"])
    assert "--tls-min 1.0" in refused.told("tls")
    assert refused.states("not-reached") == ["chain", "trust", "greeting", "hello", "auth", "quit"]
    reached = probe(tmp_path, at, *trust, "--tls-min", "1.0")
    assert (reached.code, reached.server["tls"]["version"]) == (0, "TLSv1.1")


def test_tls_1_1_of_openssl(certificates: Certificates, tmp_path: Path) -> None:
    old = ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    with TlsServer(certificates.good, *old, says=b"-ERR [SYS/TEMP] closed today\r\n") as server:
        found = probe(tmp_path, url("pop3", Layer.IMPLICIT, named(server.address)))
    assert "too old" in found.told("tls")


def test_tls_is_tried_at_a_port_that_says_nothing(servers: Servers, certificates: Certificates, tmp_path: Path) -> None:
    at = named(servers.postfix.smtps)
    found = probe(tmp_path, str(at), "--trust", str(certificates.root), "--timeout", "2")
    assert (found.code, found.server["upstream"]) == (0, f"smtps://{at}")
    assert "=== nothing was said for 2 s: mailproxy tries TLS" in found.shown()


def test_the_greeting_tells_what_is_spoken(servers: Servers, certificates: Certificates, tmp_path: Path) -> None:
    at: Address = servers.dovecot.pop3
    found = probe(tmp_path, str(at), "--trust", str(certificates.root))
    assert (found.code, found.server["upstream"]) == (0, f"pop3+starttls://{at}")


def test_the_wrong_kind_of_tls_is_named(servers: Servers, tmp_path: Path) -> None:
    late, early = named(servers.postfix.smtp), named(servers.postfix.smtps)
    found = probe(tmp_path, f"smtps://{late}")
    assert found.told("tls") == f"it speaks in clear: this is a STARTTLS port; try smtp+starttls://{late}"
    found = probe(tmp_path, f"smtp+starttls://{early}", "--timeout", "0.5")
    assert found.told("greeting") == f"no answer within 0.5 s; it may wait for TLS: try smtps://{early}"
