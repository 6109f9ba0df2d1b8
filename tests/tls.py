"""What TLS may have told of a leg: an example, and anything at all."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from hypothesis import strategies as some

from mailproxy.model.tls import Certificate, Fault, TlsFacts

ROOT: Final = Certificate(
    "CN=Example Root,O=Example", "CN=Example Root,O=Example", (), datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2040, 1, 1, tzinfo=UTC), "RSA 4096", b"0\x82\x05root",
)  # fmt: skip
LEAF: Final = Certificate(
    "CN=mail.example.org", ROOT.subject, ("mail.example.org", "192.0.2.25"), datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC), "EC P-256", b"0\x82\x03leaf",
)  # fmt: skip
FACTS: Final = TlsFacts(
    version="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    group="X25519MLKEM768",
    server_name="mail.example.org",
    alpn="smtp",
    offered=("TLSv1.3", "TLSv1.2"),
    offered_ciphers=("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"),
    offered_alpn=("smtp", "lmtp"),
    fingerprint="t13d0208sp_0123456789ab_0123456789ab",
    chain=(LEAF, ROOT),
    checked=True,
    faults=(Fault.EXPIRED, Fault.WRONG_NAME),
    reason="certificate has expired",
)


def certificates(texts: some.SearchStrategy[str]) -> some.SearchStrategy[Certificate]:
    """Any certificates with texts like these; where anything differs, so do the octets."""
    dates = some.datetimes(datetime(2, 1, 1), datetime(9990, 1, 1), timezones=some.just(UTC))
    bare = some.builds(Certificate, texts, texts, words(texts), dates, dates, texts, some.just(b""))
    return bare.map(lambda each: replace(each, der=repr(each).encode()))


def words(texts: some.SearchStrategy[str]) -> some.SearchStrategy[tuple[str, ...]]:
    """Some of these texts, none of them empty."""
    return some.lists(texts.filter(bool), max_size=3).map(tuple)


def facts(texts: some.SearchStrategy[str]) -> some.SearchStrategy[TlsFacts]:
    """Any facts with texts like these."""
    return some.builds(
        TlsFacts,
        version=texts,
        cipher=texts,
        group=texts,
        server_name=texts,
        alpn=texts,
        offered=words(texts),
        offered_ciphers=words(texts),
        offered_alpn=words(texts),
        fingerprint=texts,
        chain=some.lists(certificates(texts), max_size=2).map(tuple),
        checked=some.booleans(),
        faults=some.lists(some.sampled_from(Fault), max_size=2).map(tuple),
        reason=texts,
        trouble=texts,
    )
