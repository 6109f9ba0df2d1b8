"""What is wrong with a server's certificate: the client fails as it does without the proxy, and the record says why."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from .certificate import FAULTS, Certificates
from .client import Ran
from .dovecot import PASSWORD
from .loopback import HOST, Address
from .messages import received
from .proxy import Proxy, Session, notes
from .servers import CLIENTS, NAME, Servers, named, url
from .test_secrets import forms
from .tls_server import TlsServer
from .way import Layer, Way

# What clients print, by what it means. GnuTLS takes a self-signed certificate for one of an unknown issuer.
MEANINGS: Final = {
    "expired": r"certificate has expired|expired certificate",
    "wrong_name": r"[Mm]ismatch|does not match|no alternative certificate subject name|SSL: certificate subject name",
    "self_signed": r"self-signed certificate",
    "unknown_issuer": r"unable to get local issuer certificate|issuer is unknown|Missing trust anchor",
    "unspecific": r"certificate verify failed",
}
REASONS: Final = {
    "expired": "certificate has expired",
    "wrong_name": "hostname mismatch",
    "self_signed": "self-signed certificate",
    "unknown_issuer": "unknown issuer",
}


class Case(NamedTuple):
    """Which client meets which fault, after STARTTLS that passes through, or at once."""

    protocol: str
    client: str
    layer: Layer
    fault: str

    @property
    def route(self) -> tuple[str, Layer, str]:
        return self.protocol, self.layer, self.fault

    def __str__(self) -> str:
        return "-".join(self)


ROUTES: Final = [
    (protocol, layer, fault) for protocol in CLIENTS for layer in (Layer.STARTTLS, Layer.IMPLICIT) for fault in FAULTS
]
CASES: Final = [
    Case(protocol, client, layer, fault)
    for protocol, layer, fault in ROUTES
    for client in CLIENTS[protocol]
    if (client, fault) != ("swaks", "wrong_name")  # which it does not notice
]
SCRIPTED: Final = [
    Case(protocol, client, layer, fault)
    for protocol, layer, fault in ROUTES
    for client in CLIENTS[protocol]
    if client in {"smtplib", "poplib"}
]


class Came(NamedTuple):
    """What came of a case: how the client ended, which mail arrived, and what was recorded."""

    ran: Ran
    mail: list[bytes]
    session: Session


def meaning(ran: Ran) -> str:
    """What a client has to complain about."""
    text = ran.errors + ran.output.decode(errors="replace")
    return next((name for name, words in MEANINGS.items() if re.search(words, text)), text)


def routes(servers: Servers) -> list[str]:
    """A listener before each port with a faulty certificate. STARTTLS is left to client and server."""
    begins = {Layer.STARTTLS: Layer.CLEAR, Layer.IMPLICIT: Layer.IMPLICIT}
    return [
        f"{url(protocol, begins[layer], Address(HOST, 0))}"
        f"={url(protocol, begins[layer], servers.faulty(protocol, layer, fault))}"
        for protocol, layer, fault in ROUTES
    ]


def through(cases: list[Case], servers: Servers, folder: Path, *options: str) -> dict[Case, Came]:
    """Let the cases go through one proxy, one after the other, each client trusting the proxy."""
    folder.mkdir()
    mailboxes = [servers.dovecot.mailbox() for _ in cases]
    ran: list[Ran] = []
    with Proxy(folder / "proxy", *routes(servers), *options) as proxy:
        listeners = dict(zip(ROUTES, map(named, proxy.addresses), strict=True))
        for case, mailbox in zip(cases, mailboxes, strict=True):
            way = Way(case.layer, proxy.root)
            home = folder / str(case)
            ran.append(servers.go(case.protocol, case.client, listeners[case.route], way, mailbox, home))
        proxy.stop()
        assert proxy.keeps(forms(PASSWORD)) == []
        sessions = proxy.sessions()
    mail = [
        servers.arrived(case.protocol, each, mailbox) if each.status == 0 else []
        for case, each, mailbox in zip(cases, ran, mailboxes, strict=True)
    ]
    came = [Came(*each) for each in zip(ran, mail, sessions, strict=True)]
    return dict(zip(cases, came, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def mirrored(servers: Servers, certificates: Certificates, folder: Path) -> dict[Case, Came]:
    return through(CASES, servers, folder / "mirror", "--trust", str(certificates.root))


@pytest.fixture(scope="module")
def strict(servers: Servers, certificates: Certificates, folder: Path) -> dict[Case, Came]:
    return through(SCRIPTED, servers, folder / "strict", "--trust", str(certificates.root), "--verify", "strict")


@pytest.fixture(scope="module")
def unchecked(servers: Servers, certificates: Certificates, folder: Path) -> dict[Case, Came]:
    return through(SCRIPTED, servers, folder / "off", "--trust", str(certificates.root), "--verify", "off")


@pytest.fixture(scope="module")
def alerts(servers: Servers, certificates: Certificates, folder: Path) -> dict[tuple[str, str], str]:
    """Which alert each client sends about each fault, told by a server that it calls itself."""
    found = {}
    for case in CASES:
        if case.layer is Layer.IMPLICIT:
            with TlsServer(certificates.faulty[case.fault]) as server:
                at, way, mailbox = named(server.address), Way(case.layer, certificates.root), servers.dovecot.mailbox()
                servers.go(case.protocol, case.client, at, way, mailbox, folder / "alerts" / str(case))
                found[case.client, case.fault] = server.alert()
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_client_fails_as_it_does_without_the_proxy(
    case: Case, servers: Servers, certificates: Certificates, mirrored: dict[Case, Came], tmp_path: Path
) -> None:
    at, way = servers.faulty(*case.route), Way(case.layer, certificates.root)
    direct = servers.go(case.protocol, case.client, at, way, servers.dovecot.mailbox(), tmp_path / "home")
    ran = mirrored[case].ran
    assert direct.status != 0
    assert (ran.status, meaning(ran)) == (direct.status, meaning(direct))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_record_says_what_is_wrong_with_the_certificate(case: Case, mirrored: dict[Case, Came]) -> None:
    assert f"=== the server's certificate is not trusted: {REASONS[case.fault]}" in notes(mirrored[case].session)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_record_says_what_the_client_says_about_it(
    case: Case, mirrored: dict[Case, Came], alerts: dict[tuple[str, str], str]
) -> None:
    """Some say nothing: they hang up when the handshake is done, without QUIT."""
    session = mirrored[case].session
    if alert := alerts[case.client, case.fault]:
        assert f"*** TLS failed with the client: alert {alert} from the client" in notes(session)
        assert session["failed"]
    else:
        assert not [note for note in notes(session) if "TLS failed" in note]
        assert session["client"]["ending"]["by"] == "client"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_session_has_failed_when_the_client_hangs_up_over_it(case: Case, mirrored: dict[Case, Came]) -> None:
    session = mirrored[case].session
    assert session["failed"], session["outcome"]


@pytest.mark.parametrize("case", SCRIPTED, ids=str)
def test_strict_trusts_no_such_server(case: Case, strict: dict[Case, Came]) -> None:
    ran, mail, session = strict[case]
    assert ran.status != 0
    assert mail == []
    assert session["failed"]
    assert f"=== the server's certificate is not trusted: {REASONS[case.fault]}" in notes(session)
    assert len([note for note in notes(session) if note.startswith("*** TLS failed with the server: ")]) == 1


@pytest.mark.parametrize("case", SCRIPTED, ids=str)
def test_unchecked_all_goes_on(case: Case, unchecked: dict[Case, Came]) -> None:
    ran, mail, session = unchecked[case]
    ran.succeeded()
    assert mail == [received(NAME)]
    assert not session["failed"], session["outcome"]
