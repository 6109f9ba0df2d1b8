"""What a TLS handshake that passes through shows in clear: both hellos, and alerts.

Records are those of RFC 8446 section 5.1, hellos those of sections 4.1.2 and 4.1.3 (RFC 5246
section 7.4.1 before), alerts those of section 6. What is under encryption is not looked at, but for
its length where that says all: no first record of TLSv1.3 is as short as an alert.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.model.escape import escape
from mailproxy.model.octets import Side

LONGEST_HELLO: Final = 0x10000
LONGEST_RECORD: Final = 2**14 + 2048  # RFC 5246 section 6.2.3
ENCRYPTED_ALERT: Final = 2 + 1 + 16  # an alert, its inner type, the longest tag of a TLSv1.3 cipher
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
SERVER_NAME, ALPN, SUPPORTED_VERSIONS = 0, 16, 43
HELLO: Final = {Side.CLIENT: 1, Side.SERVER: 2}
RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
VERSIONS: Final = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


class ClientHello(NamedTuple):
    """What the client offers: versions, best first; the host it asks for, empty where it names none; ALPN."""

    versions: tuple[str, ...]
    name: str
    alpn: tuple[str, ...]


class ServerHello(NamedTuple):
    """What the server chose. `cipher` is the name in the IANA registry, or the number in hex."""

    version: str
    cipher: str


class Alert(NamedTuple):
    """An alert and who sent it; `description` is the registry's name, empty where it is encrypted."""

    side: Side
    fatal: bool
    description: str


class Fact(NamedTuple):
    """Something heard, with a line of text for people: escaped, and trouble or not."""

    trouble: bool
    text: str
    heard: ClientHello | ServerHello | Alert


class Handshake:
    """Hears both sides of one handshake and tells what it understands. It raises on no octets and holds
    less than 100 KiB; what is no TLS, or a hello over 64 KiB, makes it deaf to that side."""

    def __init__(self) -> None:
        self._ears = {Side.CLIENT: _Ear(), Side.SERVER: _Ear()}
        self._version = ""

    def hear(self, side: Side, octets: bytes) -> list[Fact]:
        """The facts that these octets of `side` complete, in order."""
        return [fact for record in self._ears[side].records(octets) if (fact := self._fact(side, record))]

    def _fact(self, side: Side, record: "_Record") -> Fact | None:
        ear = self._ears[side]
        match record.kind:
            case 22:
                return self._hello(side, ear.hello(HELLO[side], record.octets))
            case 21 if len(record.octets) == 2 and record.octets[0] in (1, 2):
                return _alert(Alert(side, record.octets[0] == 2, _description(record.octets[1])))
            case 20 if self._version == "TLSv1.3":  # it only pleases middleboxes, RFC 8446 appendix D.4
                return None
            case 23 if self._version == "TLSv1.3" and record.length <= ENCRYPTED_ALERT:
                ear.deaf = True
                return _alert(Alert(side, True, ""))
        ear.deaf = True
        return None

    def _hello(self, side: Side, body: bytes) -> Fact | None:
        if not body:
            return None
        if side is Side.CLIENT:
            return _offer(_client_hello(body))
        chosen = _server_hello(body)
        self._version = chosen.version
        if body[2:34] == RETRY:
            self._ears[side].greeted = False
            return None
        return Fact(False, f"TLS passes through: the server chose {chosen.version}, {chosen.cipher}", chosen)


class _Record(NamedTuple):
    kind: int
    length: int
    octets: bytes


class _Ear:
    """One side: octets in, records out, and the one handshake message that is of interest."""

    def __init__(self) -> None:
        self.deaf = False
        self.greeted = False
        self._octets = bytearray()
        self._messages = bytearray()

    def records(self, octets: bytes) -> Iterator[_Record]:
        """The records that are whole now. What is encrypted goes without its octets."""
        if not self.deaf:
            self._octets += octets
        while not self.deaf and len(self._octets) >= 5:
            kind, version, length = struct.unpack_from("!BHH", self._octets)
            if kind not in range(20, 24) or version >> 8 != 3 or length > LONGEST_RECORD:
                self.deaf = True
            elif kind == APPLICATION:
                yield _Record(kind, length, b"")
                self.deaf = True
            elif len(self._octets) < 5 + length:
                return
            else:
                body = bytes(self._octets[5 : 5 + length])
                del self._octets[: 5 + length]
                yield _Record(kind, length, body)
        if self.deaf:
            self._octets.clear()

    def hello(self, kind: int, octets: bytes) -> bytes:
        """The body of the hello once it is whole, else nothing. What follows it is passed over."""
        if self.greeted:
            return b""
        self._messages += octets
        length = int.from_bytes(self._messages[1:4])
        if self._messages[:1] not in (b"", bytes([kind])) or length > LONGEST_HELLO:
            self.deaf = True
        if self.deaf or len(self._messages) < max(5, 4 + length):
            return b""
        body = bytes(self._messages[4 : 4 + length])
        self._messages.clear()
        self.greeted = True
        return body


