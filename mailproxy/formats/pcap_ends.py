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
EXAMPLES: Final = {
    4: (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.25")),  # RFC 5737
    6: (IPv6Address("2001:db8::1"), IPv6Address("2001:db8::25")),  # RFC 3849
}


def ends(session: Session, leg: Side, number: int, secure: bool) -> tuple[Endpoint, Endpoint]:
    """Client and server of one of the connections of a session, the `number`th in its file.

    What was under TLS from its start (`secure`) is written as it was read, in clear, and so to the port for that.
    """
    if leg is Side.SERVER:
        near = session.server
        client, server = _address(near.local_address), _address(near.address) or _address(near.host)
        ports = near.local_port, near.port or _port(session)
    else:
        near = session.client
        client, server = _address(near.address) or _address(near.host), _address(near.local_address)
        ports = near.port, near.local_port or _port(session)
    if secure:
        ports = ports[0], named(session.protocol).port
    version = (server or client or EXAMPLES[4][0]).version
    examples = EXAMPLES[version]
    client = client if client and client.version == version else examples[0]
    server = server or examples[1]
    return Endpoint(client.packed, ports[0] or CLIENTS + number % 16_384), Endpoint(server.packed, ports[1])


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
