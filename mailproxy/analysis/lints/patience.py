"""Clients that left because the time was up that they give a server."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.clients.patience import gave_up
from mailproxy.analysis.lint import Found, Lint
from mailproxy.analysis.view import View


def timed_out(view: View) -> Iterator[Found]:
    """A program that gave up after its own timeout."""
    found = gave_up(view)
    if found:
        yield Found(found.summary, found.evidence)


LINTS: Final = (Lint("client-timeout", "a program that left after its own timeout, and where that is set", timed_out),)
