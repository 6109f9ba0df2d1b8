"""The command `mailproxy`, run as a user runs it: in this process, or as a program of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from mailproxy.cli.main import main

PROGRAM = [sys.executable, "-c", "from mailproxy.cli.main import main; main()"]
LIMIT = 60  # seconds


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    octets: bytes
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.octets.decode().replace(os.linesep, "\n")

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """Standard output as JSON, whose version is checked."""
        said = json.loads(self.octets)
        assert said["version"] == 1
        return said

    @property
    def failure(self) -> str:
        """The one line of standard error that says what went wrong, with nothing on standard output."""
        assert self.octets == b""
        [line] = self.err.splitlines()
        return line.removeprefix("mailproxy: ")


Mailproxy = Callable[..., Ran]


def program(*words: str, typed: bytes = b"", **environment: str) -> Ran:
    """Run it as a program of its own."""
    done = subprocess.run(
        [*PROGRAM, *words], input=typed, capture_output=True, timeout=LIMIT, env=os.environ | environment, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode())


def in_process(patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes]) -> Mailproxy:
    """How to run it here, which is faster."""

    def run(*words: str, typed: bytes = b"") -> Ran:
        patch.setattr(sys, "argv", ["mailproxy", *words])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out, err.decode())

    return run
