"""Which host a certificate is for (RFC 9525), and the names that a certificate can have."""

import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509

from mailproxy.net.der import Address, Name

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?{_LABEL}(\.{_LABEL})*".encode())
_FIRST = re.compile(rb"[a-z0-9-]+")


def covers(names: Iterable[Name], host: str) -> bool:
    """Whether one of the names is that of `host`, a DNS name or an address.

    A wildcard is the whole leftmost label, stands for one label, and has two labels behind it (section 6.3).
    """
    wanted = place(host)
    if wanted is None:
        return False
    if not isinstance(wanted, bytes):
        return any(each == wanted for each in names)
    first, _, rest = wanted.partition(b".")
    wildcard = b"*." + rest if b"." in rest and _FIRST.fullmatch(first) else None
    lower = (each.lower() for each in names if isinstance(each, bytes))
    return any(each in (wanted, wildcard) for each in lower)


def place(host: str) -> Name | None:
    """A host as a certificate has it: an address, or a DNS name in lower-case ASCII; None where it is neither."""
    if address := _address(host):
        return address
    try:
        name = host.removesuffix(".").encode("ascii" if host.isascii() else "idna").lower()
    except UnicodeError:
        return None
    return name if _HOST.fullmatch(name) and not name.startswith(b"*") else None


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def general(name: Name | str) -> x509.GeneralName | None:
    """A name as it can stand in a new certificate; None where it cannot."""
    match name:
        case str():
            found = place(name)
            return None if found is None else general(found)
        case bytes():
            lower = name.lower()
            return x509.DNSName(lower.decode("ascii")) if _HOST.fullmatch(lower) else None
        case address:
            return x509.IPAddress(address)
