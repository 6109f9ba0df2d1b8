"""Packets of one TCP connection, made up: IPv4 (RFC 791) or IPv6 (RFC 8200) with right checksums (RFC 1071)."""

import struct
import sys
from array import array
from datetime import UTC, datetime
from typing import Final, NamedTuple

from mailproxy.formats.tcp import ACK, FIN, SYN, Endpoint
from mailproxy.model.octets import Side

BARE: Final = 101
"""The type of a link that carries nothing but IP (LINKTYPE_RAW)."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW: Final = 65_535
FIRST: Final = {Side.CLIENT: 1000, Side.SERVER: 5000}
LARGEST_SEGMENT: Final = b"\x02\x04" + (1460).to_bytes(2)
_TCP: Final = 6


class Packet(NamedTuple):
    """A packet: when, in microseconds since 1970, what there is of it, and how long it was."""

    at: int
    octets: bytes
    length: int


class Wire:
    """Both ends of a connection, the client's first; `started` is aware."""

    def __init__(self, ends: tuple[Endpoint, Endpoint], started: datetime) -> None:
        self._ends = dict(zip(Side, ends, strict=True))
        self._next = dict(FIRST)
        self._at = self._started = (started - EPOCH) // (datetime.resolution)
        self._number = 0

    def send(self, side: Side, flags: int, at: int, octets: bytes = b"", length: int | None = None) -> Packet:
        """A packet of this side, `at` microseconds since the session began, with `length` octets that are all there or
        none."""
        length = len(octets) if length is None else length
        options = LARGEST_SEGMENT if flags & SYN else b""
        tcp = self._tcp(side, flags, options) + (octets or bytes(length))
        packet = self._ip(side, tcp)
        self._next[side] += length + bool(flags & (SYN | FIN))
        self._at = max(self._at, self._started + at)
        return Packet(self._at, packet if octets else packet[: len(packet) - length], len(packet))

    def _tcp(self, side: Side, flags: int, options: bytes) -> bytes:
        """A header (RFC 9293 section 3.1) without its checksum."""
        source, target = self._ends[side], self._ends[side.other]
        ack = self._next[side.other] & 0xFFFFFFFF if flags & ACK else 0
        offset = (20 + len(options)) << 2
        seq = self._next[side] & 0xFFFFFFFF
        return struct.pack(">HHIIBBHHH", source.port, target.port, seq, ack, offset, flags, WINDOW, 0, 0) + options

    def _ip(self, side: Side, tcp: bytes) -> bytes:
        source, target = self._ends[side].address, self._ends[side.other].address
        pseudo = source + target + struct.pack(">II", len(tcp), _TCP)
        tcp = tcp[:16] + checksum(pseudo + tcp) + tcp[18:]
        if len(source) == 16:
            return struct.pack(">IHBB", 6 << 28, len(tcp), _TCP, 64) + source + target + tcp
        self._number = (self._number + 1) & 0xFFFF
        head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(tcp), self._number, 0x4000, 64, _TCP)
        return head + checksum(head + source + target) + source + target + tcp


def checksum(octets: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    words = array("H", octets + bytes(len(octets) % 2))
    total = sum(words)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, sys.byteorder)
