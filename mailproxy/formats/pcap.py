"""Captures of packets: mail sessions read from pcap and pcapng files, and written as pcap."""

from collections.abc import Iterator
from typing import BinaryIO

from mailproxy.formats.error import FormatError
from mailproxy.formats.pcap_layers import LINKS, layers
from mailproxy.formats.pcap_read import packets, recognise
from mailproxy.formats.pcap_sessions import Sessions
from mailproxy.formats.pcap_write import carries, write
from mailproxy.model.session import Recording

__all__ = ["carries", "read", "recognise", "write"]


def read(file: BinaryIO, source: str = "") -> Iterator[Recording]:
    """The mail sessions of a capture, each as its connection ends; their exchanges are for a protocol's reader to find.

    Raises FormatError where there are none, or where dpkt is missing.
    """
    take = layers(source)
    sessions = Sessions()
    number = found = 0
    strange: set[int] = set()
    for captured in packets(file, source):
        number += 1
        if captured.link not in LINKS:
            strange.add(captured.link)
        elif segment := take(captured):
            for recording in sessions.hear(segment):
                found += 1
                yield recording
    for recording in sessions.finish():
        found += 1
        yield recording
    if not found:
        raise FormatError(f"{source or 'capture'}: {_nothing(number, strange)}")


def _nothing(number: int, strange: set[int]) -> str:
    if strange:
        links = ", ".join(map(str, sorted(strange)))
        return f"packets of link type {links} cannot be read; capture Ethernet, loopback or 'any'"
    packets = f"{number} packet{'s' * (number != 1)}"
    return f"no mail in {packets}: capture the connection to a mail port, with its beginning on any other port"
