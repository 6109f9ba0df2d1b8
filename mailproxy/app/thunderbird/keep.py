"""What is kept in a profile while it points at mailproxy: its `prefs.js` as it was, and a note of what was changed."""

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.plan import Change

BACKUP: Final = "prefs.js.mailproxy"
NOTE: Final = "mailproxy-point.json"
_PRIVATE: Final = 0o600


class Note(NamedTuple):
    """How a profile was pointed at mailproxy, what was changed, and the SHA-256 of `prefs.js` before and after."""

    how: str
    changes: tuple[Change, ...]
    before: str
    after: str

    @classmethod
    def of(cls, how: str, changes: tuple[Change, ...], before: bytes, after: bytes) -> Self:
        """The note of a change."""
        return cls(how, changes, digest(before), digest(after))


def digest(octets: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(octets).hexdigest()


def note(profile: Path) -> Note | None:
    """The note in a profile; None where it does not point at mailproxy. Raises ThunderbirdError."""
    path = profile / NOTE
    try:
        return _noted(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ThunderbirdError(
            f"{path} cannot be understood: mailproxy unpoint thunderbird --force-backup puts all of {BACKUP} back"
        ) from error


def keep(profile: Path, octets: bytes, noted: Note) -> None:
    """Keep `prefs.js` and the note, on the disk when this returns. Raises OSError."""
    said = {"version": 1, "how": noted.how, "before": noted.before, "after": noted.after}
    changes = [change._asdict() for change in noted.changes]
    replace(profile / BACKUP, octets)
    replace(profile / NOTE, json.dumps({**said, "changed": changes}, indent=2).encode() + b"\n")


def backup(profile: Path) -> bytes | None:
    """`prefs.js` as it was kept; None where there is none."""
    with suppress(FileNotFoundError):
        return (profile / BACKUP).read_bytes()
    return None


def forget(profile: Path) -> None:
    """Remove what was kept."""
    (profile / BACKUP).unlink(missing_ok=True)
    (profile / NOTE).unlink(missing_ok=True)


def replace(path: Path, octets: bytes) -> None:
    """Have these octets in a file, all or none of them, with its rights as they are or the owner's only.

    Raises OSError.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            _like(path, name)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _like(path: Path, name: str) -> None:
    """Give a new file the rights and the owner of the old one, or of the profile."""
    if sys.platform == "win32":
        return
    old = path.stat() if path.exists() else None
    owner = old or path.parent.stat()
    Path(name).chmod(old.st_mode & 0o777 if old else _PRIVATE)
    with suppress(PermissionError):
        os.chown(name, owner.st_uid, owner.st_gid)


def _settle(directory: Path) -> None:
    """Have the new name on the disk too, where directories can be opened."""
    if sys.platform == "win32":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _noted(said: Any) -> Note:
    changes = tuple(Change(each["name"], each["old"], each["new"]) for each in said["changed"])
    if said["version"] != 1 or not all(isinstance(change.name, str) for change in changes):
        raise ValueError(said["version"])
    return Note(said["how"], changes, said["before"], said["after"])
