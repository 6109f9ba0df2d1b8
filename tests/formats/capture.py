"""Captures to read: what two peers said, packet by packet, in a file as a capture program writes it."""

import io
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from mailproxy.app.library import complete
from mailproxy.formats import pcap, talk
from mailproxy.formats.pcap_packet import Packet, Wire
from mailproxy.formats.tcp import ACK, FIN, RST, SYN, Endpoint
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import MASKED

STARTED: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
PUSH: Final = 0x08
BARE: Final = 101


class Tape:
    """The packets of one connection, a millisecond apart."""

    def __init__(
        self, port: int = 25, client: str = "192.0.2.1", server: str = "192.0.2.25", near: int = 50000
    ) -> None:
        ends = Endpoint(ip_address(client).packed, near), Endpoint(ip_address(server).packed, port)
        self._wire = Wire(ends, STARTED)
        self.packets: list[Packet] = []

    def send(self, side: Side, flags: int, octets: bytes = b"") -> "Tape":
        """A packet with these flags."""
        self.packets.append(self._wire.send(side, flags, 1000 * len(self.packets), octets))
        return self

    def open(self) -> "Tape":
        """The three packets with which a connection begins."""
        return self.send(Side.CLIENT, SYN).send(Side.SERVER, SYN | ACK).send(Side.CLIENT, ACK)

    def talk(self, *lines: bytes) -> "Tape":
        """What they say; `<` begins what the server says. Each packet acknowledges all before it."""
        for line in lines:
            side = Side.SERVER if line.startswith(b"<") else Side.CLIENT
            self.send(side, PUSH | ACK, line.removeprefix(b"<"))
        return self

    def close(self, *sides: Side) -> "Tape":
        """Ends, one after the other."""
        for side in sides:
            self.send(side, FIN | ACK).send(side.other, ACK)
        return self

    def reset(self, side: Side) -> "Tape":
        """The end that nobody answers."""
        return self.send(side, RST | ACK)

    def without(self, *lost: int) -> "Tape":
        """The same, but for these packets, counted from 0."""
        self.packets = [packet for number, packet in enumerate(self.packets) if number not in lost]
        return self


def file(packets: Iterable[Packet], link: int = BARE, wrap: Callable[[bytes], bytes] = bytes) -> bytes:
    """A pcap file, its packets wrapped in what its link has around them."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for packet in packets:
        kept = wrap(packet.octets)
        length = len(kept) + packet.length - len(packet.octets)
        octets += struct.pack("<IIII", *divmod(packet.at, 1_000_000), len(kept), length) + kept
    return octets


def cut(packets: Iterable[Packet], kept: int) -> list[Packet]:
    """The same, captured with a limit of so many octets a packet."""
    return [packet._replace(octets=packet.octets[:kept]) for packet in packets]


def recordings(octets: bytes) -> list[Recording]:
    """The sessions of a capture, as an import has them."""
    return [complete(each, "test.pcap", MASKED) for each in pcap.read(io.BytesIO(octets), "test.pcap")]


def lines(recording: Recording) -> list[str]:
    """What a recording says, without the lines that name it."""
    return [line for line in talk.write(recording)][2:]


def told(*tapes: Tape) -> list[str]:
    """What the one session of these packets says."""
    [recording] = recordings(file(packet for tape in tapes for packet in tape.packets))
    return lines(recording)
