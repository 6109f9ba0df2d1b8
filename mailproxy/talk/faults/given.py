"""Orders as they are given: at the pace that holds, up to the end of the connection and not beyond."""

from typing import Final

from mailproxy.talk.faults.orders import Break, Close, Order
from mailproxy.talk.faults.pace import Pace, joined


class Given:
    """Gathers the orders of one event."""

    def __init__(self) -> None:
        self.over = False
        self._paces: Final[list[Pace]] = []
        self._paced: list[Order] = []
        self._orders: list[Order] = []

    def give(self, *orders: Order) -> None:
        """Have these done next."""
        for order in orders:
            if not self.over:
                self._orders.append(order)
                self.over = isinstance(order, Close | Break)

    def slow_down(self, pace: Pace) -> None:
        """Have all from here on go at this pace too."""
        self._settle()
        self._paces.append(pace)

    def taken(self) -> list[Order]:
        """All that is to be done."""
        self._settle()
        orders, self._paced = self._paced, []
        return orders

    def _settle(self) -> None:
        orders, self._orders = joined(self._orders), []
        for pace in self._paces:
            orders = list(pace.go(orders))
        self._paced += orders
