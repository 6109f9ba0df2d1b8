"""What a TLS handshake told of a leg, and what became of it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Security(StrEnum):
    """How a connection is secured: not, by STARTTLS or STLS (RFC 3207, RFC 2595), or from its start (RFC 8314)."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Verify(StrEnum):
    """What is done about a server whose certificate is not trusted.

    MIRROR presents to the client one that fails in the same way; STRICT ends the session; OFF goes on as if it were.
    """

    MIRROR = "mirror"
    STRICT = "strict"
    OFF = "off"


class Fault(StrEnum):
    """Why a chain of certificates is not trusted, in the words of a transcript. OTHER is told by the library's text."""

    EXPIRED = "certificate has expired"
    NOT_YET_VALID = "certificate is not yet valid"
    SELF_SIGNED = "self-signed certificate"
    UNKNOWN_ISSUER = "unknown issuer"
    WRONG_NAME = "hostname mismatch"
    OTHER = "certificate verify failed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate (RFC 5280) in readable form, and its octets.

    `subject` and `issuer` are distinguished names (RFC 4514), escaped for screens as `names` are: DNS names and
    addresses of the subjectAltName, of these 64 at most are kept. Both dates are aware and in UTC. `key` is like
    `EC P-256` or `RSA 2048`.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    der: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its octets, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def title(self) -> str:
        """The name it is known by: its first name, else its subject."""
        return self.names[0] if self.names else self.subject


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What is known of TLS on one leg; each field is empty where it is not known.

    `version`, `cipher`, `group` and `alpn` were negotiated. `server_name`, `offered` (versions, best first),
    `offered_ciphers`, `offered_alpn` and `fingerprint` (JA4-like) are what the ClientHello said: of the client's leg
    the mail program's, of the server's leg mailproxy's own. `chain` is what the server presented (of the client's leg:
    what mailproxy did), leaf first. `faults` says why the chain is not trusted, `reason` the same in the library's
    words; both are empty where it is, or where `checked` is false. `trouble` is why TLS failed.
    """

    version: str = ""
    cipher: str = ""
    group: str = ""
    server_name: str = ""
    alpn: str = ""
    offered: tuple[str, ...] = ()
    offered_ciphers: tuple[str, ...] = ()
    offered_alpn: tuple[str, ...] = ()
    fingerprint: str = ""
    chain: tuple[Certificate, ...] = ()
    checked: bool = False
    faults: tuple[Fault, ...] = ()
    reason: str = ""
    trouble: str = ""
