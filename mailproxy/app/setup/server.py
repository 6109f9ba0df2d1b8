"""A mail server: what is spoken with it, where it is, and how its connections are secured."""

import re
from dataclasses import dataclass
from typing import Final

from mailproxy.app.routes import place, scheme
from mailproxy.model.tls import Security

SMTP: Final = "smtp"
POP3: Final = "pop3"
IMAP: Final = "imap"
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_SIX: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,32})?")


@dataclass(frozen=True, slots=True)
class Server:
    """A server of an account, and where it was found.

    `user` is the name to log in with, empty where the source tells none; `note` is what to know of it, in a line.
    """

    protocol: str
    host: str
    port: int
    security: Security
    source: str
    user: str = ""
    note: str = ""

    @property
    def upstream(self) -> str:
        """The server as a URL, its port always told."""
        return f"{scheme(self.protocol, self.security)}://{place(self.host, self.port)}"


def is_host(text: str) -> bool:
    """Whether a text is a host name in ASCII or an address, and so harms no settings file that quotes it."""
    if ":" in text:
        return bool(_SIX.fullmatch(text))
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def is_user(text: str) -> bool:
    """Whether a text is a plain user name, and so harms no settings file that quotes it."""
    return 0 < len(text) <= 254 and text.isprintable() and not set(text) & set("\"'\\`$ %#{}<>")
