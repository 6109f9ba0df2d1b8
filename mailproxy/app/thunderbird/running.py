"""Whether Thunderbird runs with a profile, and keeping it from starting while the profile is changed."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from mailproxy.app.thunderbird.error import ThunderbirdError

if sys.platform != "win32":
    import fcntl

_LOCK: Final = "parent.lock" if sys.platform == "win32" else ".parentlock"
_LINK: Final = re.compile(r"[^:]*:(?P<locked>\+?)(?P<pid>\d{1,9})")


@contextmanager
def closed(profile: Path) -> Iterator[None]:
    """A time in which Thunderbird does not run with this profile and cannot start with it.

    It is Thunderbird's own lock that is held. Raises ThunderbirdError where Thunderbird runs: it would write its
    preferences over ours when it ends.
    """
    file = _open(profile)
    try:
        if (file and not _locked(file)) or _linked(profile):
            raise _running(profile)
        yield
    finally:
        if file:
            file.close()


def _open(profile: Path) -> BinaryIO | None:
    """The file that Thunderbird locks; None where it has never run here. Windows opens no locked one."""
    try:
        return (profile / _LOCK).open("r+b")
    except FileNotFoundError:
        return None
    except PermissionError as error:
        if sys.platform == "win32":
            raise _running(profile) from error
        raise


def _running(profile: Path) -> ThunderbirdError:
    return ThunderbirdError(f"Thunderbird runs with {profile}: close it first, it writes its preferences when it ends")


def _locked(file: BinaryIO) -> bool:
    """Lock it until it is closed, unless somebody has. A disk without locks has no locked files."""
    if sys.platform != "win32":
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return True
    return True


def _linked(profile: Path) -> bool:
    """Whether a link takes the place of the lock, as on some network drives, and names a process that lives.

    A link with a plus was made under the lock, and the lock is ours by now.
    """
    if sys.platform == "win32":
        return False
    try:
        link = _LINK.fullmatch(os.readlink(profile / "lock"))
    except OSError:
        return False
    return bool(link and not link["locked"] and _lives(int(link["pid"])))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
