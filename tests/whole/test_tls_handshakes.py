"""Handshakes as the client and the record tell them."""

from pathlib import Path

import pytest

from .certificate import Certificates
from .loopback import HOST, Address
from .proxy import Proxy, notes
from .servers import Servers, named, url
from .tls_client import shake
from .way import Layer, Way

LAYERS = (Layer.STARTTLS, Layer.IMPLICIT)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_without_the_proxy(
    protocol: str, layer: Layer, servers: Servers, certificates: Certificates, tmp_path: Path
) -> None:
    at = servers.at(protocol, Layer.CLEAR if layer is Layer.STARTTLS else layer)
    shaken = shake(protocol, at, Way(layer, certificates.root), tmp_path)
    assert (shaken.version, shaken.verification) == ("TLSv1.3", "OK")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_the_record_tells_the_same(
    protocol: str, layer: Layer, version: str, servers: Servers, certificates: Certificates, tmp_path: Path
) -> None:
    begin = Layer.CLEAR if layer is Layer.STARTTLS else layer
    route = f"{url(protocol, begin, Address(HOST, 0))}={url(protocol, begin, servers.at(protocol, begin))}"
    with Proxy(tmp_path / "proxy", route, "--trust", str(certificates.root)) as proxy:
        (at,) = map(named, proxy.addresses)
        option = f"-tls{version.replace('.', '_')}"
        shaken = shake(protocol, at, Way(layer, proxy.root), tmp_path, option)
        proxy.stop()
        (session,) = proxy.sessions()
    assert (shaken.version, shaken.verification) == (f"TLSv{version}", "OK")
    assert f"=== TLS with the client: {shaken.version}, {shaken.cipher}" in notes(session)
    assert not session["failed"], session["outcome"]
