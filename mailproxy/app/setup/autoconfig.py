"""Servers as a domain's own autoconfig file names them (`clientConfig` 1.1, as Thunderbird reads it)."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree

from mailproxy.app.setup.address import Address
from mailproxy.app.setup.server import IMAP, POP3, SMTP, Server, is_host, is_user
from mailproxy.model.tls import Security

LIMIT: Final = 262_144
"""Octets that a file may have."""
URLS: Final = (
    "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}",
    "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    "http://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}",
)
"""Where the domain itself may have its file, in the order of trust. Nobody else is asked."""
_SECURITY: Final = {"plain": Security.NONE, "starttls": Security.STARTTLS, "ssl": Security.TLS}
_PROTOCOLS: Final = {
    ("incomingServer", "pop3"): POP3,
    ("incomingServer", "imap"): IMAP,
    ("outgoingServer", "smtp"): SMTP,
}


class AutoconfigError(Exception):
    """A file that is not understood; the message says why, in part of a line."""


class _Plain(ElementTree.TreeBuilder):
    """Builds a tree of a document without a DTD, which could make little XML large."""

    def doctype(self, *_: object) -> None:
        """Refuse it."""
        raise AutoconfigError("it has a DTD")


def urls(address: Address, patterns: tuple[str, ...] = URLS) -> Iterator[str]:
    """Where to look for an address's file."""
    for pattern in patterns:
        yield pattern.format(domain=address.domain, address=quote(str(address), safe="@"))


def read(octets: bytes, address: Address, source: str) -> tuple[Server, ...]:
    """The servers that a file names, in its order; what is no server is left out. Raises AutoconfigError."""
    if len(octets) > LIMIT:
        raise AutoconfigError(f"it is larger than {LIMIT // 1024} KiB")
    try:
        root = ElementTree.fromstring(octets, ElementTree.XMLParser(target=_Plain()))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise AutoconfigError("it is no XML") from error
    if root.tag != "clientConfig":
        raise AutoconfigError("it is no clientConfig")
    provider = root.find("emailProvider")
    found = (_server(each, address, source) for each in ([] if provider is None else provider))
    return tuple(server for server in found if server)


def _server(said: ElementTree.Element, address: Address, source: str) -> Server | None:
    protocol = _PROTOCOLS.get((said.tag, said.get("type", "").lower()))
    host = _fill(_text(said, "hostname"), address)
    port = _text(said, "port")
    security = _SECURITY.get(_text(said, "socketType").lower())
    if not (protocol and security and is_host(host) and port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    user = _fill(_text(said, "username"), address)
    known = Server(protocol, host, int(port), security, source, user if is_user(user) else "")
    return known if 0 < known.port <= 65_535 else None


def _text(said: ElementTree.Element, name: str) -> str:
    return (said.findtext(name) or "").strip()


def _fill(text: str, address: Address) -> str:
    """The text with its placeholders filled in."""
    return (
        text.replace("%EMAILADDRESS%", str(address))
        .replace("%EMAILLOCALPART%", address.local)
        .replace("%EMAILDOMAIN%", address.domain)
    )
