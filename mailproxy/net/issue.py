"""New certificates (RFC 5280): the authority's own, and those that it issues. Nothing here touches a file."""

import secrets
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailproxy.model.tls import Certificate, Fault
from mailproxy.net import certificates, der
from mailproxy.net.names import general

YEARS_OF_AUTHORITY: Final = timedelta(days=3650)
VALID: Final = timedelta(days=90)
BACKDATED: Final = timedelta(days=2)  # clocks differ
NAMES: Final = 1000
Key = ec.EllipticCurvePrivateKey
_DAY: Final = timedelta(days=1)
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SERVER: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


class Issuer(NamedTuple):
    """Who signs: a name, and the key of it."""

    name: x509.Name
    key: Key


class Period(NamedTuple):
    """When a certificate is valid; both are aware."""

    begins: datetime
    ends: datetime


def new_key() -> Key:
    """A key on the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def authority(key: Key, now: datetime) -> x509.Certificate:
    """A certificate for an authority that signs those of servers and nothing else. Its name is like no other's."""
    common = x509.NameAttribute(NameOID.COMMON_NAME, f"mailproxy CA {secrets.token_hex(3)}")
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mailproxy"), common])
    builder = _builder(name, Issuer(name, key), key, Period(now - BACKDATED, now + YEARS_OF_AUTHORITY))
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(_SERVER, critical=False)
        .sign(key, SHA256())
    )


def leaf(
    key: Key, subject: x509.Name, names: Sequence[x509.GeneralName], issuer: Issuer, period: Period
) -> x509.Certificate:
    """A certificate for a server."""
    return (
        _builder(subject, issuer, key, period)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(_SERVER, critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .sign(issuer.key, SHA256())
    )


def alternative_names(
    like: Certificate | None, names: Iterable[str], faults: Sequence[Fault]
) -> list[x509.GeneralName]:
    """The names for a certificate like `like`, without those that no certificate can have, 1000 at most, one at least.

    Where `like` has the wrong name, so has the new one: it gets none of `names`.
    """
    wrong = Fault.WRONG_NAME in faults
    given = () if wrong else map(general, names)
    taken = map(general, der.names(like.der)) if like else ()
    found = list(dict.fromkeys(each for each in (*given, *taken) if each is not None))[:NAMES]
    return found or [x509.DNSName("wrong-name.invalid" if wrong else "localhost")]


def period(like: Certificate | None, faults: Sequence[Fault], now: datetime, until: datetime) -> Period:
    """When a certificate like `like` is valid: now, and not beyond `until`, or out of time as `like` is."""
    if Fault.EXPIRED in faults:
        ends = max(min(like.not_after if like else now, now - _DAY), _EARLIEST + _DAY)
        return Period(_before(like, ends), ends)
    if Fault.NOT_YET_VALID in faults:
        begins = max(like.not_before if like else now, now + _DAY)
        return Period(begins, max(like.not_after if like else begins, begins + _DAY))
    begins = now - BACKDATED
    return Period(begins, min(begins + VALID, until))


def _before(like: Certificate | None, ends: datetime) -> datetime:
    """Where a period begins that ends there."""
    begins = like.not_before if like else ends
    return max(begins if begins < ends else ends - VALID, _EARLIEST)


def subject(like: Certificate | None, names: Sequence[x509.GeneralName]) -> x509.Name:
    """The name of a certificate like `like`; where that cannot be had, its first name."""
    return _name(like, of_issuer=False) or common_name(str(names[0].value))


def issuer_name(like: Certificate | None) -> x509.Name:
    """The name of whoever issued `like`."""
    return _name(like, of_issuer=True) or common_name("unknown issuer")


def common_name(text: str) -> x509.Name:
    """A name of one part, cut to what it may hold (RFC 5280 appendix A.1)."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _name(like: Certificate | None, of_issuer: bool) -> x509.Name | None:
    """A name out of a stranger's certificate; None where it is empty, cannot be read or cannot be written again."""
    found = certificates.read(like.der) if like else None
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        if found and (name := found.issuer if of_issuer else found.subject):
            return name if name.public_bytes() and len(name) else None
    return None


def _builder(subject: x509.Name, issuer: Issuer, key: Key, period: Period) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period.begins.replace(microsecond=0))
        .not_valid_after(period.ends.replace(microsecond=0))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
