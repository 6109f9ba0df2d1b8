"""The packets of a capture file, one by one: pcap, and pcapng with any number of interfaces and sections.

A file that breaks off, or whose lengths make no sense from some place on, is read up to there. No more than one block
is held at a time. dpkt's own readers take the octets of every interface for those of the first one, and hold
whatever length a block claims.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from mailproxy.formats.error import FormatError

LONGEST: Final = 1 << 24
"""How many octets a packet or a block has at most; capture programs stop at 256 KiB a packet."""
LATEST: Final = 253_370_764_800_000_000
"""The year 9999 in microseconds since 1970: no clock goes beyond it."""

_PCAP: Final = {
    b"\xa1\xb2\xc3\xd4": (">", 1, 16), b"\xd4\xc3\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1000, 16), b"\x4d\x3c\xb2\xa1": ("<", 1000, 16),
    b"\xa1\xb2\xcd\x34": (">", 1, 24), b"\x34\xcd\xb2\xa1": ("<", 1, 24),
}  # fmt: skip
"""How a pcap file begins: the order of its octets, parts of a microsecond, octets of a packet's header."""
_SECTION: Final = b"\n\r\r\n"
_ORDER: Final = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OLD_PACKET, _PACKET = 1, 2, 6
_RESOLUTION, _OFFSET = 9, 14


class Captured(NamedTuple):
    """A packet as it was captured: when, in microseconds since 1970, on which type of link, as far as it was kept."""

    at: int
    link: int
    octets: bytes


class _Interface(NamedTuple):
    """Of pcapng: its link, its ticks a second, and the seconds to add to its times."""

    link: int
    ticks: int = 1_000_000
    offset: int = 0


def recognise(start: bytes) -> bool:
    """Whether octets are a capture of packets, by the first four of them."""
    return start[:4] in _PCAP or start[:4] == _SECTION


def packets(file: BinaryIO, source: str = "") -> Iterator[Captured]:
    """The packets in the order of the file. Raises FormatError where it is no capture."""
    magic = file.read(4)
    if magic in _PCAP:
        return _pcap(file, *_PCAP[magic])
    if magic == _SECTION:
        return _pcapng(file)
    raise FormatError(f"{source or 'capture'}: this is no capture of packets; save it as pcap or pcapng")


def _pcap(file: BinaryIO, order: str, parts: int, header: int) -> Iterator[Captured]:
    start = file.read(20)
    if len(start) < 20:
        return
    # The upper octets of the last field tell of a frame check sequence.
    link = struct.unpack(order + "I", start[16:])[0] & 0x0FFFFFFF
    while len(head := file.read(header)) == header:
        seconds, fraction, kept = struct.unpack(order + "III", head[:12])
        if kept > LONGEST or len(octets := file.read(kept)) < kept:
            return
        yield Captured(seconds * 1_000_000 + fraction // parts, link, octets)


def _pcapng(file: BinaryIO) -> Iterator[Captured]:
    order, kind = "", int.from_bytes(_SECTION)
    interfaces: list[_Interface] = []
    while True:
        if kind == int.from_bytes(_SECTION):
            length, bom = file.read(4), file.read(4)
            if not (order := _ORDER.get(bom, "")) or _body(file, order, length, 4) is None:
                return
            interfaces = []
        else:
            body = _body(file, order, file.read(4), 0)
            if body is None:
                return
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif packet := _packet(kind, body, order, interfaces):
                yield packet
        if len(head := file.read(4)) < 4:
            return
        kind = struct.unpack(order + "I", head)[0]


def _body(file: BinaryIO, order: str, length: bytes, taken: int) -> bytes | None:
    """What is left of a block up to its second length; None where it breaks off."""
    whole = struct.unpack(order + "I", length)[0] if len(length) == 4 else 0
    left = whole - 12 - taken
    if left < 0 or whole % 4 or whole > LONGEST:
        return None
    octets = file.read(left + 4)
    return octets[:left] if len(octets) == left + 4 else None


def _interface(body: bytes, order: str) -> _Interface:
    found = _Interface(struct.unpack(order + "H", body[:2])[0] if len(body) >= 2 else -1)
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack(order + "HH", body[at : at + 4])
        value = body[at + 4 : at + 4 + length]
        if code == _RESOLUTION and length == 1:
            found = found._replace(ticks=(2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F))
        elif code == _OFFSET and length == 8 and len(value) == 8:
            found = found._replace(offset=struct.unpack(order + "q", value)[0])
        at += 4 + length + -length % 4
    return found


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Captured | None:
    """A packet block; one without a time (a simple one) or of no interface is none."""
    if kind not in (_PACKET, _OLD_PACKET) or len(body) < 20:
        return None
    number, high, low, kept = struct.unpack(order + ("IIII" if kind == _PACKET else "HxxIII"), body[:16])
    if number >= len(interfaces):
        return None
    link, ticks, offset = interfaces[number]
    at = (high << 32 | low) * 1_000_000 // ticks + offset * 1_000_000
    return Captured(min(max(at, 0), LATEST), link, body[20 : 20 + kept])
