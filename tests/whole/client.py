"""A real client, run to its end."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from .need import program

LIMIT: Final = 60.0  # seconds after which a client is held to be stuck


class Login(NamedTuple):
    """Who to log in as, and how: a SASL mechanism, or USER, which is USER and PASS in POP3."""

    user: str
    password: str
    mechanism: str = "PLAIN"


class Ran(NamedTuple):
    """How a client ended: its exit status, what it printed, what it had to complain about."""

    status: int
    output: bytes
    errors: str

    def succeeded(self) -> bytes:
        """What it printed. Raises AssertionError when it failed."""
        assert self.status == 0, self.errors or self.output.decode(errors="replace")
        return self.output


def run(name: str, *arguments: str, given: bytes = b"", home: Path, environment: Mapping[str, str] = {}) -> Ran:
    """Run it with `given` on its standard input and a home of its own, so that no user's settings count."""
    ended = subprocess.run(
        [program(name), *arguments],
        input=given,
        capture_output=True,
        timeout=LIMIT,
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C", **environment},
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr.decode(errors="replace"))


def private(path: Path, text: str) -> Path:
    """Write a configuration file that only its owner may read, as these clients demand."""
    path.touch(0o600)
    path.write_text(text)
    return path
