"""What is known of a dialog or a code, and by what the recorded sessions that have it are found."""

from collections.abc import Callable
from typing import NamedTuple

from mailproxy.model.session import Recording
from mailproxy.store.search import Query


class Trace(NamedTuple):
    """What recorded sessions must have: they answer the query, and `holds` of each, where that is asked."""

    query: Query
    holds: Callable[[Recording], bool] | None = None


class Answer(NamedTuple):
    """One thing that is meant: of which kind it is, its name, what happened on the wire in plain words, what to do."""

    kind: str
    name: str
    means: str
    source: str
    remedy: str = ""
    traces: tuple[Trace, ...] = ()
