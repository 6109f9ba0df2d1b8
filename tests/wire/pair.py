"""Two ends of TLS in memory, and the wire between them: ours, and one of Python's ssl."""

import ssl
from contextlib import suppress
from functools import cache
from typing import Final, Protocol

import trustme

from mailproxy.model.octets import Side
from mailproxy.wire.tls import Tls

HOST: Final = "mail.example.org"
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@cache
def authority() -> trustme.CA:
    """Who has issued everything here."""
    return trustme.CA()


def server(version: str = "", *names: str) -> ssl.SSLContext:
    """What a server has, for one version of TLS or any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _leaf(*names or (HOST,)).configure_cert(context)
    return _only(context, version)


def client(version: str = "", trusts: bool = True) -> ssl.SSLContext:
    """What a client has that trusts the server, or nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusts:
        authority().configure_trust(context)
    return _only(context, version)


def indifferent(version: str = "") -> ssl.SSLContext:
    """What a client has that believes everybody."""
    context = client(version, trusts=False)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@cache
def _leaf(*names: str) -> trustme.LeafCert:
    return authority().issue_cert(*names)


def _only(context: ssl.SSLContext, version: str) -> ssl.SSLContext:
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


class End(Protocol):
    """One end of a wire."""

    def receive(self, octets: bytes) -> None:
        """Hear ciphertext."""

    def outgoing(self) -> bytes:
        """Ciphertext to be sent."""


class Ours:
    """The end under test, and all that it has heard."""

    def __init__(self, peer: Side, context: ssl.SSLContext, name: str = "") -> None:
        self.tls = Tls(peer, context, name)
        self.heard = b""
        self._more = b""
        if peer is Side.SERVER:
            self.tls.begin()

    def receive(self, octets: bytes) -> None:
        self.heard += self.tls.receive(octets)

    def outgoing(self) -> bytes:
        more, self._more = self._more, b""
        return self.tls.outgoing() + more

    def say(self, octets: bytes) -> None:
        self._more += self.tls.send(octets)

    def end(self) -> None:
        self._more += self.tls.end()


class Theirs:
    """Python's ssl: the judge. `trouble` is the reason of its first error."""

    def __init__(self, side: Side, context: ssl.SSLContext, name: str = HOST) -> None:
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = side is Side.SERVER
        self.ssl = context.wrap_bio(self.into, self.out, server_side=ours, server_hostname=None if ours else name)
        self.open = False
        self.heard = b""
        self.ended = False
        self.trouble = ""
        if not ours:
            self.receive(b"")

    def receive(self, octets: bytes) -> None:
        self.into.write(octets)
        try:
            if not self.open:
                self.ssl.do_handshake()
                self.open = True
            while not self.ended:
                part = self.ssl.read(65_536)
                self.heard += part
                self.ended = not part
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self.trouble = self.trouble or error.reason or str(error)

    def outgoing(self) -> bytes:
        return self.out.read()

    def say(self, octets: bytes) -> None:
        self.ssl.write(octets)

    def end(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self.ssl.unwrap()


def talk(one: End, other: End, size: int = 0) -> list[bytes]:
    """Carry what both have to say until neither says more, in pieces of `size`; returns what went over the wire."""
    carried: list[bytes] = []
    silent = 0
    ends = [(one, other), (other, one)]
    while silent < 2:
        silent += 1
        for speaks, hears in ends:
            octets = speaks.outgoing()
            if octets:
                silent = 0
                carried.append(octets)
            for at in range(0, len(octets), size or len(octets) or 1):
                hears.receive(octets[at : at + (size or len(octets))])
    return carried
