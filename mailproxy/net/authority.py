"""mailproxy's own certificate authority: what a mail program is told to trust, and what it is presented then.

The folder holds `authority.pem` (the private key, and the certificate), `mailproxy-ca.pem` (the certificate alone, for
programs that are pointed at a file) and `leaves/`. Keys are for their owner's eyes only, and never leave the folder.
"""

import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from mailproxy.model.tls import Certificate, Fault
from mailproxy.net import certificates, issue, pair, private
from mailproxy.net.issue import Issuer
from mailproxy.net.leaves import Leaf, Leaves
from mailproxy.net.pair import Pair

__all__ = ["Authority", "AuthorityError", "Form", "Leaf"]

KEPT: Final = 1024


class AuthorityError(Exception):
    """No authority that can be used; the message is one line and says what to do."""


class Form(StrEnum):
    """How its certificate is written: RFC 7468, RFC 5280, or a trust store of RFC 7292 without a password."""

    PEM = "pem"
    DER = "der"
    P12 = "p12"


class Authority:
    """The authority of a folder. It is made when it is first needed, and read once."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or written yet."""
        self.folder = folder
        self._file = folder / "authority.pem"
        self._leaves = Leaves(folder / "leaves")
        self._known: dict[tuple[bytes, tuple[Fault, ...], tuple[str, ...]], Leaf] = {}
        self._pair: Pair | None = None

    @property
    def certificate(self) -> Certificate:
        """Its certificate. Raises AuthorityError."""
        return certificates.certificate(self._own().der)

    @property
    def path(self) -> Path:
        """A file in PEM that holds its certificate alone. Raises AuthorityError."""
        path = self.folder / "mailproxy-ca.pem"
        wanted = self.export(Form.PEM)
        try:
            if not path.exists() or path.read_bytes() != wanted:
                private.put(path, wanted, readable=True)
        except OSError as error:
            raise _trouble(path, error) from error
        return path

    def export(self, form: Form) -> bytes:
        """Its certificate, without the key. Raises AuthorityError."""
        own = self._own().certificate
        match form:
            case Form.PEM:
                return own.public_bytes(Encoding.PEM)
            case Form.DER:
                return own.public_bytes(Encoding.DER)
            case Form.P12:
                return serialize_java_truststore([PKCS12Certificate(own, _common_name(own).encode())], NoEncryption())

    def new(self) -> None:
        """Have a new one; the old one's file gets another ending, `.bak`, whatever it held. Raises AuthorityError."""
        try:
            with suppress(FileNotFoundError):
                self._file.replace(self._file.with_suffix(".pem.bak"))
        except OSError as error:
            raise _trouble(self._file, error) from error
        self._pair = None
        self._known.clear()
        self._leaves.clear()
        self._own()

    def leaf(self, like: Certificate | None, faults: tuple[Fault, ...], names: tuple[str, ...], now: datetime) -> Leaf:
        """A certificate to present in the place of `like`, at the aware time `now`.

        Without `faults` it is good for `names` and all names of `like`. With them it fails as `like` does: it is out
        of time, has not `names`, is signed by itself, or by somebody whom nobody knows. Raises AuthorityError.
        """
        key = (like.der if like else b"", faults, names)
        found = self._known.get(key)
        if found and now < found.until and found.path.exists():
            return found
        if len(self._known) >= KEPT:
            self._known.clear()
        own = self._own()
        if now >= own.certificate.not_valid_after_utc:
            ended = f"{own.certificate.not_valid_after_utc:%Y-%m-%d}"
            raise AuthorityError(f"mailproxy's certificate authority expired on {ended}: run mailproxy ca new")
        name = _file_name(own, *key)
        try:
            kept = self._leaves.get(name, faults, now)
            leaf = kept or self._leaves.keep(name, self._issue(own, like, faults, names, now), faults)
        except OSError as error:
            raise _trouble(self._leaves.folder, error) from error
        self._known[key] = leaf
        return leaf

    def _issue(
        self, own: Pair, like: Certificate | None, faults: tuple[Fault, ...], names: tuple[str, ...], now: datetime
    ) -> Pair:
        key = issue.new_key()
        given = issue.alternative_names(like, names, faults)
        subject = issue.subject(like if faults else None, given)
        period = issue.period(like, faults, now, own.certificate.not_valid_after_utc)
        if Fault.SELF_SIGNED in faults:
            issuer = Issuer(subject, key)
        elif Fault.UNKNOWN_ISSUER in faults or Fault.OTHER in faults:
            issuer = Issuer(issue.issuer_name(like), self._nobody)
        else:
            issuer = Issuer(own.certificate.subject, own.key)
        return Pair(key, issue.leaf(key, subject, given, issuer, period))

    @cached_property
    def _nobody(self) -> issue.Key:
        """The key of an authority that nobody can trust: it is written nowhere, and gone with this process."""
        return issue.new_key()

    def _own(self) -> Pair:
        if self._pair is None:
            try:
                if not self._file.exists():
                    self._make()
                self._pair = _read(self._file)
            except OSError as error:
                raise _trouble(self._file, error) from error
        return self._pair

    def _make(self) -> None:
        """Make it; where another process does at the same time, one of both is kept."""
        key = issue.new_key()
        private.put_first(self._file, Pair(key, issue.authority(key, datetime.now(UTC))).pem)


def _read(path: Path) -> Pair:
    wrong = ""
    try:
        found = pair.read(path.read_bytes())
    except ValueError as error:
        wrong = str(error)
    else:
        wrong = "" if _signs(found.certificate) else "its certificate is that of no authority"
    if wrong:
        raise AuthorityError(f"{path} is not as mailproxy left it: {wrong}; run mailproxy ca new to begin anew")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return found


def _signs(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _common_name(certificate: x509.Certificate) -> str:
    [found, *_] = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found.value)


def _file_name(own: Pair, like: bytes, faults: tuple[Fault, ...], names: tuple[str, ...]) -> str:
    """One that is the same for the same leaf, and tells nothing."""
    said = repr((own.der, like, sorted(fault.name for fault in faults), names))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _trouble(path: Path, error: OSError) -> AuthorityError:
    return AuthorityError(f"{error.filename or path}: {error.strerror}; MAILPROXY_CA names another folder")
