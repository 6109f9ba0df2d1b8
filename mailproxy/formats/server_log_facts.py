"""What a line of a server's log tells of the connection that it is about."""

import base64
import binascii
import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

_EXIM_ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"
_QUEUE: Final = re.compile(
    rf"({_EXIM_ID}) |([0-9A-F]{{6,12}}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{{10,20}}|[0-9A-Za-x]{{8}}[0-9]{{5,7}}): "
)
_OWN: Final = re.compile(r"\bI=\[[^][]*\](?::[0-9]+)?")
_PEER: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]{2,45})\](?::([0-9]{1,5})\b)?|\brip=([0-9A-Fa-f.:]{2,45})")
_PORT: Final = re.compile(r"\brport=([0-9]{1,5})\b")
_SESSION: Final = re.compile(r"session=<([\w+/]{8,})>|^[\w-]+\([^()]*\)<[0-9]+><([\w+/]{8,})>|,<([\w+/]{8,})>\)")
_USERS: Final = (
    re.compile(r"\buser=<([^<>]+)>"),
    re.compile(r"\bsasl_username=([^,\s]+)"),
    re.compile(r"\bA=[\w-]+:([^,\s]+)"),
    re.compile(r"\(set_id=([^()\s]+)\)"),
    re.compile(r"\bauthid=([^,\s]+)"),
    re.compile(r"^(?:pop3|imap)\(([^()<>]+)\)"),
    re.compile(r"\b(?:passwd-file|passwd|shadow|pam|sql|ldap|lua|static|dict|oauth2|policy)\(([^(),\s]+)[,)]"),
)
_DELIVERY: Final = re.compile(r"\brelay=|\bstat=|status=|^[\w-]+ (?:=>|->|==|\*\*) ")

Peer = tuple[str, int]


class Facts(NamedTuple):
    """Who is called by what name in a line: the peers (address, and port or 0), users, the number of a message in the
    server's queue, and Dovecot's name of the session."""

    peers: frozenset[Peer] = frozenset()
    users: frozenset[str] = frozenset()
    queue: str = ""
    session: str = ""


def facts(text: str) -> Facts:
    """What a line tells. It raises on nothing."""
    session = next((group for found in [_SESSION.search(text)] if found for group in found.groups() if group), "")
    queued = _QUEUE.match(text)
    queue = (queued[1] or queued[2]) if queued else ""
    users = frozenset(found[1].lower() for each in _USERS if (found := each.search(text)))
    peers = frozenset() if _hands_on(text) else frozenset([*_peers(text), *_told(session)])
    return Facts(peers, users, queue, session)


def same(address: str) -> str:
    """An address in its one spelling; empty where it is none."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _hands_on(text: str) -> bool:
    """Whether it is about a message on its further way, whose relay is not the client."""
    return bool(_DELIVERY.search(text)) and not re.search(r"\bfrom=|ruleset=|reject=|STARTTLS=server|AUTH|<= ", text)


def _peers(text: str) -> Iterator[Peer]:
    ports = _PORT.search(text)
    for found in _PEER.finditer(_OWN.sub("", text)):
        if address := same(found[1] or found[3]):
            yield address, int(found[2] or (ports[1] if ports else 0))


def _told(session: str) -> Iterator[Peer]:
    """Dovecot's name of a session holds the time in six octets, the port in two, and the address, in base64."""
    try:
        octets = base64.b64decode(session + "=" * (-len(session) % 4), validate=True)
        if len(octets) in {12, 24}:
            yield same(str(ip_address(octets[8:]))), int.from_bytes(octets[6:8], "little")
    except (binascii.Error, ValueError):
        return
