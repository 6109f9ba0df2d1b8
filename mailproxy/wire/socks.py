"""The server's side of SOCKS: version 5 (RFC 1928), and 4 and 4A, which never became RFCs.

Octets in; answers, and at last a request, out. It raises on no octets, and holds less than 1 KiB of those
that it waits behind. Only CONNECT is served. A user and a password (RFC 1929) are taken where a program has
no other method, whatever they are, and kept nowhere.
"""

import re
from collections.abc import Callable, Generator
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from mailproxy.model.session import How
from mailproxy.wire.sniff import Sniffed, sniff

LONGEST: Final = 256  # octets of a user or a name of version 4 with its NUL: as long as they can be in version 5
LONGEST_REQUEST: Final = 8192
CONNECT: Final = 1
NO_AUTHENTICATION, USER_AND_PASSWORD, NO_METHOD = 0x00, 0x02, 0xFF
_LABEL: Final = r"(?:[A-Za-z0-9_-]|[^\x00-\x7f])+"
NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
SPEAK_SOCKS: Final = "enter it in the program as SOCKS v5 host"


class Code(IntEnum):
    """The replies of RFC 1928 section 6 that are given here."""

    GRANTED = 0
    FAILED = 1
    NOT_ALLOWED = 2
    NO_ROUTE = 3
    UNREACHABLE = 4
    REFUSED = 5
    NO_COMMAND = 7
    NO_ADDRESS_TYPE = 8


CODES: Final = {
    None: Code.GRANTED,
    How.REFUSED: Code.REFUSED,
    How.TIMED_OUT: Code.UNREACHABLE,
    How.NO_ROUTE: Code.NO_ROUTE,
    How.NO_NAME: Code.UNREACHABLE,
}


class Kind(StrEnum):
    """What a request names its server by."""

    NAME = "name"
    IPV4 = "IPv4"
    IPV6 = "IPv6"


class Request(NamedTuple):
    """A server that a client wants to be connected to. `host` is a name or an address as text, `version` 4 or 5."""

    host: str
    port: int
    kind: Kind
    version: int = 5


class Refused(NamedTuple):
    """No request will come; why, in a line for people that repeats nothing of what was said."""

    reason: str


class Heard(NamedTuple):
    """What to answer, what it has come to, and the octets behind a request, which are no part of SOCKS."""

    answer: bytes
    outcome: Request | Refused | None = None
    leftover: bytes = b""


Steps = Generator[None, None, Request | Refused]


