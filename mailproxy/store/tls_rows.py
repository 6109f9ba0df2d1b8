"""What TLS told of a leg as the last columns of its row, and certificates as rows of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from mailproxy.model.session import Leg
from mailproxy.model.tls import Certificate, Fault, TlsFacts
from mailproxy.store.texts import clean, instant, joined, parted, told

Row = tuple[Any, ...]


@lru_cache(64)  # a header is told several times a session, and most sessions are alike in this
def tls_row(tls: TlsFacts) -> Row:
    """The columns of a leg with TLS."""
    return (
        clean(tls.version),
        clean(tls.cipher),
        clean(tls.group),
        clean(tls.server_name),
        clean(tls.alpn),
        joined(tls.offered),
        joined(tls.offered_ciphers),
        joined(tls.offered_alpn),
        clean(tls.fingerprint),
        ", ".join(fault.value for fault in tls.faults),
        clean(tls.reason),
        clean(tls.trouble),
        " ".join(certificate.fingerprint for certificate in tls.chain),
        tls.checked,
    )


def tls_facts(row: Sequence[Any], known: Mapping[str, Certificate]) -> TlsFacts | None:
    """What the columns of a leg hold, None where there was no TLS. `known` has certificates by their fingerprints."""
    *texts, checked = row
    if checked is None:
        return None
    version, cipher, group, name, alpn, offered, ciphers, offered_alpn, fingerprint, faults, reason, trouble, chain = (
        texts
    )
    return TlsFacts(
        version=told(version),
        cipher=told(cipher),
        group=told(group),
        server_name=told(name),
        alpn=told(alpn),
        offered=parted(offered),
        offered_ciphers=parted(ciphers),
        offered_alpn=parted(offered_alpn),
        fingerprint=told(fingerprint),
        chain=tuple(known[fingerprint] for fingerprint in chain.split() if fingerprint in known),
        checked=bool(checked),
        faults=tuple(map(Fault, faults.split(", "))) if faults else (),
        reason=told(reason),
        trouble=told(trouble),
    )


def certificate_rows(*legs: Leg) -> tuple[Row, ...]:
    """The rows of the certificates that these legs saw, each once."""
    seen = {each.fingerprint: each for leg in legs if leg.tls for each in leg.tls.chain}
    return tuple(_certificate_row(fingerprint, each) for fingerprint, each in seen.items())


def certificate(row: Sequence[Any]) -> Certificate:
    """The certificate that a row holds."""
    _, subject, issuer, names, not_before, not_after, key, der = row
    dates = datetime.fromisoformat(not_before), datetime.fromisoformat(not_after)
    return Certificate(told(subject), told(issuer), parted(names), *dates, told(key), bytes(der))


@lru_cache(256)
def _certificate_row(fingerprint: str, each: Certificate) -> Row:
    dates = instant(each.not_before), instant(each.not_after)
    return (fingerprint, clean(each.subject), clean(each.issuer), joined(each.names), *dates, clean(each.key), each.der)
