"""Telnet commands (RFC 854) on a connection that speaks another protocol.

Only the reader of a client's command lines asks here, and only where octet 0xFF stands: in message
content the octet is data and nobody calls `parse`. IAC IAC is left alone, because a server that
knows no telnet is handed both octets with or without a proxy in between.
"""

from typing import Final, NamedTuple

IAC: Final = 0xFF
SB: Final = 0xFA
SE: Final = 0xF0
LINEMODE: Final = frozenset({0xEC, 0xED, 0xEE})  # end of file, suspend, abort (RFC 1184 section 2.5)
WILL, WONT, DO, DONT = 0xFB, 0xFC, 0xFD, 0xFE
LONGEST_SUBNEGOTIATION: Final = 512


class Telnet(NamedTuple):
    """One complete telnet command: how many octets it took, and what the proxy owes for it."""

    length: int
    answer: bytes


class Short(NamedTuple):
    """A telnet command may begin here; more octets must come before that is known."""


def parse(octets: bytes) -> Telnet | Short | None:
    """Read the telnet command at the start of `octets`, which begin with IAC.

    Returns None where the octets are ordinary data. DO is refused with WONT and WILL with DONT
    (RFC 854, p. 2-3); nothing else is answered, so that no loop can arise.
    """
    if len(octets) < 2:
        return Short()
    match octets[1]:
        case 0xFB | 0xFC | 0xFD | 0xFE as request:
            if len(octets) < 3:
                return Short()
            refusal = {DO: WONT, WILL: DONT}.get(request)
            return Telnet(3, b"" if refusal is None else bytes((IAC, refusal, octets[2])))
        case 0xFA:
            return _subnegotiation(octets)
        case command if SE < command < SB or command in LINEMODE:
            return Telnet(2, b"")
        case _:
            return None


def _subnegotiation(octets: bytes) -> Telnet | Short | None:
    at = 2
    while (at := octets.find(IAC, at, LONGEST_SUBNEGOTIATION)) >= 0 and at + 1 < len(octets):
        if octets[at + 1] == SE:
            return Telnet(at + 2, b"")
        at += 2
    return Short() if len(octets) < LONGEST_SUBNEGOTIATION else None
