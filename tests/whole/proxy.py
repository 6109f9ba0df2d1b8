"""The proxy as its user runs it: one process, told by its command line, read by its commands."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from .loopback import Address

COMMAND: Final = str(Path(sys.executable).parent / "mailproxy")
LIMIT: Final = 60.0  # seconds after which the proxy is held to be stuck


class Proxy:
    """`mailproxy record` in front of these upstream servers, from its start to `stop` or `kill`."""

    def __init__(self, folder: Path, *upstreams: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._database = folder / "record.sqlite"
        ready, self._log = folder / "ready.json", folder / "proxy.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [COMMAND, "record", *upstreams, "--db", self._database, "--ready-file", ready, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: ready.exists() or self._process.poll() is not None)
        assert self._process.poll() is None, self.log
        self._listeners: list[dict[str, Any]] = json.loads(ready.read_text())["listeners"]

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    def address(self, protocol: str) -> Address:
        """Where it listens for this protocol."""
        listener = next(each for each in self._listeners if each["protocol"] == protocol)
        return Address(listener["host"], listener["port"])

    def stop(self) -> None:
        """Ask it to end. Raises AssertionError when it does not end well."""
        if self._process.poll() is None:
            self._process.terminate()
        assert self._process.wait(LIMIT) == 0, self.log

    def kill(self) -> None:
        """End it as a power failure would."""
        self._process.kill()
        self._process.wait(LIMIT)

    def close(self) -> None:
        """Make sure that nothing is left of it."""
        if self._process.poll() is None:
            self.kill()

    def sessions(self) -> list[dict[str, Any]]:
        """All that it recorded, the oldest first, each with its exchanges and entries."""
        listed = json.loads(self.run("sessions", "--json"))["sessions"]
        return [self._session(number) for number in sorted(session["id"] for session in listed)]

    def talk(self, number: int) -> str:
        """The transcript of a session."""
        return self.run("export", str(number), "--format", "talk").decode()

    def run(self, *words: str) -> bytes:
        """What a command prints about what was recorded. Raises AssertionError when it fails."""
        command = [COMMAND, *words, "--db", str(self._database)]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
        assert ended.returncode == 0, ended.stderr.decode(errors="replace")
        return ended.stdout

    def _session(self, number: int) -> dict[str, Any]:
        session: dict[str, Any] = json.loads(self.run("export", str(number), "--format", "json"))["sessions"][0]
        return session


def until(happened: Callable[[], bool]) -> None:
    """Look again and again, for what cannot be waited for. Raises AssertionError when it does not happen."""
    pause = threading.Event()
    for _ in range(int(LIMIT / 0.02)):
        if happened():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen")


def said(session: dict[str, Any]) -> list[str]:
    """A session's exchanges in short: `MAIL 250`; the greeting has no verb."""
    return [f"{each['verb']} {each['code']}".strip() for each in session["exchanges"]]
