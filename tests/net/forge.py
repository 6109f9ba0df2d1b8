"""Certificates for tests: good ones, and whatever may be wrong with one."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
HOST = "mail.example.org"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
CLIENT_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


class Forged(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def forge(
    *names: str | bytes,
    by: Forged | None = None,
    subject: str = "a server",
    key: Key | None = None,
    begins: timedelta = -DAY,
    ends: timedelta = DAY,
    ca: bool = False,
    path_length: int | None = None,
    more: Sequence[x509.ExtensionType] = (),
    critical: bool = False,
) -> Forged:
    """A certificate for these names, issued `by` another or by itself; times are counted from now."""
    now = datetime.now(UTC).replace(microsecond=0)
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer = by or Forged(None, key)  # type: ignore[arg-type]
    own = name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(by.certificate.subject if by else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
    for each in more:
        builder = builder.add_extension(each, critical=critical)
    return Forged(builder.sign(issuer.key, SHA256()), key)


def name(common: str) -> x509.Name:
    """A distinguished name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(given: str | bytes) -> x509.GeneralName:
    """A name; octets stand for a DNS name that looks like an address."""
    if isinstance(given, bytes):
        return x509.DNSName(given.decode("ascii"))
    try:
        return x509.IPAddress(ipaddress.ip_address(given))
    except ValueError:
        return x509.DNSName(given)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """A key usage: to sign certificates, or handshakes."""
    return x509.KeyUsage(not signs_certificates, False, False, False, False, signs_certificates, False, False, False)
