"""Who watches a recording, and what is told to them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mailproxy.app.judging import Remembered
from mailproxy.app.routes import Route
from mailproxy.model.finding import Verdict
from mailproxy.model.line import Line
from mailproxy.model.session import Session


class Listening(NamedTuple):
    """A route, and the real address that it listens on."""

    route: Route
    host: str
    port: int


class Screen(Protocol):
    """Who watches."""

    def listening(self, where: Sequence[Listening]) -> None:
        """All listeners are up."""

    def waiting(self, where: Sequence[Listening]) -> None:
        """No connection has been seen yet on these."""

    def began(self, session: Session) -> None:
        """A session has begun."""

    def said(self, number: int, lines: Sequence[Line]) -> None:
        """Lines of a session are whole."""

    def ended(self, session: Session, verdict: Verdict | None, remembered: Remembered) -> None:
        """A session is over; `verdict` is None where all went plainly well, but can be had from `remembered`."""

    def trouble(self, text: str) -> None:
        """Something is wrong that the user must know."""
