"""Handshakes as the client and the record tell them."""

import stat
from pathlib import Path
from typing import Final

import pytest

from .certificate import Certificates
from .loopback import HOST, Address
from .proxy import Proxy, notes
from .servers import Servers, named, url
from .tls_client import shake
from .way import Layer, Way

WAYS: Final = [(protocol, layer) for protocol in ("smtp", "pop3") for layer in (Layer.STARTTLS, Layer.IMPLICIT)]
VERSIONS: Final = ("1.2", "1.3")


def begin(layer: Layer) -> Layer:
    """How a port begins where this layer is reached: STARTTLS is left to client and server."""
    return Layer.IMPLICIT if layer is Layer.IMPLICIT else Layer.CLEAR


@pytest.mark.parametrize(("protocol", "layer"), WAYS)
def test_without_the_proxy(
    protocol: str, layer: Layer, servers: Servers, certificates: Certificates, tmp_path: Path
) -> None:
    shaken = shake(protocol, servers.at(protocol, begin(layer)), Way(layer, certificates.root), tmp_path)
    assert (shaken.version, shaken.verification) == ("TLSv1.3", "OK")


def test_the_record_tells_the_same(servers: Servers, certificates: Certificates, tmp_path: Path) -> None:
    routes = [
        f"{url(protocol, begin(layer), Address(HOST, 0))}"
        f"={url(protocol, begin(layer), servers.at(protocol, begin(layer)))}"
        for protocol, layer in WAYS
    ]
    with Proxy(tmp_path / "proxy", *routes, "--trust", str(certificates.root)) as proxy:
        shaken = [
            shake(protocol, named(at), Way(layer, proxy.root), tmp_path, f"-tls{version.replace('.', '_')}")
            for (protocol, layer), at in zip(WAYS, proxy.addresses, strict=True)
            for version in VERSIONS
        ]
        proxy.stop()
        sessions = proxy.sessions()
    assert [(each.version, each.verification) for each in shaken] == [("TLSv1.2", "OK"), ("TLSv1.3", "OK")] * len(WAYS)
    for each, session in zip(shaken, sessions, strict=True):
        assert f"=== TLS with the client: {each.version}, {each.cipher}" in notes(session)
        assert not session["failed"], session["outcome"]


def test_the_keys_of_both_sides_are_logged(servers: Servers, certificates: Certificates, tmp_path: Path) -> None:
    """So Wireshark can read what was captured on either side."""
    upstream = url("smtp", Layer.IMPLICIT, servers.at("smtp", Layer.IMPLICIT))
    route = f"{url('smtp', Layer.IMPLICIT, Address(HOST, 0))}={upstream}"
    ours, theirs = tmp_path / "proxy.keys", tmp_path / "client.keys"
    with Proxy(tmp_path / "proxy", route, "--trust", str(certificates.root), "--keylog", str(ours)) as proxy:
        (at,) = map(named, proxy.addresses)
        shake("smtp", at, Way(Layer.IMPLICIT, proxy.root), tmp_path, "-keylogfile", str(theirs))
        proxy.stop()
        assert proxy.keeps(secrets(theirs)) == []
    assert secrets(theirs) < secrets(ours)
    assert stat.filemode(ours.stat().st_mode) == "-rw-------"


def secrets(keys: Path) -> set[bytes]:
    """The lines of a key log that hold a secret of an application's data."""
    return {line for line in keys.read_bytes().splitlines() if b"_TRAFFIC_SECRET_0 " in line}
