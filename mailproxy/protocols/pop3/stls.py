"""STLS (RFC 2595 section 4) as a proxy sees it: offered among the lines of an answer to CAPA (RFC 2449)."""

import re
from typing import Final

from mailproxy.protocols.upgrade import Upgrading

LISTING: Final = re.compile(rb"\+OK[^\n]*\n(?:(?!\.\r?\n)[^\n]*\n)*\.\r?\n", re.I)
OFFER: Final = re.compile(rb"^STLS(?:[ \t][^\n]*)?\r?\n", re.I | re.M)


def hide(octets: bytes) -> bytes:
    """Without the line that offers STLS."""
    found = LISTING.match(octets)
    return OFFER.sub(b"", found[0]) + octets[found.end() :] if found else octets


def offer(octets: bytes) -> bytes:
    """With a line that offers STLS, before the dot."""
    found = LISTING.match(octets)
    if not found or OFFER.search(found[0]):
        return octets
    dot = found[0].rindex(b".")
    return octets[:dot] + b"STLS\r\n" + octets[dot:]


UPGRADING: Final = Upgrading(
    "STLS", b"+OK Begin TLS now\r\n", frozenset({"CAPA"}), lambda name: b"CAPA\r\n", hide, offer
)
