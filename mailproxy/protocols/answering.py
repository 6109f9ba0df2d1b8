"""How the server's part of a protocol is played again: which commands mean the same, what an unknown one gets."""

from typing import NamedTuple


class Answering(NamedTuple):
    """The server's part of a protocol, as it is played again."""


ANSWERING = Answering()
"""Only what was recorded is answered."""
