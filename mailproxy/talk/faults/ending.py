"""The connection ends, in order or not."""

from dataclasses import dataclass
from typing import Final

from mailproxy.talk.faults.fault import SPOTS, Kind, What, nothing
from mailproxy.talk.faults.orders import Break, Close, Order


@dataclass(frozen=True, slots=True)
class Ending(What):
    """An end of the connection."""

    order: Close | Break

    @property
    def says(self) -> str:
        return "connection closed by mailproxy" if isinstance(self.order, Close) else "connection reset by mailproxy"

    def deed(self) -> tuple[Order, ...]:
        return (self.order,)


def close(text: str) -> What:
    nothing(text, "close")
    return Ending(Close())


def reset(text: str) -> What:
    nothing(text, "reset")
    return Ending(Break())


CLOSE: Final = Kind(
    "close",
    "at|after WHERE close, at content close after N octets",
    "the connection ends (FIN) for both sides: with `at` before what stands there goes on (a command is not passed on, "
    "a greeting not handed over), with `after` behind it (behind the last reply to a command, behind the dot of a "
    "message)",
    "after DATA close",
    SPOTS,
    close,
)
RESET: Final = Kind(
    "reset", "at|after WHERE reset, at content reset after N octets", "the same, but it breaks (RST)",
    "at content reset after 1000 octets", SPOTS, reset,
)  # fmt: skip
