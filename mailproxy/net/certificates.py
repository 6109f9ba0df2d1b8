"""Certificates in readable form."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from mailproxy.model.escape import escape, escape_text
from mailproxy.model.tls import Certificate
from mailproxy.net import der as octets_of
from mailproxy.net.der import Name

NAMES: Final = 64
LONGEST: Final = 255  # characters of a name
LONGEST_SUBJECT: Final = 1024
EPOCH: Final = datetime.fromtimestamp(0, UTC)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

T = TypeVar("T")


@lru_cache(128)
def certificate(der: bytes) -> Certificate:
    """What a certificate says. A field that cannot be read is empty, a date is that of 1970; nothing is raised."""
    found = read(der)
    return Certificate(
        subject=_told(found, lambda each: each.subject.rfc4514_string()),
        issuer=_told(found, lambda each: each.issuer.rfc4514_string()),
        names=tuple(_name(each) for each in islice(octets_of.names(der), NAMES)),
        not_before=_date(found, lambda each: each.not_valid_before_utc),
        not_after=_date(found, lambda each: each.not_valid_after_utc),
        key=_told(found, _key),
        der=der,
    )


def read(der: bytes) -> x509.Certificate | None:
    """A certificate as the cryptography library has it; None where it cannot be read."""
    with warnings.catch_warnings(), suppress(Exception):  # it warns of serial numbers that are in use
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(der)
    return None


def _told(found: x509.Certificate | None, ask: Callable[[x509.Certificate], str]) -> str:
    text = _ask(found, ask) or ""  # RFC 4514 escapes backslashes already
    return _cut(escape_text(text).replace("\\\\", "\\"), LONGEST_SUBJECT)


def _date(found: x509.Certificate | None, ask: Callable[[x509.Certificate], datetime]) -> datetime:
    return _ask(found, ask) or EPOCH


def _ask(found: x509.Certificate | None, ask: Callable[[x509.Certificate], T]) -> T | None:
    """What a certificate says; None where it cannot be read. What is raised on octets of a stranger is not told."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        return ask(found) if found else None
    return None


def _name(name: Name) -> str:
    return _cut(escape(name) if isinstance(name, bytes) else str(name), LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _key(found: x509.Certificate) -> str:
    match found.public_key():
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size}"
        case dsa.DSAPublicKey() as key:
            return f"DSA {key.key_size}"
        case other:
            return type(other).__name__.removesuffix("PublicKey")