class Reception:
    """Hears one client until it has asked, or is refused.

    `page` answers the first line of an HTTP request: of such a client nothing is to be told, its reason is empty.
    """

    __slots__ = ("_answer", "_buffer", "_denial", "_outcome", "_page", "_steps")

    def __init__(self, page: Callable[[bytes], bytes] | None = None) -> None:
        self._page = page
        self._outcome: Request | Refused | None = None
        self._buffer = b""
        self._answer = b""
        self._denial = b""  # what is sent to a client that will not come to its request
        self._steps = self._hear()
        next(self._steps)

    def feed(self, octets: bytes) -> Heard:
        """Hear octets of the client. Behind a request all are left over, behind a refusal all are dropped."""
        match self._outcome:
            case Request():
                return Heard(b"", None, octets)
            case Refused():
                return Heard(b"")
        self._buffer += octets
        outcome: Request | Refused | None = None
        try:
            next(self._steps)
        except StopIteration as stop:
            outcome = stop.value
        return self._told(outcome)

    def give_up(self, reason: str) -> Heard:
        """Refuse a client that has ended its stream or takes too long."""
        if self._outcome:
            return Heard(b"")
        self._answer = self._denial
        self._steps.close()
        return self._told(Refused(reason))

    def _told(self, outcome: Request | Refused | None) -> Heard:
        answer, self._answer = self._answer, b""
        if outcome is None:
            return Heard(answer)
        self._outcome = outcome
        leftover, self._buffer = self._buffer, b""
        return Heard(answer, outcome, leftover if isinstance(outcome, Request) else b"")

    # How it reads.

    def _hear(self) -> Steps:
        while not self._buffer:
            yield
        match self._buffer[0]:
            case 5:
                return (yield from self._version_5())
            case 4:
                return (yield from self._version_4())
            case _:
                return (yield from self._stranger())

    def _version_5(self) -> Steps:
        self._denial = bytes((5, NO_METHOD))
        _, count = yield from self._exactly(2)
        methods = yield from self._exactly(count)
        if NO_AUTHENTICATION in methods:
            self._answer += bytes((5, NO_AUTHENTICATION))
        elif USER_AND_PASSWORD in methods:
            self._answer += bytes((5, USER_AND_PASSWORD))
            if not (yield from self._authentication()):
                return self._refuse("SOCKS5 user and password came in a form that RFC 1929 does not know")
        else:
            return self._refuse("SOCKS5 with a method of authentication that is not known here; use none")
        self._denial = reply(Code.FAILED)
        return (yield from self._request_5())

    def _authentication(self) -> Generator[None, None, bool]:
        """Pass over a user and a password (RFC 1929 section 2)."""
        self._denial = b"\x01\x01"
        version, length = yield from self._exactly(2)
        if version != 1:
            return False
        yield from self._exactly(length)
        (length,) = yield from self._exactly(1)
        yield from self._exactly(length)
        self._answer += b"\x01\x00"
        return True

    def _request_5(self) -> Steps:
        found: tuple[str, Kind] | None
        version, command, _, address_type = yield from self._exactly(4)
        if version != 5:
            return self._refuse("a SOCKS5 request of another version than 5")
        match address_type:
            case 1:
                found = _address((yield from self._exactly(4)))
            case 4:
                found = _address((yield from self._exactly(16)))
            case 3:
                (length,) = yield from self._exactly(1)
                found = _host((yield from self._exactly(length)))
            case _:
                return self._refuse(f"SOCKS5 address type {address_type} is not known", Code.NO_ADDRESS_TYPE)
        port = int.from_bytes((yield from self._exactly(2)))
        if command != CONNECT:
            return self._refuse(f"SOCKS5 command {command} is not served, only CONNECT", Code.NO_COMMAND)
        if found is None:
            return self._refuse("SOCKS5 request for something that is no host name", Code.FAILED)
        return Request(found[0], port, found[1])

    def _version_4(self) -> Steps:
        self._denial = reply(Code.FAILED, version=4)
        head = yield from self._exactly(8)
        if (yield from self._until_nul()) is None:
            return self._refuse(f"SOCKS4 user longer than {LONGEST} octets")
        found: tuple[str, Kind] | None = _address(head[4:])
        if head[4:7] == b"\0\0\0" and head[7]:  # 4A: a name follows
            name = yield from self._until_nul()
            found = None if name is None else _host(name)
        if head[1] != CONNECT:
            return self._refuse(f"SOCKS4 command {head[1]} is not served, only CONNECT")
        if found is None:
            return self._refuse("SOCKS4A request for something that is no host name")
        return Request(found[0], int.from_bytes(head[2:4]), found[1], 4)

    def _stranger(self) -> Steps:
        while (found := sniff(self._buffer)) is Sniffed.SHORT:
            yield
        if found is Sniffed.HTTP:
            self._denial = HTTP_DENIAL
            if self._page:
                return (yield from self._show(self._page))
        return self._refuse(f"{found or 'what was said'} is no SOCKS: {SPEAK_SOCKS}")

    def _show(self, page: Callable[[bytes], bytes]) -> Steps:
        while b"\n" not in self._buffer and len(self._buffer) < LONGEST_REQUEST:
            yield
        self._answer = page(self._buffer[:LONGEST_REQUEST])
        return Refused("")

    # How it waits and answers.

    def _exactly(self, length: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < length:
            yield
        return self._take(length)

    def _until_nul(self) -> Generator[None, None, bytes | None]:
        """The octets up to a NUL, which is passed over; None where they are more than can be."""
        while (end := self._buffer.find(b"\0", 0, LONGEST)) < 0:
            if len(self._buffer) >= LONGEST:
                return None
            yield
        return self._take(end + 1)[:-1]

    def _take(self, length: int) -> bytes:
        octets, self._buffer = self._buffer[:length], self._buffer[length:]
        return octets

    def _refuse(self, reason: str, code: Code | None = None) -> Refused:
        self._answer += self._denial if code is None else reply(code)
        return Refused(reason)


def reply(how: How | Code | None, address: str = "", port: int = 0, version: int = 5) -> bytes:
    """The reply to a request: None says that it was granted, else why not.

    `address` and `port` are those that the connection to the server goes out from (RFC 1928 section 6), zeros where
    `address` is none or of a kind that the version of the request does not know.
    """
    code = how if isinstance(how, Code) else CODES.get(how, Code.FAILED)
    bound = _parsed(address.partition("%")[0]) or IPv4Address(0)
    if version == 4:
        bound = bound if isinstance(bound, IPv4Address) else IPv4Address(0)
        return bytes((0, 91 if code else 90)) + port.to_bytes(2) + bound.packed
    return bytes((5, code, 0, 1 if bound.version == 4 else 4)) + bound.packed + port.to_bytes(2)


def _address(octets: bytes) -> tuple[str, Kind]:
    address = ip_address(octets)
    return str(address), Kind.IPV4 if address.version == 4 else Kind.IPV6


def _host(octets: bytes) -> tuple[str, Kind] | None:
    """A name, or the address that some programs write in the place of one; None where it is neither."""
    try:
        name = octets.decode()
    except UnicodeDecodeError:
        return None
    if NAME.fullmatch(name) and name.isprintable():
        address = _parsed(name)
        return (name, Kind.NAME) if address is None else _address(address.packed)
    address = _parsed(name.removeprefix("[").removesuffix("]")) if "%" not in name else None
    return None if address is None else _address(address.packed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


_ADVICE: Final = f"This port of mailproxy speaks SOCKS, not HTTP: {SPEAK_SOCKS}.\n".encode()
HTTP_DENIAL: Final = (
    b"HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(_ADVICE) + _ADVICE
)
"""What a program that takes the port for an HTTP proxy can show its user (RFC 9110 section 15.6.2)."""
