"""Octets that end with a line of a single dot (RFC 5321 section 4.1.1.4, RFC 1939 section 3).

Only CRLF . CRLF is an end. The look-alikes (LF . LF, LF . CRLF, CRLF . LF, CR . CR) are none, but some
server may take one for an end: that is what SMTP smuggling lives on. Looking for them costs four times
what looking for the end costs, so it is done where somebody asks, never while octets are on their way.
"""

import re
from typing import Final

END: Final = b"\r\n.\r\n"
TAIL: Final = len(END) - 1
_ALIKE: Final = re.compile(rb"(?<!\r)\n\.\r?\n|\r\n\.\n|\r\.\r")
_FIRST_ALIKE: Final = re.compile(rb"\.\n")


def find_end(octets: bytes, first: bool) -> int:
    """The index just behind the end, -1 where it is not there; `octets` begin the content where `first`.

    Where they do not, they must begin with the last `TAIL` octets of what was searched before, so that an
    end that was torn is found.
    """
    if first and octets.startswith(b".\r\n"):
        return 3
    found = octets.find(END)
    return found + len(END) if found >= 0 else -1


def find_alike(octets: bytes, first: bool) -> int:
    """The index just behind the first look-alike of an end, -1 where there is none."""
    if first and (found := _FIRST_ALIKE.match(octets)):
        return found.end()
    found = _ALIKE.search(octets)
    return found.end() if found else -1


def undouble(content: bytes) -> bytes:
    """The message that `content`, its end included, carries: dots at line starts undoubled, the end left out."""
    if content == b".\r\n":
        return b""
    if content.endswith(END):
        content = content[: -len(END) + 2]
    content = content.replace(b"\r\n..", b"\r\n.")
    return content[1:] if content.startswith(b"..") else content
