"""What is heard, on its way to the database: into the journal at once, into the tables in batches."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry
from mailproxy.model.session import Session
from mailproxy.store.engine import busy, writing
from mailproxy.store.journal import Journal
from mailproxy.store.numbers import Numbers, take
from mailproxy.store.records import pack, pack_header
from mailproxy.store.rows import Header, header
from mailproxy.store.statements import Batch, write
from mailproxy.store.trouble import RecordingStopped, reason


class Recorder:
    """Takes sessions down. `write` and its kin may be called while another thread is in `flush`.

    `bound_rows` and `bound_octets` say when it is `full` and wants to be flushed; at four times as much it takes
    nothing more. Raises RecordingStopped where the journal cannot be written.
    """

    def __init__(
        self, engine: Engine, journal_dir: Path, *, bound_rows: int = 20_000, bound_octets: int = 16 << 20
    ) -> None:
        self._engine = engine
        self._bound_rows, self._bound_octets = bound_rows, bound_octets
        self._most_rows, self._most_octets = 4 * bound_rows, 4 * bound_octets
        self._journal = Journal(journal_dir)
        self._numbers = Numbers()
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
        return self._batch.rows >= self._bound_rows or self._batch.octets >= self._bound_octets

    def next_id(self) -> int:
        """The number of the next session. Raises RecordingStopped where the database gives none."""
        with self._lock:
            number = self._numbers.next()
            if number is None:
                self._numbers.add(self._take())
                number = self._numbers.next()
        assert number is not None
        return number

    def open(self, session: Session) -> "Sheet":
        """Begin to take a session down."""
        sheet = Sheet(self, session.id)
        sheet.revise(session)
        return sheet

    def flush(self) -> bool:
        """Write what waits, and say whether that went well.

        Where the database is busy or away, everything stays, `trouble` says why, and a later flush tries again.
        Raises RecordingStopped where it cannot be written to at all; everything stays then, too.
        """
        with self._flushing:
            if not self._settle():
                return False
            self._turn()
            return self._settle()

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
            self._journal.append(record)
            batch.entries += placed
            batch.octets += len(record)

    def understand(self, exchanges: list[tuple[int, Exchange]]) -> None:
        """Take down exchanges, which can be read again from the frames and are in no journal."""
        with self._lock:
            self._batch.exchanges += exchanges

    def _turn(self) -> None:
        with self._lock:
            if self._batch.rows:
                self._journal.turn(self._open)
                self._batch, self._stuck = Batch(), self._batch

    def _settle(self) -> bool:
        if not self._stuck.rows:
            return True
        try:
            self._write()
        except DBAPIError as error:
            self.trouble = f"the database takes nothing: {reason(error)}"
            if busy(error):
                return False
            raise RecordingStopped(self.trouble) from error
        self._journal.forget()
        self._stuck = Batch()
        self.trouble = ""
        return True

    def _write(self) -> None:
        try:
            self._transact()
        except IntegrityError:
            # Somebody deleted a session that goes on: it begins again.
            self._stuck.headers[:0] = list(self._open.values())
            self._transact()

    def _transact(self) -> None:
        with writing(self._engine) as connection:
            write(connection, self._stuck)
            first = take(connection, self._numbers.block) if self._numbers.low else None
        if first is not None:
            with self._lock:
                self._numbers.add(first)

    def _take(self) -> int:
        try:
            with writing(self._engine) as connection:
                return take(connection, self._numbers.block)
        except DBAPIError as error:
            raise RecordingStopped(f"the database gives no number: {reason(error)}") from error

    def _give_back(self) -> bool:
        try:
            with writing(self._engine) as connection:
                self._numbers.give_back(connection)
        except DBAPIError:
            return False  # A gap in the numbers harms nobody.
        return True


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
