"""Programs that people type into: run at a pseudo-terminal, heard and answered line by line."""

import os
import re
import selectors
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .need import program

LIMIT: Final = 20.0  # seconds of silence after which a program is held to be stuck


class Terminal:
    """A program at a terminal, and what stands on its screen."""

    def __init__(self, home: Path, *command: str) -> None:
        import pty

        self._unread = b""
        self._screen, keyboard = pty.openpty()
        self._process = subprocess.Popen(
            [program("setsid"), "--ctty", program(command[0]), *command[1:]],
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "LC_ALL": "C"},
        )
        os.close(keyboard)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._screen)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def unread(self) -> bytes:
        """What stands on the screen, and was not waited for."""
        return self._unread

    def hears(self, pattern: bytes) -> bytes:
        """Wait until this is on the screen: what stood there before. Raises AssertionError when it does not come."""
        deadline = time.monotonic() + LIMIT
        while not (found := re.search(pattern, self._unread)):
            assert self._read(deadline - time.monotonic()), f"{pattern!r} did not come: {self._unread!r}"
        before, self._unread = self._unread[: found.start()], self._unread[found.end() :]
        return before

    def types(self, line: bytes) -> None:
        """Type a line and press Enter."""
        os.write(self._screen, line + b"\r")

    def presses(self, key: bytes) -> None:
        """Press a key, such as b"\\x03", Ctrl-C."""
        os.write(self._screen, key)

    def ends(self) -> None:
        """Read on until the program has ended by itself."""
        deadline = time.monotonic() + LIMIT
        while self._read(deadline - time.monotonic()):
            pass
        self._process.wait(LIMIT)

    def _read(self, patience: float) -> bool:
        with selectors.DefaultSelector() as ready:
            ready.register(self._screen, selectors.EVENT_READ)
            if not ready.select(max(patience, 0)):
                return False
        try:
            octets = os.read(self._screen, 65536)
        except OSError:  # Linux says so when the last program has left the terminal
            return False
        # The terminal makes CR LF of every LF, also where a CR stands already.
        self._unread = (self._unread + octets).replace(b"\r\r\n", b"\r\n")
        return octets != b""
