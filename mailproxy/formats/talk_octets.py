"""What a peer said in one line of a transcript, as text and back, to the last octet."""

import re
from typing import Final

from mailproxy.model.escape import escape, unescape

FOLDS: Final = "(message,"
"""What a line begins with, if a message is folded in it."""
FOLDED: Final = re.compile(r"\(message,(?: [0-9]{1,15} lines?,)? ([0-9]{1,15}) octets?(?: so far)?\)")

# Backslashes before it stand in pairs, so that the last one belongs to no escape.
_END = re.compile(r"(?<!\\)(?:\\\\)*(\\r\\n|\\r|\\n|\\)\Z")
_OCTETS = {r"\r\n": b"\r\n", r"\r": b"\r", r"\n": b"\n", "\\": b""}


def shown(octets: bytes) -> str:
    """The text for one line with its end, or for that part of a line that was heard."""
    if octets.endswith(b"\r\n"):
        text = escape(octets[:-2])
        return f"\\x28{text[1:]}" if FOLDED.fullmatch(text) else text
    if octets.endswith((b"\r", b"\n")):
        return escape(octets[:-1]) + (r"\n" if octets.endswith(b"\n") else r"\r")
    return escape(octets) + "\\"


def heard(text: str) -> bytes:
    """The octets that `shown` was given."""
    if found := _END.search(text) if "\\" in text[-2:] else None:
        return unescape(text[: found.start(1)]) + _OCTETS[found[1]]
    return unescape(text) + b"\r\n"
