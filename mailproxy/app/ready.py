"""The ready file: tells other programs where to connect, once everything listens."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def announced(path: Path | None, said: Mapping[str, object]) -> Iterator[None]:
    """Have `said` as JSON in a file, which appears whole and goes at the end. Raises OSError."""
    if path is None:
        yield
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(said, indent=2) + "\n")
    Path(name).replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
