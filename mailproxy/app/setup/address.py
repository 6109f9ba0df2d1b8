"""An e-mail address, taken apart (RFC 5321, 4.1.2)."""

from dataclasses import dataclass
from typing import Final

from mailproxy.app.setup.error import WordsError
from mailproxy.app.setup.server import is_host, is_user

_LONGEST: Final = 254


@dataclass(frozen=True, slots=True)
class Address:
    """`local` is what stands before the @; `domain` is in ASCII (RFC 5891)."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def parse(text: str) -> Address:
    """Read an address; raises WordsError."""
    local, at, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_domain = ""
    if not at or not is_user(local) or len(text) > _LONGEST or not is_host(ascii_domain) or "." not in ascii_domain:
        raise WordsError(f"{text!r} is no e-mail address: write alice@example.org")
    return Address(local, ascii_domain)
