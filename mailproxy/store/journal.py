"""The journal: what was heard and is not in the database yet, so that a killed process loses nothing.

Two files a recorder, used in turn: while the rows of one go into the database, the other takes what comes. Each
call writes once, with no fsync: what the system took survives the process. The last record may be torn.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mailproxy.store.lock import lock
from mailproxy.store.records import Live, Record, pack_live, records
from mailproxy.store.trouble import RecordingStopped, reason

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


def directory(engine: Engine, state: Path) -> Path:
    """Where the journals of a database are: beside it, or in `state` where it is on a network."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        return Path(engine.url.database + ".journal.d")
    name = hashlib.sha256(engine.url.render_as_string(hide_password=True).encode()).hexdigest()[:16]
    return state / f"journal-{name}.d"


class Journal:
    """The two files of this process's recorder, of which the first is locked while it lives.

    Raises RecordingStopped where the files cannot be made or written.
    """

    def __init__(self, where: Path) -> None:
        try:
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files, self._paths = _begin(where)
        except OSError as error:
            raise RecordingStopped(f"{where} cannot be written: {reason(error)}") from error
        self._turn = 0
        self._file = self._files[0]
        self._size = 0
        self._append_live(())

    @property
    def size(self) -> int:
        """How many octets are in the file that is written to."""
        return self._size

    def append(self, octets: bytes) -> int:
        """Write records, all or nothing, and tell where in the file they begin."""
        begin = self._size
        try:
            written = os.write(self._file, octets)
        except OSError as error:
            raise RecordingStopped(f"the journal cannot be written: {reason(error)}") from error
        if written != len(octets):
            os.ftruncate(self._file, self._size)
            raise RecordingStopped("the journal cannot be written: no space left")
        self._size = begin + written
        return begin

    def read(self, begin: int, length: int) -> bytes:
        """Read octets of the file that is not written to. Raises RecordingStopped."""
        file = self._files[(self._turn + 1) % 2]
        try:
            os.lseek(file, begin, os.SEEK_SET)
            octets = os.read(file, length)
        except OSError as error:
            raise RecordingStopped(f"the journal cannot be read: {reason(error)}") from error
        if len(octets) != length:
            raise RecordingStopped("the journal cannot be read: it was cut short")
        return octets

    def turn(self, live: Iterable[int]) -> None:
        """Go on in the other file, which must have been forgotten; these sessions are open."""
        self._turn += 1
        before = self._file, self._size
        self._file, self._size = self._files[self._turn % 2], 0
        try:
            self._append_live(tuple(live))
        except RecordingStopped:
            self._turn -= 1
            self._file, self._size = before
            raise

    def forget(self) -> None:
        """Empty the file that is not written to: its rows are in the database."""
        os.ftruncate(self._files[(self._turn + 1) % 2], 0)

    def close(self, *, keep: bool) -> None:
        """End it, and keep the files where the database has not got what is in them."""
        for file in self._files:
            os.close(file)
        if not keep:
            _remove(self._paths)

    def _append_live(self, live: tuple[int, ...]) -> None:
        self.append(pack_live(self._turn, live))


class Orphan:
    """The journal of a recorder that is no more, locked against others who would recover it."""

    def __init__(self, file: int, path: Path) -> None:
        self._file = file
        self._paths = path, path.with_suffix(".1")

    def read(self) -> list[Record]:
        """What it holds, oldest first. Raises OSError."""
        files = [list(records(path.read_bytes())) for path in self._paths if path.exists()]
        begun = [held for held in files if held and isinstance(held[0], Live)]
        return [record for held in sorted(begun, key=lambda held: held[0][0]) for record in held]

    def remove(self) -> None:
        """Delete its files, whose rows are in the database."""
        self.close()
        _remove(self._paths)

    def close(self) -> None:
        """Leave it to another."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def orphans(where: Path) -> Iterator[Orphan]:
    """The journals that no living process holds."""
    for path in sorted(where.glob("*.0")) if where.is_dir() else ():
        with suppress(FileNotFoundError):
            file = os.open(path, os.O_RDWR)
            if not lock(file):
                os.close(file)
                continue
            orphan = Orphan(file, path)
            try:
                yield orphan
            finally:
                orphan.close()


def _begin(where: Path) -> tuple[tuple[int, int], tuple[Path, Path]]:
    while True:
        path = where / f"{os.getpid()}-{secrets.token_hex(4)}.0"
        first = os.open(path, _FLAGS | os.O_EXCL, 0o600)
        # Whoever recovers may have taken the new file for an orphan and deleted it before it was locked.
        if lock(first) and path.exists():
            other = path.with_suffix(".1")
            return (first, os.open(other, _FLAGS, 0o600)), (path, other)
        os.close(first)


def _remove(paths: tuple[Path, Path]) -> None:
    # The locked one goes last: while it stands, the other belongs to it.
    for path in reversed(paths):
        with suppress(FileNotFoundError, PermissionError):
            path.unlink()
