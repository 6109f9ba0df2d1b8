"""A line of a transcript, before it is text: what screens colour and files write."""

from typing import NamedTuple

from mailproxy.model.octets import Side


class Line(NamedTuple):
    """`mark` takes four columns (` -> `, `<~  `, `=== ` …); `side` is None where no peer spoke.

    `at` is in microseconds since the session began; `text` is escaped already.
    """

    mark: str
    text: str
    at: int
    side: Side | None = None
