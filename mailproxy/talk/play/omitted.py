"""What stands in for octets of a message that nobody kept: as many, so that what was announced is still true."""

from collections.abc import Iterator
from typing import Final

_LINE: Final = b"-" * 70 + b"\r\n"
_LINES: Final = _LINE * 900


def filling(length: int) -> Iterator[bytes]:
    """A line that says how many octets are missing, and lines without meaning: `length` octets in all."""
    told = f"\r\n[{length} octets of the message are not in the record]\r\n".encode()
    yield told[:length]
    left = length - len(told)
    while left > len(_LINES):
        yield _LINES
        left -= len(_LINES)
    if left > 0:
        yield (_LINES[: left - 2] + b"\r\n")[-left:]
