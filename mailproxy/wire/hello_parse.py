"""What the hellos of a TLS handshake say, read from their bodies. Any octets are read: what is missing is empty.

ClientHello and ServerHello are those of RFC 8446 sections 4.1.2 and 4.1.3 (RFC 5246 section 7.4.1 before), their
extensions those of section 4.2, the ServerKeyExchange of TLS up to 1.2 that of RFC 8422 section 5.4.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from mailproxy.model.escape import escape
from mailproxy.wire.ja4 import ja4
from mailproxy.wire.tls_ciphers import CIPHERS
from mailproxy.wire.tls_names import EXTENSIONS, GROUPS, SIGNATURES, VERSIONS

SERVER_NAME, SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS, KEY_SHARE = 0, 10, 13, 16, 43, 51
READ: Final = frozenset({SERVER_NAME, SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS})
NAMED_CURVE: Final = 3  # RFC 8422 section 5.4
MOST: Final = 128  # names of a kind that are kept


class ClientHello(NamedTuple):
    """What the client offers: versions, best first; the host it asks for, empty where it names none; ALPN.

    Ciphers, extensions, groups and signature algorithms are in its order, by their names in the IANA registries
    or their numbers in hex, without GREASE (RFC 8701). `fingerprint` is its JA4.
    """

    versions: tuple[str, ...]
    name: str
    alpn: tuple[str, ...]
    ciphers: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    fingerprint: str = ""


class ServerHello(NamedTuple):
    """What the server chose. `cipher` and `group` are names in the IANA registries, or numbers in hex.

    `group` is empty up to TLSv1.2, where a later message tells it, and `alpn` in TLSv1.3, where it is under encryption.
    """

    version: str
    cipher: str
    group: str = ""
    alpn: str = ""


def client_hello(body: bytes) -> ClientHello:
    """What the body of a ClientHello says."""
    cut = _Cut(body)
    version = cut.number(2)
    cut.take(32)  # random
    cut.vector(1)  # session
    ciphers = cut.vector(2)
    cut.vector(1)  # compression methods
    extensions = tuple((kind, content if kind in READ else b"") for kind, content in _extensions(cut.vector(2)))
    return _offer(version, ciphers, extensions)


@lru_cache(64)  # a mail program says the same each time, but for random numbers and keys
def _offer(version: int, cipher_suites: bytes, extensions: tuple[tuple[int, bytes], ...]) -> ClientHello:
    ciphers = _numbers(cipher_suites)
    found = dict(reversed(extensions))
    kinds = [number for number, _ in extensions if not grease(number)]
    versions = _numbers(_Cut(found.get(SUPPORTED_VERSIONS, b"")).vector(1) or version.to_bytes(2))
    signatures = _numbers(_Cut(found.get(SIGNATURE_ALGORITHMS, b"")).vector(2))
    names = _Cut(_Cut(found.get(SERVER_NAME, b"")).vector(2))
    names.take(1)  # the type; host_name is the only one there is
    alpn = [protocol for protocol in _Cut(_Cut(found.get(ALPN, b"")).vector(2)).vectors(1) if protocol]
    return ClientHello(
        _named(versions, VERSIONS)[:8],
        escape(names.vector(2)[:255]),
        tuple(escape(protocol) for protocol in alpn[:4]),
        _named(ciphers, CIPHERS),
        _named(kinds, EXTENSIONS),
        _named(_numbers(_Cut(found.get(SUPPORTED_GROUPS, b"")).vector(2)), GROUPS),
        _named(signatures, SIGNATURES),
        ja4(versions, ciphers, kinds, signatures, alpn[0] if alpn else b""),
    )


def server_hello(body: bytes) -> ServerHello:
    """What the body of a ServerHello says."""
    cut = _Cut(body)
    version = cut.number(2)
    cut.take(32)  # random
    cut.vector(1)  # session
    cipher = cut.number(2)
    cut.take(1)  # compression method
    found = dict(reversed(_extensions(cut.vector(2))))
    version = int.from_bytes(found.get(SUPPORTED_VERSIONS, b"")[:2]) or version
    share = found.get(KEY_SHARE, b"")[:2]
    alpn = _Cut(_Cut(found.get(ALPN, b"")).vector(2)).vector(1)
    return ServerHello(
        name(version, VERSIONS),
        name(cipher, CIPHERS),
        name(int.from_bytes(share), GROUPS) if share else "",
        escape(alpn),
    )


def exchanged_group(body: bytes, cipher: str) -> str:
    """The group that the body of a ServerKeyExchange names, `DH 2048` where it has one of its own; else nothing."""
    match cipher.removeprefix("TLS_").split("_")[:2]:
        case ["ECDHE", "ECDSA" | "RSA"] | ["ECDH", "anon"] if len(body) >= 3 and body[0] == NAMED_CURVE:
            return name(int.from_bytes(body[1:3]), GROUPS)
        case ["DHE", "DSS" | "RSA"] | ["DH", "anon"]:
            prime = int.from_bytes(_Cut(body).vector(2))
            return f"DH {prime.bit_length()}" if prime else ""
        case _:
            return ""


def grease(number: int) -> bool:
    """Whether a number means nothing and is there to be passed over (RFC 8701)."""
    return number & 0x0F == 0x0A and number >> 8 == number & 0xFF


def name(number: int, names: dict[int, str]) -> str:
    """The name of a number, which stands for itself in hex where it has none."""
    return names.get(number, f"0x{number:04x}")


def _named(numbers: Iterable[int], names: dict[int, str]) -> tuple[str, ...]:
    return tuple(name(number, names) for number in numbers)[:MOST]


def _numbers(octets: bytes) -> list[int]:
    """The numbers of two octets each, without GREASE."""
    found = (int.from_bytes(octets[at : at + 2]) for at in range(0, len(octets), 2))
    return [number for number in found if not grease(number)]


def _extensions(octets: bytes) -> list[tuple[int, bytes]]:
    cut = _Cut(octets)
    found: list[tuple[int, bytes]] = []
    while cut.rest:
        found.append((cut.number(2), cut.vector(2)))
    return found


class _Cut:
    """Cuts fields off octets. What is missing at the end is empty, or zero."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def rest(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._octets)

    def take(self, length: int) -> bytes:
        piece = self._octets[self._at : self._at + length]
        self._at += length
        return piece

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def vectors(self, width: int) -> list[bytes]:
        found = []
        while self.rest:
            found.append(self.vector(width))
        return found
