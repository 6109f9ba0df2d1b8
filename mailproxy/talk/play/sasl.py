"""What the client's side of a SASL exchange (RFC 4422) is made of, whatever its mechanism."""

import binascii
from collections.abc import Generator

Steps = Generator[bytes, bytes, None]
"""Begun with `next`, it is sent one challenge after another, empty where there is none, and yields the answers."""


class Impossible(Exception):
    """The exchange cannot go on: one line that says why, with nothing secret in it."""


def octets(text: str) -> bytes:
    """A text in UTF-8, as it came."""
    return text.encode("utf-8", "surrogateescape")


def decoded(base64: str) -> bytes:
    """What stands in base64; a server that puts none is taken to have put nothing."""
    try:
        return binascii.a2b_base64(octets(base64), strict_mode=True)
    except binascii.Error:
        return b""
