"""Which of the connections of a capture are mail: by the server's port, or by what a server says first on any other."""

from typing import Final, NamedTuple

from mailproxy.protocols import PROTOCOLS

GREETINGS: Final = {b"220 ": "smtp", b"220-": "smtp", b"+OK": "pop3", b"+ POP2": "pop2"}
"""How servers begin (RFC 5321 section 4.2, RFC 1939 section 4, RFC 937)."""
LONGEST: Final = max(map(len, GREETINGS))
FTP_PORT: Final = 21
FTP: Final = frozenset(b"USER PASS AUTH FEAT SYST OPTS HOST ACCT CLNT".split())
"""How clients of FTP (RFC 959) begin, whose servers greet with 220 too."""


class Port(NamedTuple):
    """What is spoken on a port; `secure` where it is under TLS from its start."""

    protocol: str
    secure: bool = False


def _ports() -> dict[int, Port]:
    found: dict[int, Port] = {}
    for each in PROTOCOLS:
        found[each.port] = found[each.listen] = Port(each.name)
        if each.starttls:
            found[each.starttls.server] = found[each.starttls.listen] = Port(each.name)
        if each.tls:
            found[each.tls.server] = found[each.tls.listen] = Port(each.name, True)
    return found


PORTS: Final = _ports()
"""The ports of servers, and those on which mailproxy stands before them."""


def greeted(octets: bytes, port: int) -> str | None:
    """The protocol of a server that begins so; empty while it is too little to tell, None where it is no mail."""
    if port == FTP_PORT:
        return None
    for greeting, protocol in GREETINGS.items():
        if octets.startswith(greeting):
            return protocol
    return "" if any(greeting.startswith(octets) for greeting in GREETINGS) else None


def answered(protocol: str, octets: bytes) -> str | None:
    """The protocol of a session that its server began, once its client has spoken; None where it is no mail."""
    verb = octets.split(None, 1)[0].upper() if octets.split(None, 1) else b""
    if protocol == "smtp":
        return None if verb in FTP else "lmtp" if verb == b"LHLO" else protocol
    return protocol
