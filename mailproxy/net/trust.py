"""Whether a server's certificate is trusted, and what is wrong with it: all that is, not only what is found first.

OpenSSL judges the chain, by the rules that every program built on it goes by. It is asked twice: at a time, and with
no regard to time, so that what has expired is known by its other faults too. The name is judged as RFC 9525 says,
purpose and strength as Python's own `ssl` does for a client.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from OpenSSL import crypto

from mailproxy.model.tls import Fault
from mailproxy.net import der, names, roots
from mailproxy.net.strength import weakness

__all__ = ["Judgement", "Trust", "TrustError"]

TrustError = roots.TrustError
AGE: Final = 60.0  # seconds that a judgement is good for
KEPT: Final = 256
LONGEST: Final = 100  # certificates of a chain
_NO_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME
# X509_V_ERR_… of OpenSSL's x509_vfy.h
_FAULTS: Final = {
    2: Fault.UNKNOWN_ISSUER,
    9: Fault.NOT_YET_VALID,
    10: Fault.EXPIRED,
    18: Fault.SELF_SIGNED,
    19: Fault.UNKNOWN_ISSUER,
    20: Fault.UNKNOWN_ISSUER,
    21: Fault.UNKNOWN_ISSUER,
}


class Judgement(NamedTuple):
    """What is wrong with a chain, in the order of Fault, and the same in the library's words; both empty where nothing
    is."""

    faults: tuple[Fault, ...] = ()
    reason: str = ""


class Trust:
    """The roots of this machine, and those of further files."""

    def __init__(self, extra: tuple[Path, ...] = ()) -> None:
        """Read them, once and for all. Raises TrustError where one of `extra` holds no certificate."""
        added = [_further(octets, path) for path in extra for octets in roots.of_file(path)]
        self._roots = [*filter(None, map(_loaded, roots.of_system())), *added]
        self._folders = roots.folders()
        self._known: dict[tuple[tuple[bytes, ...], str], tuple[datetime, Judgement]] = {}

    def judge(self, chain: Sequence[bytes], host: str, now: datetime) -> Judgement:
        """Judge certificates in DER, leaf first, the others in any order, at an aware time.

        `host` is the DNS name or address that the leaf must be for; where it is empty, names do not matter.
        """
        key = (tuple(chain), host)
        known = self._known.get(key)
        if known and abs((now - known[0]).total_seconds()) < AGE:
            return known[1]
        if len(self._known) >= KEPT:
            self._known.clear()
        judgement = _judgement(self._wrong(key[0], host, now))
        self._known[key] = now, judgement
        return judgement

    def _wrong(self, chain: tuple[bytes, ...], host: str, now: datetime) -> dict[Fault, str]:
        leaf = _loaded(chain[0]) if chain else None
        if leaf is None:
            return {Fault.OTHER: "the certificate cannot be read" if chain else "no certificate"}
        others = [each for octets in chain[1:LONGEST] if (each := _loaded(octets))]
        wrong: dict[Fault, str] = {}
        self._ask(leaf, others, now, wrong)
        verified = self._ask(leaf, others, None, wrong)
        for fault, reason in _dates(leaf, now):
            wrong.setdefault(fault, reason)
        if reason := weakness(verified or [leaf]):
            wrong.setdefault(Fault.OTHER, reason)
        if host and not names.covers(der.names(chain[0]), host):
            wrong[Fault.WRONG_NAME] = f"the certificate is not valid for '{host}'"
        return wrong

    def _ask(
        self, leaf: crypto.X509, others: list[crypto.X509], now: datetime | None, wrong: dict[Fault, str]
    ) -> list[crypto.X509]:
        """Add what OpenSSL finds wrong; returns the chain up to a root where it finds nothing."""
        try:
            return crypto.X509StoreContext(self._store(now), leaf, others).get_verified_chain()
        except crypto.X509StoreContextError as error:
            wrong.setdefault(_FAULTS.get(error.errors[0], Fault.OTHER), str(error))
        except crypto.Error:
            wrong.setdefault(Fault.OTHER, "the chain cannot be checked")
        return []

    def _store(self, now: datetime | None) -> crypto.X509Store:
        """A new store: the time of one can be set only once."""
        store = crypto.X509Store()
        for root in self._roots:
            store.add_cert(root)
        for folder in self._folders:
            store.load_locations(None, folder)
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        if now is None:
            store.set_flags(_NO_TIME)
        else:
            store.set_time(now.astimezone(UTC))
        return store


def _judgement(wrong: dict[Fault, str]) -> Judgement:
    faults = tuple(fault for fault in Fault if fault in wrong)
    return Judgement(faults, "; ".join(wrong[fault] for fault in faults))


def _loaded(octets: bytes) -> crypto.X509 | None:
    """A certificate as OpenSSL has it; None where it cannot be read."""
    with suppress(crypto.Error):
        return crypto.load_certificate(crypto.FILETYPE_ASN1, octets)
    return None


def _further(octets: bytes, path: Path) -> crypto.X509:
    found = _loaded(octets)
    if found is None:
        raise TrustError(f"{path} holds a certificate that cannot be read")
    return found


def _dates(leaf: crypto.X509, now: datetime) -> list[tuple[Fault, str]]:
    """What its own dates say, which OpenSSL does not come to where the issuer is unknown."""
    begins, ends = _date(leaf.get_notBefore), _date(leaf.get_notAfter)
    found = [(Fault.NOT_YET_VALID, "certificate is not yet valid")] if begins and now < begins else []
    return [*found, (Fault.EXPIRED, "certificate has expired")] if ends and now > ends else found


def _date(told: Callable[[], bytes | None]) -> datetime | None:
    """A GeneralizedTime (RFC 5280 section 4.1.2.5.2); None where it is none."""
    with suppress(ValueError, crypto.Error):
        return datetime.strptime((told() or b"").decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return None