class _Cut:
    """Cuts fields off octets. What is missing at the end is empty, or zero."""

    def __init__(self, octets: bytes) -> None:
        self.rest = octets

    def take(self, length: int) -> bytes:
        piece, self.rest = self.rest[:length], self.rest[length:]
        return piece

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def vectors(self, width: int) -> list[bytes]:
        found = []
        while self.rest:
            found.append(self.vector(width))
        return found


def _client_hello(body: bytes) -> ClientHello:
    cut = _Cut(body)
    version = cut.number(2)
    cut.take(32)
    for width in (1, 2, 1):  # session, cipher suites, compression methods
        cut.vector(width)
    extensions = _extensions(cut.vector(2))
    offered = _Cut(extensions.get(SUPPORTED_VERSIONS, b"")).vector(1) or version.to_bytes(2)
    numbers = [int.from_bytes(offered[at : at + 2]) for at in range(0, len(offered), 2)]
    names = _Cut(_Cut(extensions.get(SERVER_NAME, b"")).vector(2))
    names.take(1)  # the type; host_name is the only one there is
    alpn = _Cut(_Cut(extensions.get(ALPN, b"")).vector(2)).vectors(1)
    return ClientHello(
        tuple(_version(number) for number in numbers if number & 0x0F0F != 0x0A0A)[:8],  # GREASE, RFC 8701
        escape(names.vector(2)[:255]),
        tuple(escape(protocol) for protocol in alpn[:4]),
    )


def _server_hello(body: bytes) -> ServerHello:
    cut = _Cut(body)
    version = cut.number(2)
    cut.take(32)
    cut.vector(1)
    cipher = cut.number(2)
    cut.take(1)
    extensions = _extensions(cut.vector(2))
    version = int.from_bytes(extensions.get(SUPPORTED_VERSIONS, b"")[:2]) or version
    return ServerHello(_version(version), CIPHERS.get(cipher, f"0x{cipher:04x}"))


def _extensions(octets: bytes) -> dict[int, bytes]:
    cut = _Cut(octets)
    found: dict[int, bytes] = {}
    while cut.rest:
        found.setdefault(cut.number(2), cut.vector(2))
    return found


def _version(number: int) -> str:
    return VERSIONS.get(number, f"0x{number:04x}")


def _description(number: int) -> str:
    return ALERTS.get(number, f"number {number}")


def _offer(hello: ClientHello) -> Fact:
    host = f"for {hello.name}" if hello.name else "and names no host"
    alpn = f", ALPN {', '.join(hello.alpn)}" if hello.alpn else ""
    return Fact(False, f"TLS passes through: the client offers {', '.join(hello.versions)} {host}{alpn}", hello)


def _alert(alert: Alert) -> Fact:
    match alert:
        case Alert(description="close_notify"):
            return Fact(False, f"TLS ended: alert close_notify from the {alert.side}", alert)
        case Alert(fatal=False):
            return Fact(False, f"TLS warning: alert {alert.description} from the {alert.side}", alert)
        case Alert(description=""):
            return Fact(True, f"TLS failed: an encrypted alert from the {alert.side} before it had finished", alert)
        case _:
            return Fact(True, f"TLS failed: alert {alert.description} from the {alert.side}", alert)


ALERTS: Final = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
"""The IANA registry of TLS alerts (RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066, RFC 7301, RFC 7507)."""

CIPHERS: Final = {
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256",
    0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
    0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
"""The cipher suites that mail servers choose, out of the IANA registry (RFC 8446 appendix B.4, RFC 5289 …)."""
