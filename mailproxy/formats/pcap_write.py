"""Recordings as a capture of packets, which any dissector reads: what was said under TLS is in clear in it.

What TCP did is made up: what was said, by whom and when is what was recorded. Where a secret was masked its mask is
sent. Octets that are not in the record (left out, or not in clear) are in packets that were cut short, as
captures do with long ones. Telnet commands are no part of it.
"""

import struct
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Final

from mailproxy.formats.pcap_ends import ends
from mailproxy.formats.pcap_packet import BARE, Packet, Wire
from mailproxy.formats.tcp import ACK, FIN, RST, SYN
from mailproxy.model.octets import Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Ending, How, Recording

HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, BARE)
PUSH: Final = 0x08
SEGMENT: Final = 1460
NEVER: Final = frozenset({How.NO_NAME, How.NO_ROUTE, How.FAILED})
SEEN: Final = frozenset({How.CLOSED, How.RESET, How.FAILED})
"""The endings that show on the wire, the last of them as if the peer had closed."""
TELNET: Final = Kind.TELNET


def write(recordings: Iterable[Recording], leg: Side = Side.SERVER) -> Iterator[bytes]:
    """The octets of a pcap file, packet by packet: of each session the connection with its server or its client.

    A session of which nothing went over the wire has no packets.
    """
    yield HEADER
    sessions = (_session(recording, leg, number) for number, recording in enumerate(recordings))
    for packet in merge(*sessions, key=lambda packet: packet.at):
        seconds, fraction = divmod(packet.at, 1_000_000)
        yield struct.pack("<IIII", seconds & 0xFFFFFFFF, fraction, len(packet.octets), packet.length) + packet.octets


def carries(recording: Recording, leg: Side = Side.SERVER) -> bool:
    """Whether there is anything to write of this connection."""
    return next(_session(recording, leg, 0), None) is not None


def _session(recording: Recording, leg: Side, number: int) -> Iterator[Packet]:
    session = recording.session
    frames = [each for each in recording.entries if isinstance(each, Frame) and each.length and each.kind is not TELNET]
    secure = bool(frames) and frames[0].secure
    wire = Wire(ends(session, leg, number, secure), session.started)
    connected = (session.server if leg is Side.SERVER else session.client).connected
    if frames:
        connected = frames[0].at if connected is None else min(connected, frames[0].at)
    if connected is None:
        return (yield from _unconnected(wire, session.server.ending))
    yield wire.send(Side.CLIENT, SYN, 0)
    yield wire.send(Side.SERVER, SYN | ACK, connected)
    yield wire.send(Side.CLIENT, ACK, connected)
    yield from _spoken(wire, frames, _endings(recording))


def _unconnected(wire: Wire, ending: Ending | None) -> Iterator[Packet]:
    if ending is None or ending.how in NEVER:
        return
    yield wire.send(Side.CLIENT, SYN, 0)
    if ending.how is How.REFUSED:
        yield wire.send(Side.SERVER, RST | ACK, ending.at)


def _endings(recording: Recording) -> list[Ending]:
    """How the sides ended, in their order; mailproxy ended towards the other one in its turn. A reset ends both."""
    session = recording.session
    ends = (session.client.ending, session.server.ending)
    trouble = [each.text for each in recording.entries if isinstance(each, Note) and each.mark is Mark.TROUBLE]
    told = " ".join(trouble[:1])  # who came first, where no time was kept
    found = [each for each in ends if each and each.by and each.how in SEEN]
    found.sort(key=lambda ending: (ending.at, f"by the {ending.by}" not in told))
    for index, ending in enumerate(found):
        if ending.how is How.RESET:
            return found[: index + 1]
    if len(found) == 1 and found[0].by and session.duration is not None:
        found.append(Ending(found[0].by.other, How.CLOSED, session.duration))
    return found


def _spoken(wire: Wire, frames: list[Frame], endings: list[Ending]) -> Iterator[Packet]:
    last = {frame.side: index for index, frame in enumerate(frames)}
    for index, frame in enumerate(frames):
        while endings and _comes(endings[0], frame.at, index, last):
            yield from _ending(wire, endings.pop(0))
        yield from _said(wire, frame)
    for ending in endings:
        yield from _ending(wire, ending)


def _comes(ending: Ending, at: int, index: int, last: dict[Side, int]) -> bool:
    """Whether a side ends before the frame of this index, which is not its own."""
    return ending.how is not How.RESET and ending.at < at and last.get(ending.by or Side.CLIENT, -1) < index


def _ending(wire: Wire, ending: Ending) -> Iterator[Packet]:
    assert ending.by is not None
    if ending.how is How.RESET:
        yield wire.send(ending.by, RST | ACK, ending.at)
    else:
        yield wire.send(ending.by, FIN | ACK, ending.at)
        yield wire.send(ending.by.other, ACK, ending.at)


def _said(wire: Wire, frame: Frame) -> Iterator[Packet]:
    for start in range(0, frame.length, SEGMENT):
        length = min(SEGMENT, frame.length - start)
        yield wire.send(frame.side, PUSH | ACK, frame.at, frame.octets[start : start + length], length)
        yield wire.send(frame.side.other, ACK, frame.at)
