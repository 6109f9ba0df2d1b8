"""What is heard, on its way to the database: into the journal at once, into the tables in batches."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame
from mailproxy.model.session import Session
from mailproxy.store.engine import busy, writing
from mailproxy.store.journal import Journal
from mailproxy.store.numbers import Numbers, following, take
from mailproxy.store.records import pack, pack_header
from mailproxy.store.rows import Header, header
from mailproxy.store.statements import Batch, Large, count, put_headers, put_large, write
from mailproxy.store.trouble import DatabaseBusy, RecordingStopped, reason

IDLE: Final = 1.0  # seconds
LARGE: Final = 32_768
STEP: Final = 8 << 20


class Recorder:
    """Takes sessions down. `write` and its kin may be called while another thread is in `flush`.

    `bound_rows`, `bound_octets` and `bound_journal` say when it is `full` and wants to be flushed; at four times as
    many rows or octets it takes nothing more. Of frames from `LARGE` octets on only the place in the journal is kept in
    memory. Raises RecordingStopped where the journal cannot be written.
    """

    def __init__(
        self,
        engine: Engine,
        journal_dir: Path,
        *,
        bound_rows: int = 20_000,
        bound_octets: int = 16 << 20,
        bound_journal: int = 512 << 20,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._engine = engine
        self._bound_rows, self._bound_octets, self._bound_journal = bound_rows, bound_octets, bound_journal
        self._most_rows, self._most_octets = 4 * bound_rows, 4 * bound_octets
        self._journal = Journal(journal_dir)
        self._numbers = Numbers()
        self._clock = clock
        self._asked = clock()
        self._open: dict[int, Header] = {}
        self._batch = Batch()  # what comes goes here
        self._stuck = Batch()  # what the database has not taken yet, in the journal's other file
        self._lock = Lock()
        self._flushing = Lock()
        self.trouble = ""

    @property
    def due(self) -> bool:
        """Whether anything waits to be flushed."""
        return bool(self._batch.rows or self._stuck.rows)

    @property
    def full(self) -> bool:
        """Whether so much waits that it should be flushed now."""
        batch = self._batch
        return (
            len(batch.entries) >= self._bound_rows
            or batch.octets >= self._bound_octets
            or self._journal.size >= self._bound_journal
        )

    @property
    def laden(self) -> bool:
        """Whether large frames wait, which the journal keeps well until there is time for them."""
        return bool(self._batch.large or self._stuck.large)

    def next_id(self) -> int:
        """The number of the next session. Raises DatabaseBusy or RecordingStopped where the database gives none."""
        with self._lock:
            if self._overtaken():
                self._numbers.forget()
            number = self._numbers.next()
            if number is None:
                self._numbers.add(self._take())
                number = self._numbers.next()
        assert number is not None
        return number

    def _overtaken(self) -> bool:
        """Whether others have taken numbers while nobody asked here: what is left would look older than theirs."""
        now = self._clock()
        idle, self._asked = now - self._asked, now
        if idle < IDLE:
            return False
        try:
            with self._engine.connect() as connection:
                return self._numbers.overtaken(following(connection))
        except DBAPIError:
            return False

    def reserve(self) -> None:
        """Take numbers before anybody needs one. Raises DatabaseBusy or RecordingStopped."""
        first = self._take()
        with self._lock:
            self._numbers.add(first)

    def sheet(self, session_id: int) -> "Sheet":
        """Something to take a session down on; `revise` comes first."""
        return Sheet(self, session_id)

    def open(self, session: Session) -> "Sheet":
        """Begin to take a session down."""
        sheet = self.sheet(session.id)
        sheet.revise(session)
        return sheet

    def flush(self, most: int | None = None) -> bool:
        """Write what waits, and say whether that went well.

        Of large frames, about `most` octets at a time; `due` tells whether more is left. Where the database is busy or
        away, everything stays, `trouble` says why, and a later flush tries again. Raises RecordingStopped where it
        cannot be written to at all; everything stays then, too.
        """
        with self._flushing:
            if not self._settle(most):
                return False
            if self._stuck.rows:
                return True
            self._turn()
            return self._settle(most)

    def tidy(self) -> None:
        """Move what SQLite has in its log into the database itself; to be called while nothing else is to do."""
        if self._engine.dialect.name == "sqlite":
            with suppress(DBAPIError), self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> bool:
        """Flush for the last time and give back the numbers nobody needed.

        Where the database would not take it (False), the journal stays for `recover`.
        """
        settled = False
        try:
            settled = self.flush() and self._give_back()
        finally:
            self._journal.close(keep=self.due or bool(self._open))
        return settled

    def enter(self, session: Header) -> None:
        """Take down a header. Raises RecordingStopped."""
        with self._lock:
            self._journal.append(pack_header(session))
            self._batch.headers.append(session)
            if session.closed:
                self._open.pop(session.id, None)
            else:
                self._open[session.id] = session

    def take_down(self, placed: list[tuple[int, int, Entry]]) -> None:
        """Take down frames and notes. Raises RecordingStopped."""
        with self._lock:
            batch = self._batch
            if batch.octets > self._most_octets or len(batch.entries) > self._most_rows:
                raise RecordingStopped(self.trouble or "the database has not been written to for too long")
            record = pack(*placed[0]) if len(placed) == 1 else b"".join([pack(*each) for each in placed])
            begin = self._journal.append(record)
            if len(record) < LARGE:
                batch.entries += placed
                batch.octets += len(record)
            else:
                self._set_apart(placed, begin)

    def _set_apart(self, placed: list[tuple[int, int, Entry]], begin: int) -> None:
        """Keep of large frames only where the journal has their octets."""
        for session_id, seq, entry in placed:
            length = len(pack(session_id, seq, entry))
            if isinstance(entry, Frame) and length >= LARGE:
                octets = len(entry.octets)
                bare = entry._replace(octets=b"")
                self._batch.large.append(Large(session_id, seq, bare, begin + length - octets, octets))
            else:
                self._batch.entries.append((session_id, seq, entry))
                self._batch.octets += length
            begin += length

    def understand(self, exchanges: list[tuple[int, Exchange]]) -> None:
        """Take down exchanges, which can be read again from the frames and are in no journal."""
        with self._lock:
            self._batch.exchanges += exchanges

    def _turn(self) -> None:
        with self._lock:
            if self._batch.rows:
                self._journal.turn(self._open)
                self._batch, self._stuck = Batch(), self._batch

    def _settle(self, most: int | None) -> bool:
        if not self._stuck.rows:
            return True
        try:
            self._write(most)
        except DBAPIError as error:
            self.trouble = f"the database takes nothing: {reason(error)}"
            if busy(error):
                return False
            raise RecordingStopped(self.trouble) from error
        self.trouble = ""
        if not self._stuck.rows:
            self._journal.forget()
            self._stuck = Batch()
        return True

    def _write(self, most: int | None) -> None:
        stuck = self._stuck
        if stuck.headers or stuck.entries or stuck.exchanges:
            self._insist(partial(write, batch=stuck))
            stuck.forget_small()
        written = 0
        while stuck.large and (most is None or written < most):
            step = _step(stuck.large)
            self._insist(partial(put_large, frames=step, read=self._journal.read))
            for each in step:
                stuck.large.popleft()
                written += each.length
        if not stuck.large and stuck.closed:
            self._insist(partial(count, sessions=stuck.closed))
            stuck.closed = []

    def _insist(self, work: Callable[[Connection], None]) -> None:
        try:
            self._transact(work)
        except IntegrityError:
            # Somebody deleted a session that goes on: it begins again.
            self._transact(partial(put_headers, headers=list(self._open.values())))
            self._transact(work)

    def _transact(self, work: Callable[[Connection], None]) -> None:
        with writing(self._engine) as connection:
            work(connection)
            first = take(connection, self._numbers.block) if self._numbers.low else None
        if first is not None:
            with self._lock:
                self._numbers.add(first)

    def _take(self) -> int:
        try:
            with writing(self._engine) as connection:
                return take(connection, self._numbers.block)
        except DBAPIError as error:
            trouble = DatabaseBusy if busy(error) else RecordingStopped
            raise trouble(f"the database gives no number: {reason(error)}") from error

    def _give_back(self) -> bool:
        try:
            with writing(self._engine) as connection:
                self._numbers.give_back(connection)
        except DBAPIError:
            return False  # A gap in the numbers harms nobody.
        return True


def _step(large: deque[Large]) -> list[Large]:
    """The first of the frames, about as many as one transaction should hold."""
    ends = accumulate(each.length for each in large)
    return [each for each, end in zip(large, ends, strict=False) if end <= STEP] or [large[0]]


class Sheet:
    """One session as it is taken down. Everything raises RecordingStopped where nothing can be kept."""

    def __init__(self, recorder: Recorder, session_id: int) -> None:
        self._recorder = recorder
        self._id = session_id
        self._seq = 0

    def write(self, entries: Sequence[Entry]) -> None:
        """Keep frames and notes; they are in the journal when this returns."""
        if not entries:
            return
        number, seq = self._id, self._seq
        if len(entries) == 1:
            placed = [(number, seq, entries[0])]
        else:
            placed = [(number, place, entry) for place, entry in enumerate(entries, seq)]
        self._recorder.take_down(placed)
        self._seq = seq + len(placed)

    def exchanges(self, exchanges: Sequence[Exchange]) -> None:
        """Keep what was understood; a later word on the same exchange replaces an earlier one."""
        self._recorder.understand([(self._id, exchange) for exchange in exchanges])

    def revise(self, session: Session) -> None:
        """Say anew what is known of the session, which goes on."""
        self._recorder.enter(header(session))

    def close(self, session: Session) -> None:
        """Say for the last time what is known of the session; its `duration` is known now."""
        self._recorder.enter(header(session))
