"""The pace at which octets go on."""

from collections.abc import Iterator
from typing import Protocol

from mailproxy.talk.faults.orders import Hand, Order, Pass


class Pace(Protocol):
    """Parts octets, or puts pauses between them; what they are stays."""

    def go(self, orders: list[Order]) -> Iterator[Order]:
        """The orders at this pace."""


def parted(order: Hand | Pass, size: int) -> tuple[Hand | Pass, Hand | Pass]:
    """An order for the first octets and one for the rest."""
    return order._replace(octets=order.octets[:size]), order._replace(octets=order.octets[size:])


def joined(orders: list[Order]) -> list[Order]:
    """Neighbours that go the same way in one piece."""
    found: list[Order] = []
    for order in orders:
        match found[-1:], order:
            case _, Hand(b"") | Pass(b""):
                pass
            case [Hand(said, own)], Hand(octets, also) if own == also:
                found[-1] = Hand(said + octets, own)
            case [Pass(asked)], Pass(octets):
                found[-1] = Pass(asked + octets)
            case _:
                found.append(order)
    return found
