"""A server of our own: a process that stays in the foreground and logs to its standard output."""

import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Final

LIMIT: Final = 20.0  # seconds after which a server is held to be stuck


class Daemon:
    """Runs while it is open; what it logs can be waited for. Only its own process is ever signalled."""

    def __init__(self, command: Sequence[str]) -> None:
        self.log: list[str] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, *words: str) -> str:
        """The first logged line that holds all these words. Raises AssertionError when it does not come."""

        def found() -> str | None:
            return next((line for line in self.log if all(word in line for word in words)), None)

        return self._await(found, " … ".join(words))

    def stop(self) -> None:
        """Ask it to end, and wait until it and what it started have let go of the log."""
        self._process.terminate()
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _await(self, found: Callable[[], str | None], what: str) -> str:
        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, LIMIT):
                raise AssertionError(f"not logged: {what}\n" + "".join(self.log[-40:]))
            line = found()
        assert line is not None
        return line

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()
