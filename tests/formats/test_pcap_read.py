"""The packets of a file: both kinds of captures, and whatever else a file may hold."""

import io
import struct
import sys
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from mailproxy.formats import pcap
from mailproxy.formats.error import FormatError
from mailproxy.formats.pcap_read import LATEST, Captured, packets

from .capture import Tape, file, lines, recordings

OLD = (0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
PACKETS = [Captured(1_700_000_000_000_001, 1, b"one"), Captured(1_700_000_001_000_000, 1, b"two!")]


def read(octets: bytes) -> list[Captured]:
    return list(packets(io.BytesIO(octets), "x"))


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def packet(order: str, number: int, ticks: int, octets: bytes) -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    return block(order, 6, head + octets)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "parts"), [(0xA1B2C3D4, 1), (0xA1B23C4D, 1000)])
def test_pcap_in_both_orders_and_resolutions(order: str, magic: int, parts: int) -> None:
    octets = struct.pack(order + "IHHiIII", magic, *OLD[1:])
    for at, _, said in PACKETS:
        octets += struct.pack(order + "IIII", at // 1_000_000, at % 1_000_000 * parts, len(said), len(said)) + said
    assert read(octets) == PACKETS


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_interfaces_and_sections(order: str) -> None:
    nanoseconds = struct.pack(order + "HHBxxx", 9, 1, 9) + struct.pack(order + "HH", 0, 0)
    binary = struct.pack(order + "HHBxxx", 9, 1, 0x80 | 10) + struct.pack(order + "HHq", 14, 8, 1000)
    octets = section(order) + interface(order, 1) + interface(order, 101, nanoseconds) + interface(order, 0, binary)
    octets += block(order, 4, b"names") + packet(order, 1, 5_000_001_999, b"bare") + packet(order, 0, 7, b"ethernet")
    octets += packet(order, 2, 1536, b"null") + packet(order, 3, 0, b"of no interface")
    octets += section("<") + interface("<", 113) + packet("<", 0, 1, b"cooked")
    assert read(octets) == [
        Captured(5_000_001, 101, b"bare"),
        Captured(7, 1, b"ethernet"),
        Captured(1_001_500_000, 0, b"null"),
        Captured(1, 113, b"cooked"),
    ]


def test_times_end_with_the_calendar() -> None:
    octets = section("<") + interface("<", 101) + packet("<", 0, 2**64 - 1, b"late")
    assert read(octets) == [Captured(LATEST, 101, b"late")]


def test_a_file_that_breaks_off_is_read_up_to_there() -> None:
    whole = file(Tape().open().talk(b"<220 x\r\n", b"QUIT\r\n").packets)
    for length in range(24, len(whole)):
        assert read(whole[:length]) == read(whole)[: len(read(whole[:length]))]
    assert lines(recordings(whole[:-1])[0])[1] == "<-  220 x"


def test_what_claims_to_be_huge_ends_the_file() -> None:
    octets = file([]) + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF) + b"x" * 100
    assert read(octets) == []
    assert read(section("<") + struct.pack("<II", 6, 0xFFFFFFFC) + b"x" * 100) == []


def test_other_files_are_no_captures() -> None:
    with pytest.raises(FormatError, match=r"^x: this is no capture of packets; save it as pcap or pcapng$"):
        read(b"GIF89a")
    with pytest.raises(FormatError, match=r"^x: packets of link type 105 cannot be read; capture Ethernet"):
        list(pcap.read(io.BytesIO(file(Tape().open().packets, 105)), "x"))


def test_without_dpkt_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dpkt", None)
    with pytest.raises(FormatError, match=r"^x: captures of packets need dpkt; install it with: pip install '"):
        list(pcap.read(io.BytesIO(file([])), "x"))


SAMPLE = file(
    Tape().open().talk(b"<220 x\r\n", b"AUTH PLAIN\r\n", b"<334 \r\n", b"AHgAeQ==\r\n", b"<235 ok\r\n").packets
)
NEW = section("<") + interface("<", 101) + packet("<", 0, 1, Tape().open().packets[0].octets)


def _damaged(data: some.DataObject, octets: bytes) -> bytes:
    for _ in range(data.draw(some.integers(1, 6))):
        at = data.draw(some.integers(0, len(octets) - 1))
        octets = octets[:at] + data.draw(some.binary(max_size=5)) + octets[at + data.draw(some.integers(0, 5)) :]
    return octets


@settings(max_examples=200, deadline=None)
@given(some.data(), some.sampled_from([SAMPLE, NEW]))
def test_damaged_captures_raise_nothing_else(data: some.DataObject, octets: bytes) -> None:
    with suppress(FormatError):
        recordings(_damaged(data, octets))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.sampled_from([0, 1, 12, 101, 108, 113, 276]), some.lists(some.binary(max_size=120), max_size=4))
@example(1, [b"\x02" * 12 + b"\x88\x47" + b"\xff" * 3])
@example(0, [b""])
def test_any_octets_may_be_a_packet(link: int, captured: list[bytes]) -> None:
    octets = struct.pack("<IHHiIII", *OLD[:6], link)
    octets += b"".join(struct.pack("<IIII", 1, 1, len(each), len(each)) + each for each in captured)
    with suppress(FormatError):
        recordings(octets)
