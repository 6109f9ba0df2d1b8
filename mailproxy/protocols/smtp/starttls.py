"""STARTTLS (RFC 3207) as a proxy sees it: offered among the lines of an answer to EHLO (RFC 5321 section 4.1.1.1)."""

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from mailproxy.protocols.upgrade import Upgrading

REPLY: Final = re.compile(rb"250(?:-[^\n]*\n250)*(?: [^\n]*|\r)?\n")
OFFER: Final = re.compile(rb"STARTTLS[ \t]*", re.I)


def hide(octets: bytes) -> bytes:
    """Without the line that offers STARTTLS."""
    reply, rest = _split(octets)
    kept = [line for line in reply if not OFFER.fullmatch(line[4:].rstrip(b"\r\n"))]
    return _join(kept) + rest


def offer(octets: bytes) -> bytes:
    """With a line that offers STARTTLS, behind all others."""
    reply, rest = _split(octets)
    if not reply or any(OFFER.fullmatch(line[4:].rstrip(b"\r\n")) for line in reply):
        return octets
    return _join([*reply, b"250-STARTTLS\r\n"]) + rest


def upgrading(ehlo: str) -> Upgrading:
    """How SMTP, or LMTP with its LHLO, goes over to TLS."""
    return Upgrading(
        "STARTTLS", b"220 2.0.0 Ready to start TLS\r\n", frozenset({"EHLO", "LHLO"}), _hello(ehlo), hide, offer
    )


def _hello(verb: str) -> Callable[[str], bytes]:
    return lambda name: f"{verb} {_literal(name)}\r\n".encode()


def _literal(name: str) -> str:
    """An address stands in brackets (RFC 5321 section 4.1.3)."""
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        return name
    return f"[{name}]" if version == 4 else f"[IPv6:{name}]"


def _split(octets: bytes) -> tuple[list[bytes], bytes]:
    found = REPLY.match(octets)
    if not found:
        return [], octets
    return found[0].splitlines(keepends=True), octets[found.end() :]


def _join(lines: list[bytes]) -> bytes:
    """The lines of one reply: all but the last say that more follows."""
    last = len(lines) - 1
    return b"".join(line[:3] + (b" " if at == last else b"-") + line[4:] for at, line in enumerate(lines))
