"""The numbers of sessions, which come from the database in blocks that grow as they are used up."""

from collections import deque
from typing import Final

from sqlalchemy import Connection, select, update

from mailproxy.store.tables import COUNTER

BLOCK: Final = 64
LARGEST_BLOCK: Final = 1024
FEW: Final = 4
_SESSION: Final = COUNTER.c.name == "session"


class Numbers:
    """Numbers that are taken from the database and not yet given to a session."""

    def __init__(self) -> None:
        self._free: deque[int] = deque()
        self.block = BLOCK
        """How many to take next."""

    def next(self) -> int | None:
        """The lowest of them, None where a block has to be taken first."""
        return self._free.popleft() if self._free else None

    @property
    def low(self) -> bool:
        """Whether it is time to take a block."""
        return len(self._free) < self.block // 4

    def overtaken(self, following: int) -> bool:
        """Whether somebody else has taken numbers since, where `following` is the next that the database gives."""
        return bool(self._free) and self._free[-1] + 1 < following

    def forget(self) -> None:
        """Use none of them, and take few next time: a gap in the numbers harms nobody, but looks odd."""
        self._free.clear()
        self.block = FEW

    def add(self, first: int) -> None:
        """Add the block that begins with `first`."""
        self._free.extend(range(first, first + self.block))
        self.block = min(2 * self.block, LARGEST_BLOCK)

    def give_back(self, connection: Connection) -> None:
        """Give back what is left, as far as nobody has taken more since."""
        while self._free:
            last = first = self._free.pop()
            while self._free and self._free[-1] == first - 1:
                first = self._free.pop()
            if not _lower(connection, first, last):
                return


def take(connection: Connection, count: int) -> int:
    """Take so many numbers, and tell the first of them."""
    raised = update(COUNTER).where(_SESSION).values(next_id=COUNTER.c.next_id + count).returning(COUNTER.c.next_id)
    return int(connection.execute(raised).scalar_one()) - count


def following(connection: Connection) -> int:
    """The next number that the database gives."""
    return int(connection.execute(select(COUNTER.c.next_id).where(_SESSION)).scalar_one())


def raise_over(connection: Connection, session_id: int) -> None:
    """See to it that nobody gets this number again."""
    behind = COUNTER.c.next_id <= session_id
    connection.execute(update(COUNTER).where(_SESSION, behind).values(next_id=session_id + 1))


def _lower(connection: Connection, first: int, last: int) -> bool:
    lowered = update(COUNTER).where(_SESSION, COUNTER.c.next_id == last + 1).values(next_id=first)
    return connection.execute(lowered).rowcount == 1
