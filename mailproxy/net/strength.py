"""Whether the certificates of a chain may be those of a TLS server, and are strong enough: OpenSSL's security level 2,
which is Python's too."""

from collections.abc import Sequence
from typing import Final

from OpenSSL import crypto

from mailproxy.net import der

# Extended key usages that let a server be one: serverAuth (RFC 5280 section 4.2.1.12), and two from before it.
_SERVER: Final = frozenset(
    {
        b"\x2b\x06\x01\x05\x05\x07\x03\x01",
        b"\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x03",
        b"\x60\x86\x48\x01\x86\xf8\x42\x04\x01",
    }
)
_HANDSHAKES: Final = 0xA8  # digitalSignature, keyEncipherment, keyAgreement
_WEAK_DIGESTS: Final = (b"md2", b"md4", b"md5", b"sha1")
_BITS: Final = {6: 2048, 912: 2048, 116: 2048, 408: 224}  # RSA, RSA-PSS, DSA, elliptic curves, by their NID


def weakness(chain: Sequence[crypto.X509]) -> str:
    """What is wrong with a chain, leaf first and root last, in OpenSSL's words; empty where nothing is."""
    octets = [crypto.dump_certificate(crypto.FILETYPE_ASN1, each) for each in chain]
    if not _serves(octets[0]) or not all(_is_for_servers(each) for each in octets):
        return "unsuitable certificate purpose"
    for number, each in enumerate(chain):
        if _is_short(each):
            return "CA certificate key too weak" if number else "EE certificate key too weak"
    if any(weak in _algorithm(each) for each in chain[:-1] for weak in _WEAK_DIGESTS):
        return "CA signature digest algorithm too weak"
    return ""


def _serves(leaf: bytes) -> bool:
    usage = der.uses(leaf)
    return usage is None or bool(usage & _HANDSHAKES)


def _is_for_servers(certificate: bytes) -> bool:
    purposes = der.purposes(certificate)
    return purposes is None or bool(purposes & _SERVER)


def _algorithm(certificate: crypto.X509) -> bytes:
    try:
        return certificate.get_signature_algorithm().lower()
    except ValueError:
        return b""


def _is_short(certificate: crypto.X509) -> bool:
    try:
        key = certificate.get_pubkey()
    except crypto.Error:
        return True
    return key.bits() < _BITS.get(key.type(), 0)
