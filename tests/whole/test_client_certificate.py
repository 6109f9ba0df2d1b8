"""A server that asks clients for a certificate: mailproxy shows what it is told to, or the record says what lacks."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import trustme

from .certificate import Certificates
from .loopback import HOST, Address
from .proxy import Proxy, Session, notes, said
from .servers import named, url
from .tls_server import LIMIT, TlsServer
from .way import Layer, Way

GREETING: Final = b"220 mail.example.org ESMTP\r\n"
ALERTS: Final = {"1.2": "handshake_failure", "1.3": "certificate_required"}  # RFC 8446 section 4.4.2.4


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the root that the server asks for, and a certificate under it with its key."""
    folder = tmp_path_factory.mktemp("clients")
    authority = trustme.CA(organization_name="The clients' CA")
    authority.cert_pem.write_to_path(folder / "root.pem")
    leaf = authority.issue_cert("client.example.org")
    (folder / "client.pem").write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    return folder


@pytest.fixture(params=ALERTS)
def version(request: pytest.FixtureRequest) -> str:
    """Of TLS. From 1.3 on the client is done with its handshake before the server looks at its certificate."""
    return str(request.param)


@pytest.fixture
def server(version: str, certificates: Certificates, clients: Path) -> Iterator[TlsServer]:
    """One that greets only whom it knows."""
    asks = ("-Verify", "1", "-verify_return_error", "-CAfile", str(clients / "root.pem"))
    with TlsServer(certificates.good, f"-tls{version.replace('.', '_')}", *asks, says=GREETING) as opened:
        yield opened


def call(at: Address, way: Way) -> None:
    """Wait for the greeting, say QUIT, which openssl leaves unanswered, and close_notify. Raises OSError."""
    with socket.create_connection(at, LIMIT) as sock, way.context.wrap_socket(sock, server_hostname=at.host) as tls:
        if tls.recv(len(GREETING)):
            tls.sendall(b"QUIT\r\n")
            tls.unwrap()


def through(server: TlsServer, certificates: Certificates, folder: Path, *options: str) -> Session:
    """Let a client go to the server through the proxy: the record of it."""
    route = f"{url('smtp', Layer.IMPLICIT, Address(HOST, 0))}={url('smtp', Layer.IMPLICIT, named(server.address))}"
    with Proxy(folder / "proxy", route, "--trust", str(certificates.root), *options) as proxy:
        with suppress(OSError):  # what the record says of it is looked at
            call(named(proxy.addresses[0]), Way(Layer.IMPLICIT, proxy.root))
        proxy.stop()
        (session,) = proxy.sessions()
    return session


def test_with_a_certificate_it_is_greeted(
    version: str, server: TlsServer, certificates: Certificates, clients: Path, tmp_path: Path
) -> None:
    session = through(server, certificates, tmp_path, "--client-cert", str(clients / "client.pem"))
    assert said(session) == ["220", "QUIT"]
    assert not session["failed"], session["outcome"]
    assert [note for note in notes(session) if note.startswith(f"=== TLS with the server: TLSv{version}, ")]


def test_without_one_the_record_says_what_is_missing(
    version: str, server: TlsServer, certificates: Certificates, tmp_path: Path
) -> None:
    session = through(server, certificates, tmp_path)
    assert f"*** TLS failed with the server: alert {ALERTS[version]} from the server" in notes(session)
    assert (session["server"]["ending"]["by"], session["server"]["ending"]["how"]) == ("server", "failed")
    assert said(session) == []
    assert session["failed"]


def test_one_that_the_server_does_not_know(
    version: str, server: TlsServer, certificates: Certificates, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(trustme.CA().issue_cert("client.example.org").private_key_and_cert_chain_pem.bytes())
    session = through(server, certificates, tmp_path, "--client-cert", str(stranger))
    assert "*** TLS failed with the server: alert unknown_ca from the server" in notes(session)
    assert session["failed"]
