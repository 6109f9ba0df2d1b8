"""What a lint says: that something in a session is odd, whatever came of it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence


class Found(NamedTuple):
    """One oddity: a sentence, and where it stands."""

    summary: str
    evidence: tuple[Evidence, ...] = ()


class Lint(NamedTuple):
    """A lint: what it is called, what it looks for in one line, and how it looks at a session."""

    name: str
    knows: str
    look: Callable[[View], Iterable[Found]]


def times(count: int, what: str) -> str:
    """So many of something: `1 line`, `12 lines`."""
    return f"{count} {what}{'' if count == 1 else 's'}"
