"""Servers that know nothing newer than TLS 1.1: they are refused, and reached when that is asked for."""

from pathlib import Path
from typing import Final

import pytest

from .certificate import Certificates
from .client import Login
from .dovecot import Mailbox
from .fetchers import FETCHERS
from .loopback import HOST, Address
from .messages import received
from .proxy import Proxy, notes
from .servers import NAME, Servers, named, url
from .tls_server import TlsServer
from .way import Layer, Way

LAYERS: Final = (Layer.CLEAR, Layer.STARTTLS, Layer.IMPLICIT)
OLD: Final = ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")


def test_smtp_needs_tls_1_2(servers: Servers, certificates: Certificates, mailbox: Mailbox, tmp_path: Path) -> None:
    route = f"{url('smtp', Layer.IMPLICIT, Address(HOST, 0))}={url('smtp', Layer.IMPLICIT, named(servers.postfix.old))}"
    with Proxy(tmp_path / "proxy", route, "--trust", str(certificates.root)) as proxy:
        (at,) = map(named, proxy.addresses)
        way = Way(Layer.IMPLICIT, proxy.root)
        ran = servers.go("smtp", "smtplib", at, way, mailbox, tmp_path / "home")
        proxy.stop()
        (session,) = proxy.sessions()
    assert ran.status != 0
    assert mailbox.messages == []
    (trouble,) = [note for note in notes(session) if note.startswith("*** TLS failed with the server: ")]
    assert "protocol_version" in trouble


@pytest.mark.parametrize("layer", Layer)
def test_smtp_goes_over_tls_1_1_when_asked_to(
    layer: Layer, servers: Servers, certificates: Certificates, mailbox: Mailbox, tmp_path: Path
) -> None:
    route = f"{url('smtp', layer, Address(HOST, 0))}={url('smtp', Layer.IMPLICIT, named(servers.postfix.old))}"
    with Proxy(tmp_path / "proxy", route, "--trust", str(certificates.root), "--tls-min", "1.0") as proxy:
        (at,) = map(named, proxy.addresses)
        way = Way(layer, proxy.root)
        ran = servers.go("smtp", "smtplib", at, way, mailbox, tmp_path / "home")
        assert servers.arrived("smtp", ran, mailbox) == [received(NAME)]
        proxy.stop()
        (session,) = proxy.sessions()
    (told,) = [note for note in notes(session) if note.startswith("=== TLS with the server: ")]
    cipher = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
    assert told == f"=== TLS with the server: TLSv1.1, {cipher}, certificate of mail.example.org"


@pytest.mark.parametrize("least", ["1.2", "1.0"])
def test_pop3(least: str, certificates: Certificates, tmp_path: Path) -> None:
    with TlsServer(certificates.good, *OLD, says=b"+OK\r\n-ERR closed today\r\n+OK\r\n") as server:
        route = f"{url('pop3', Layer.IMPLICIT, Address(HOST, 0))}={url('pop3', Layer.IMPLICIT, named(server.address))}"
        with Proxy(tmp_path / "proxy", route, "--trust", str(certificates.root), "--tls-min", least) as proxy:
            (at,) = map(named, proxy.addresses)
            ran = FETCHERS["poplib"](at, Login("alice", "secret"), tmp_path, Way(Layer.IMPLICIT, proxy.root)).ran
            proxy.stop()
            (session,) = proxy.sessions()
    told = [note for note in notes(session) if "TLS" in note and "the server" in note]
    assert ("closed today" in ran.errors) == (least == "1.0")
    assert ("TLSv1.1" in told[0]) == (least == "1.0")
    assert ("protocol_version" in told[0]) == (least == "1.2")
