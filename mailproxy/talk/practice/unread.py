"""What a client has sent and the server has not read yet.

The readers are generators that yield None while octets are short, so a server reads like its RFC.
"""

from collections.abc import Generator
from typing import Final, TypeVar

LINE_LIMIT: Final = 2048
_END: Final = b"\r\n.\r\n"

T = TypeVar("T")
Reading = Generator[None, None, T]


class Unread:
    """Octets in the order in which they came."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> None:
        """Add what came from the wire."""
        self._octets += octets

    def line(self, limit: int = LINE_LIMIT) -> Reading[bytes | None]:
        """The next line without its CRLF or bare LF; None where it is over `limit` octets long."""
        seen = 0
        while (end := self._octets.find(b"\n", seen)) < 0:
            del self._octets[limit + 1 :]
            seen = len(self._octets)
            yield
        line = self._take(end + 1)
        return line[:-1].removesuffix(b"\r") if len(line) <= limit else None

    def exactly(self, length: int) -> Reading[bytes]:
        """The next `length` octets, whatever they are."""
        while len(self._octets) < length:
            yield
        return self._take(length)

    def skip(self, length: int) -> Reading[None]:
        """Read the next `length` octets and keep none of them."""
        while length > len(self._octets):
            length -= len(self._octets)
            self._octets.clear()
            yield
        del self._octets[:length]

    def content(self, limit: int) -> Reading[bytes | None]:
        """A message up to CRLF . CRLF, its dots undoubled (RFC 5321 section 4.5.2).

        None where it is over `limit` octets long, dots and all. Nothing but CRLF . CRLF ends it.
        """
        self._octets[:0] = b"\r\n"  # the line end of DATA: a dot that comes at once ends an empty message
        seen = 0
        too_long = False
        while (end := self._octets.find(_END, seen)) < 0:
            if too_long := too_long or len(self._octets) > limit + len(_END):
                del self._octets[: -len(_END)]
            seen = max(0, len(self._octets) - len(_END) + 1)
            yield
        wire = self._take(end + len(_END))
        if too_long or end > limit:
            return None
        return wire[: end + 2].replace(b"\r\n.", b"\r\n")[2:]

    def for_ever(self) -> Reading[None]:
        """Read on and on, and never come back."""
        while True:
            self._octets.clear()
            yield

    def _take(self, length: int) -> bytes:
        octets = bytes(self._octets[:length])
        del self._octets[:length]
        return octets
