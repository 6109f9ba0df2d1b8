"""The numbers of sessions, which come from the database in small blocks."""

from collections import deque
from typing import Final

from sqlalchemy import Connection, update

from mailproxy.store.tables import COUNTER

BLOCK: Final = 16
_SESSION: Final = COUNTER.c.name == "session"


class Numbers:
    """Numbers that are taken from the database and not yet given to a session."""

    def __init__(self) -> None:
        self._free: deque[int] = deque()

    def next(self) -> int | None:
        """The lowest of them, None where a block has to be taken first."""
        return self._free.popleft() if self._free else None

    @property
    def low(self) -> bool:
        """Whether it is time to take a block."""
        return len(self._free) < BLOCK // 2

    def add(self, first: int) -> None:
        """Add the block that begins with `first`."""
        self._free.extend(range(first, first + BLOCK))

    def give_back(self, connection: Connection) -> None:
        """Give back what is left, as far as nobody has taken more since."""
        while self._free and _lower(connection, self._free[-1]):
            self._free.pop()


def take(connection: Connection, count: int) -> int:
    """Take so many numbers, and tell the first of them."""
    raised = update(COUNTER).where(_SESSION).values(next_id=COUNTER.c.next_id + count).returning(COUNTER.c.next_id)
    return int(connection.execute(raised).scalar_one()) - count


def raise_over(connection: Connection, session_id: int) -> None:
    """See to it that nobody gets this number again."""
    behind = COUNTER.c.next_id <= session_id
    connection.execute(update(COUNTER).where(_SESSION, behind).values(next_id=session_id + 1))


def _lower(connection: Connection, last: int) -> bool:
    lowered = update(COUNTER).where(_SESSION, COUNTER.c.next_id == last + 1).values(next_id=last)
    return connection.execute(lowered).rowcount == 1
