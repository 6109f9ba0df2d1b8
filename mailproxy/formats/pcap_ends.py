"""Between which addresses a recorded connection is written: those on record, else some that are for examples only."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from mailproxy.formats.tcp import Endpoint
from mailproxy.model.octets import Side
from mailproxy.model.session import Session
from mailproxy.protocols import named

CLIENTS: Final = 49_152
"""Where the ports that clients are given begin (RFC 6335 section 6)."""
EXAMPLES: Final[dict[int, tuple[IPv4Address, IPv4Address] | tuple[IPv6Address, IPv6Address]]] = {
    4: (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.25")),  # RFC 5737
    6: (IPv6Address("2001:db8::1"), IPv6Address("2001:db8::25")),  # RFC 3849
}


def ends(session: Session, leg: Side, number: int, secure: bool) -> tuple[Endpoint, Endpoint]:
    """Client and server of one of the connections of a session, the `number`th in its file.

    What was under TLS from its start (`secure`) is written as it was read, in clear, and so to the port for that.
    """
    if leg is Side.SERVER:
        peer = session.server
        client, server = _address(peer.local_address), _address(peer.address) or _address(peer.host)
        ports = peer.local_port, peer.port or _port(session)
    else:
        peer = session.client
        client, server = _address(peer.address) or _address(peer.host), _address(peer.local_address)
        ports = peer.port, peer.local_port or _port(session)
    if secure:
        ports = ports[0], named(session.protocol).port
    known = server or client
    near, far = EXAMPLES[known.version if known else 4]
    client = client if client and client.version == near.version else near
    return Endpoint(client.packed, ports[0] or CLIENTS + number % 16_384), Endpoint((server or far).packed, ports[1])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return (found.version == 6 and found.ipv4_mapped) or found


def _port(session: Session) -> int:
    try:
        port = urlsplit(session.upstream).port
    except ValueError:
        port = None
    return port or named(session.protocol).port
