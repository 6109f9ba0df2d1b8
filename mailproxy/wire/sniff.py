"""What the first octets of a peer on a mail port are when they are not mail."""

from enum import StrEnum
from typing import Final


class Sniffed(StrEnum):
    """What it is, in words; SHORT is the answer while it may still become any of them, or mail."""

    SHORT = "too few octets to tell"
    TLS = "a TLS handshake"
    TLS_ALERT = "a TLS alert"
    HTTP = "HTTP"
    PROXY = "a PROXY protocol header"
    SSH = "SSH"
    SIP = "SIP"


def sniff(octets: bytes) -> Sniffed | None:
    """What these first octets are; None where they are mail, or nothing that is known here.

    A side that says nothing is SHORT, as is whatever begins one of the `OPENINGS`.
    """
    for opening, sniffed in OPENINGS.items():
        if octets.startswith(opening):
            return sniffed
    return Sniffed.SHORT if any(opening.startswith(octets) for opening in OPENINGS) else None


OPENINGS: Final = {
    b"\x16\x03": Sniffed.TLS,
    b"\x15\x03": Sniffed.TLS_ALERT,
    b"GET ": Sniffed.HTTP,
    b"HEAD ": Sniffed.HTTP,
    b"POST ": Sniffed.HTTP,
    b"PUT ": Sniffed.HTTP,
    b"PATCH ": Sniffed.HTTP,
    b"DELETE ": Sniffed.HTTP,
    b"TRACE ": Sniffed.HTTP,
    b"CONNECT ": Sniffed.HTTP,
    b"OPTIONS /": Sniffed.HTTP,
    b"OPTIONS *": Sniffed.HTTP,
    b"PRI * HTTP/2": Sniffed.HTTP,
    b"HTTP/": Sniffed.HTTP,
    b"PROXY ": Sniffed.PROXY,
    b"\r\n\r\n\0\r\nQUIT\n": Sniffed.PROXY,
    b"SSH-": Sniffed.SSH,
    b"OPTIONS sip": Sniffed.SIP,
    b"INVITE sip": Sniffed.SIP,
    b"REGISTER sip": Sniffed.SIP,
    b"SIP/": Sniffed.SIP,
}
"""How each begins: RFC 8446 section 5.1, RFC 9112 sections 3 and 4, RFC 9113 section 3.4, versions 1 and 2 of
HAProxy's PROXY protocol, RFC 4253 section 4.2, RFC 3261 section 7.1. No mail command begins so."""
