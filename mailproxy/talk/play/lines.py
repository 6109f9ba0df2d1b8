"""The client's octets, line by line."""

import re
from collections.abc import Callable, Iterator
from typing import Final

_LINE: Final = re.compile(rb"\xff|[^\n\xff]*\n|[^\n\xff]+")
_SHORT: Final = 8


class Lines:
    """Cuts what comes into lines and parts of lines, and knows how the last line begins and whether it has ended.

    A Telnet command may begin with 0xFF, so that is cut off too.
    """

    def __init__(self) -> None:
        self.ended = True
        self._begun = b""

    def cut(self, octets: bytes, in_message: Callable[[], bool]) -> Iterator[bytes]:
        """The octets in parts; while the client is `in_message`, as much at once as cannot hold the message's end."""
        at = 0
        while at < len(octets):
            if in_message() and not (self._begun.startswith(b".") and not self.ended):
                end = octets.find(b".\r\n", at) + 3
                end = end if end > 2 else len(octets)
            else:
                found = _LINE.match(octets, at)
                assert found
                end = found.end()
            self._see(octets[at:end])
            yield octets[at:end]
            at = end

    def says(self, word: bytes) -> bool:
        """Whether the last line has ended and says this."""
        return self.ended and self._begun.rstrip(b"\r\n") == word

    def _see(self, part: bytes) -> None:
        last = part.rfind(b"\n", 0, -1) + 1
        self._begun = (part[last:] if self.ended or last else self._begun + part)[:_SHORT]
        self.ended = part.endswith(b"\n")
