"""The recorded client speaks again, to any server: a relay whose client is a recording."""

from typing import NamedTuple

from mailproxy.talk.play.acting import Acting
from mailproxy.talk.typist import Close, Send, StartTls, TakeDown

__all__ = ["Acting", "Action", "Close", "Pause", "Reset", "Send", "StartTls", "TakeDown"]


class Pause(NamedTuple):
    """Call `woke` in so many seconds."""

    seconds: float


class Reset(NamedTuple):
    """Break the connection (RST)."""


Action = Send | TakeDown | StartTls | Close | Reset | Pause
