"""How the client's part of a protocol is played again: what would do harm, what has to be computed anew."""

from typing import NamedTuple


class Asking(NamedTuple):
    """The client's part of a protocol, as it is played again."""


ASKING = Asking()
"""Everything is said as it was."""
