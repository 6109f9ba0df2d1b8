"""The TCP segment in a captured packet, whatever it is wrapped in: taken apart by dpkt.

Read are Ethernet with VLANs, MPLS and PPPoE, Linux cooked captures, loopback and bare IP; IPv4 (RFC 791) and IPv6
(RFC 8200) with extension headers, in tunnels too. Of a packet in fragments only the first is read.
"""

from collections.abc import Callable
from typing import Any, Final

from mailproxy.formats.error import FormatError
from mailproxy.formats.pcap_read import Captured
from mailproxy.formats.tcp import Endpoint, Segment

ETHERNET, COOKED, COOKED_2 = 1, 113, 276
LOOPBACK: Final = frozenset({0, 108})
BARE: Final = frozenset({12, 14, 101, 228, 229})
LINKS: Final = frozenset({ETHERNET, COOKED, COOKED_2, *LOOPBACK, *BARE})
DEPTH: Final = 16
NEEDED: Final = "captures of packets need dpkt; install it with: pip install 'mailproxy[pcap]'"


def layers(source: str = "") -> Callable[[Captured], Segment | None]:
    """What takes packets apart; packets that hold no TCP, or cannot be read, hold no segment.

    Raises FormatError where dpkt is not installed.
    """
    try:
        import dpkt
    except ImportError:
        raise FormatError(f"{source or 'capture'}: {NEEDED}") from None

    def bare(octets: bytes) -> Any:
        return dpkt.ip6.IP6(octets) if octets[0] >> 4 == 6 else dpkt.ip.IP(octets)

    def unwrap(captured: Captured) -> Any:
        match captured.link:
            case 1:
                return dpkt.ethernet.Ethernet(captured.octets)
            case 113:
                return dpkt.sll.SLL(captured.octets)
            case 276:
                return dpkt.sll2.SLL2(captured.octets)
            case link if link in LOOPBACK:
                return bare(captured.octets[4:])
            case link if link in BARE:
                return bare(captured.octets)
            case _:
                return None

    def segment(captured: Captured) -> Segment | None:
        try:
            layer, packet = unwrap(captured), None
            for _ in range(DEPTH):
                match layer:
                    case dpkt.tcp.TCP() if packet is not None:
                        return _segment(captured.at, packet, layer)
                    case dpkt.ip.IP() | dpkt.ip6.IP6():
                        packet = layer
                layer = getattr(layer, "data", None)
        except Exception:  # dpkt has no one error for octets that are no packet
            return None
        return None

    return segment


def _segment(at: int, packet: Any, tcp: Any) -> Segment | None:
    fragments = [header for header in getattr(packet, "all_extension_headers", ()) if hasattr(header, "frag_off")]
    if any(header.frag_off for header in fragments):
        return None
    fragment = bool(getattr(packet, "mf", 0)) or any(header.m_flag for header in fragments)
    octets = bytes(tcp.data)
    length = len(octets) if fragment else max(_length(packet) - tcp.off * 4, len(octets))
    return Segment(
        Endpoint(packet.src, tcp.sport),
        Endpoint(packet.dst, tcp.dport),
        at,
        tcp.seq,
        tcp.ack,
        tcp.flags & 0x1F,
        octets,
        length,
        fragment,
    )


def _length(packet: Any) -> int:
    """How long the payload of an IP packet was, captured or not; 0 where it does not say (segments of the sender)."""
    if packet.v == 4:
        return int(packet.len) - int(packet.hl) * 4 if packet.len else 0
    headers = sum(int(header.length) for header in packet.all_extension_headers)
    return int(packet.plen) - headers if packet.plen else 0
