"""What OpenSSL reads in a certificate and the cryptography library may refuse as a whole: names and purposes.

DER (ITU-T X.690) is read as far as RFC 5280 needs it. Nothing here raises on any octets.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Name = bytes | Address
"""A name of the subjectAltName: a DNS name as its octets, or an address."""

SUBJECT_ALT_NAME: Final = b"\x55\x1d\x11"
KEY_USAGE: Final = b"\x55\x1d\x0f"
EXTENDED_KEY_USAGE: Final = b"\x55\x1d\x25"
_SEQUENCE: Final = 0x30
_OBJECT: Final = 0x06
_OCTETS: Final = 0x04
_BITS: Final = 0x03
_EXTENSIONS: Final = 0xA3
_DNS_NAME: Final = 0x82
_IP_ADDRESS: Final = 0x87


def elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that stand side by side in `octets`, as tags and contents; they end where DER ends."""
    at = 0
    while at + 2 <= len(octets):
        tag, length = octets[at], octets[at + 1]
        at += 2
        if length >= 0x80:
            count = length & 0x7F
            length = int.from_bytes(octets[at : at + count])
            at += count
        if at + length > len(octets):
            return
        yield tag, octets[at : at + length]
        at += length


def _inside(octets: bytes, tag: int) -> bytes:
    """The content of the first element that has this tag; nothing where there is none."""
    return next((content for each, content in elements(octets) if each == tag), b"")


def extension(certificate: bytes, name: bytes) -> bytes | None:
    """The value of an extension (RFC 5280 section 4.2) by the octets of its object identifier; None where it is not."""
    to_be_signed = _inside(_inside(certificate, _SEQUENCE), _SEQUENCE)
    for _, each in elements(_inside(_inside(to_be_signed, _EXTENSIONS), _SEQUENCE)):
        if _inside(each, _OBJECT) == name:
            return _inside(each, _OCTETS)
    return None


def names(certificate: bytes) -> Iterator[Name]:
    """DNS names and addresses of the subjectAltName (section 4.2.1.6), in their order."""
    value = extension(certificate, SUBJECT_ALT_NAME) or b""
    for tag, content in elements(_inside(value, _SEQUENCE)):
        if tag == _DNS_NAME:
            yield content
        elif tag == _IP_ADDRESS and len(content) in (4, 16):
            yield ipaddress.ip_address(content)


def purposes(certificate: bytes) -> frozenset[bytes] | None:
    """The object identifiers of the extended key usage (section 4.2.1.12); None where it is not told."""
    value = extension(certificate, EXTENDED_KEY_USAGE)
    if value is None:
        return None
    return frozenset(content for tag, content in elements(_inside(value, _SEQUENCE)) if tag == _OBJECT)


def uses(certificate: bytes) -> int | None:
    """The first octet of the key usage (section 4.2.1.3), its highest bit digitalSignature; None without one."""
    value = extension(certificate, KEY_USAGE)
    if value is None:
        return None
    bits = _inside(value, _BITS)
    return bits[1] if len(bits) > 1 else 0
