"""Octets as text that harms no terminal and loses nothing: the escapes of a transcript.

Printable UTF-8 stands as it is; everything else is `\\xNN`, and a backslash is `\\\\`.
"""

import re

_PLAIN = re.compile(rb"[ -\[\]-~]*")
_ESCAPE = re.compile(r"\\(?:\\|x([0-9A-Fa-f]{2}))")
# Marks that reorder or hide what stands around them, though Unicode calls some of them printable.
_HARMFUL = frozenset("\u00ad\u061c\u115f\u1160\u3164\uffa0")


def escape(octets: bytes) -> str:
    """The octets, without a line end of theirs, as text."""
    if _PLAIN.fullmatch(octets):
        return octets.decode("ascii")
    return "".join(map(_character, octets.decode("utf-8", "surrogateescape")))


def escape_text(text: str) -> str:
    """A text that may hold anything, as text that harms no terminal."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_character, text))


def unescape(text: str) -> bytes:
    """The octets that `escape` was given. A backslash that begins no escape stands for itself."""
    if "\\" not in text:
        return text.encode("utf-8", "surrogateescape")
    octets = bytearray()
    at = 0
    for found in _ESCAPE.finditer(text):
        octets += text[at : found.start()].encode("utf-8", "surrogateescape")
        octets += bytes([int(found[1], 16)]) if found[1] else b"\\"
        at = found.end()
    return bytes(octets) + text[at:].encode("utf-8", "surrogateescape")


def _character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character.isprintable() and character not in _HARMFUL:
        return character
    return "".join(f"\\x{octet:02x}" for octet in character.encode("utf-8", "surrogatepass"))
