"""Octets as they are written in a fault."""

import re
from typing import Final

from mailproxy.talk.faults.fault import FaultError

_ESCAPE: Final = re.compile(r"\\(?:([nrt\\])|x([0-9A-Fa-f]{2}))")
_MEANS: Final = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}


def octets(text: str) -> bytes:
    r"""The octets: `\r`, `\n`, `\t`, `\\` and `\xNN` are escapes; quotes around the whole are none of it."""
    text = unquoted(text)
    found = bytearray()
    at = 0
    for escape in _ESCAPE.finditer(text):
        found += text[at : escape.start()].encode("utf-8", "surrogateescape")
        found += _MEANS[escape[1]] if escape[1] else bytes([int(escape[2], 16)])
        at = escape.end()
    return bytes(found) + text[at:].encode("utf-8", "surrogateescape")


def unquoted(text: str) -> str:
    """The text without quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def seconds(text: str, name: str) -> float:
    """A number of seconds, or of milliseconds where `ms` stands behind it; raises FaultError."""
    digits, milli, _ = text.lower().partition("ms")
    try:
        value = float(digits) / (1000 if milli else 1)
    except ValueError:
        value = -1
    if not 0 < value <= 86_400:
        raise FaultError(f"{name} for how many seconds? {text!r} is none: write {name} 5, {name} 0.2 or {name} 200ms")
    return value


def count(text: str, name: str) -> int:
    """A number of octets; raises FaultError."""
    if not (text.isascii() and text.isdigit() and int(text[:18]) > 0):
        raise FaultError(f"{name} how many octets? {text!r} is no number: write {name} 100")
    return int(text[:18])
