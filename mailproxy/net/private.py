"""Files for one user's eyes, which are there whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def folder(path: Path) -> Path:
    """Have a folder that only its owner may enter. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def put(path: Path, octets: bytes, readable: bool = False) -> None:
    """Write a file, in the place of one that is there; others may read it where it is `readable`. Raises OSError."""
    temporary = _written(path, octets, readable)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def put_first(path: Path, octets: bytes) -> bool:
    """Write a file unless one is there; whether it was. Of several processes that try, one does. Raises OSError."""
    temporary = _written(path, octets, readable=False)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links: a moment is left in which two may both write
        if path.exists():
            return False
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _written(path: Path, octets: bytes, readable: bool) -> Path:
    """The octets, in a new file beside `path`."""
    handle, name = tempfile.mkstemp(dir=folder(path.parent), prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        if readable:
            Path(name).chmod(0o644)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)
