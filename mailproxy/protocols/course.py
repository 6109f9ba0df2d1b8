"""What a protocol says of the course of its sessions, so that two of them can be compared by meaning."""

import re
from collections.abc import Callable
from typing import NamedTuple

from mailproxy.model.exchange import Exchange


def by_argument(exchange: Exchange) -> str:
    """A command is about what stands behind its verb."""
    return exchange.argument


class Volatile(NamedTuple):
    """What differs from session to session and means nothing: a pattern, and the name that stands for what it finds."""

    pattern: re.Pattern[str]
    name: str


class Course(NamedTuple):
    """How sessions of a protocol go.

    `volatile` is looked for in arguments and replies, in this order. `about` tells what a command is about (a
    recipient, a message), where several of a verb stand in one phase. `listings` are the verbs whose answer lists
    capabilities, the order of which means nothing.
    """

    volatile: tuple[Volatile, ...] = ()
    about: Callable[[Exchange], str] = by_argument
    listings: frozenset[str] = frozenset()


COURSE = Course()
"""Nothing is volatile."""
