"""What a TLS handshake that passes through shows in clear: both hellos, the group up to TLSv1.2, and alerts.

Records are those of RFC 8446 section 5.1, handshake messages those of section 4 (RFC 5246 section 7.4 before), alerts
those of section 6. What is under encryption is not looked at, but for its length where that says all: no first
record of TLSv1.3 is as short as an alert.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.model.octets import Side
from mailproxy.wire.hello_parse import ClientHello, ServerHello, client_hello, exchanged_group, server_hello
from mailproxy.wire.tls_ciphers import CIPHERS
from mailproxy.wire.tls_names import ALERTS, VERSIONS

__all__ = ["ALERTS", "CIPHERS", "VERSIONS", "Alert", "ClientHello", "Fact", "Handshake", "ServerHello"]

LONGEST_HELLO: Final = 0x10000
LONGEST_RECORD: Final = 2**14 + 2048  # RFC 5246 section 6.2.3
ENCRYPTED_ALERT: Final = 2 + 1 + 16  # an alert, its inner type, the longest tag of a TLSv1.3 cipher
MOST_ALERTS: Final = 16
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE = 1, 2, 12, 14
RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


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
    """Hears both sides of one handshake and tells what it understands. It raises on no octets and holds less
    than 100 KiB of a side; what is no TLS, or a message of interest over 64 KiB, makes it deaf to that side.

    `client` and `server` are the hellos, None until they are heard; `alerts` the first alerts, 16 at most.
    """

    def __init__(self) -> None:
        self.client: ClientHello | None = None
        self.server: ServerHello | None = None
        self.alerts: list[Alert] = []
        self._ears = {Side.CLIENT: _Ear(CLIENT_HELLO), Side.SERVER: _Ear(SERVER_HELLO)}

    @property
    def group(self) -> str:
        """The group of the key exchange, empty while nobody has told it."""
        return self.server.group if self.server else ""

    def hear(self, side: Side, octets: bytes) -> list[Fact]:
        """The facts that these octets of `side` complete, in order."""
        return [fact for record in self._ears[side].records(octets) for fact in self._facts(side, record)]

    def _facts(self, side: Side, record: "_Record") -> Iterator[Fact]:
        ear = self._ears[side]
        modern = self.server is not None and self.server.version == "TLSv1.3"
        match record.kind:
            case 22:
                for kind, body in ear.messages(record.octets):
                    yield from self._message(kind, body)
            case 21 if len(record.octets) == 2 and record.octets[0] in (1, 2):
                number = record.octets[1]
                yield self._alert(Alert(side, record.octets[0] == 2, ALERTS.get(number, f"number {number}")))
            case 20 if modern:  # it only pleases middleboxes, RFC 8446 appendix D.4
                pass
            case 23 if modern and record.length <= ENCRYPTED_ALERT:
                ear.deaf = True
                yield self._alert(Alert(side, True, ""))
            case _:
                ear.deaf = True

    def _message(self, kind: int, body: bytes) -> Iterator[Fact]:
        match kind:
            case 1:
                self.client = client_hello(body)
                self._ears[Side.CLIENT].wanted = ()
                yield _offered(self.client)
            case 2:
                self.server = server_hello(body)
                if body[2:34] != RETRY:
                    old = self.server.version != "TLSv1.3"
                    self._ears[Side.SERVER].wanted = (SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE) if old else ()
                    yield _chosen(self.server)
            case _:
                self._ears[Side.SERVER].wanted = ()
                if kind == SERVER_KEY_EXCHANGE and self.server:
                    self.server = self.server._replace(group=exchanged_group(body, self.server.cipher))

    def _alert(self, alert: Alert) -> Fact:
        if len(self.alerts) < MOST_ALERTS:
            self.alerts.append(alert)
        return _told(alert)


class _Record(NamedTuple):
    kind: int
    length: int
    octets: bytes


class _Ear:
    """One side: octets in, records out, and the handshake messages of the kinds that are `wanted`."""

    def __init__(self, hello: int) -> None:
        self.deaf = False
        self.wanted: tuple[int, ...] = (hello,)
        self._hello = hello
        self._octets = bytearray()
        self._messages = bytearray()
        self._passing = 0  # octets of an unwanted message that are still to come

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
            self._messages.clear()

    def messages(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """The wanted messages that are whole now, each with its kind. A hello comes first, or it is no TLS."""
        self._messages += octets
        while self.wanted and not self.deaf:
            passed = min(self._passing, len(self._messages))
            del self._messages[:passed]
            self._passing -= passed
            if self._passing or len(self._messages) < 4:
                return
            kind, length = self._messages[0], int.from_bytes(self._messages[1:4])
            if kind not in self.wanted and self._hello not in self.wanted:
                self._passing = 4 + length
            elif kind not in self.wanted or length > LONGEST_HELLO:
                self.deaf = True
            elif len(self._messages) < 4 + length:
                return
            else:
                body = bytes(self._messages[4 : 4 + length])
                del self._messages[: 4 + length]
                yield kind, body
        self._messages.clear()


def _offered(hello: ClientHello) -> Fact:
    host = f"for {hello.name}" if hello.name else "and names no host"
    alpn = f", ALPN {', '.join(hello.alpn)}" if hello.alpn else ""
    return Fact(False, f"TLS passes through: the client offers {', '.join(hello.versions)} {host}{alpn}", hello)


def _chosen(hello: ServerHello) -> Fact:
    return Fact(False, f"TLS passes through: the server chose {hello.version}, {hello.cipher}", hello)


def _told(alert: Alert) -> Fact:
    match alert:
        case Alert(description="close_notify"):
            return Fact(False, f"TLS ended: alert close_notify from the {alert.side}", alert)
        case Alert(fatal=False):
            return Fact(False, f"TLS warning: alert {alert.description} from the {alert.side}", alert)
        case Alert(description=""):
            return Fact(True, f"TLS failed: an encrypted alert from the {alert.side} before it had finished", alert)
        case _:
            return Fact(True, f"TLS failed: alert {alert.description} from the {alert.side}", alert)
