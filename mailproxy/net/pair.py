"""A certificate and its private key, in one file of PEM (RFC 7468)."""

import re
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

_KEY: Final = re.compile(rb"-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----")


class Pair(NamedTuple):
    """A private key on the curve P-256 and a certificate for it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        """Without the key, whatever prints it."""
        return f"Pair({self.certificate.subject.rfc4514_string()})"

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """Both, the key first and not encrypted, as `SSLContext.load_cert_chain` reads them."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM)


def read(octets: bytes) -> Pair:
    """Read both again. Raises ValueError, whose text says in part of a line what is wrong and quotes nothing."""
    found = _KEY.search(octets)
    if not found:
        raise ValueError("it has no private key")
    try:
        key = load_pem_private_key(found[0], None)
        certificate = x509.load_pem_x509_certificate(octets)
        public = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it is damaged") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("its key is of another kind")
    if key.public_key() != public:
        raise ValueError("its key is that of another certificate")
    return Pair(key, certificate)
