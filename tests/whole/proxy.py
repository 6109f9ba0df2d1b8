"""The proxy as its user runs it: one process, told by its command line, read by its commands."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from .loopback import Address

Session = dict[str, Any]  # as `export --format json` writes it

COMMAND: Final = str(Path(sys.executable).parent / "mailproxy")
LIMIT: Final = 60.0  # seconds after which the proxy is held to be stuck


class Proxy:
    """`mailproxy record` with these arguments, the upstream servers above all, from its start to `stop` or `kill`."""

    command: ClassVar[tuple[str, ...]] = ("record",)

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._database = folder / "record.sqlite"
        self._environment = {**os.environ, "MAILPROXY_CA": str(folder / "ca")}
        ready, self._log = folder / "ready.json", folder / "proxy.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [COMMAND, *self.command, *arguments, "--db", self._database, "--ready-file", ready, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
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

    @property
    def addresses(self) -> list[Address]:
        """Where it listens for the servers on its command line, in their order."""
        return [Address(each["host"], each["port"]) for each in self._listeners if each.get("upstream")]

    @property
    def root(self) -> Path:
        """The file of the root certificate that its clients must trust."""
        exported = self.folder / "root.pem"
        if not exported.exists():
            self._run("ca", "export", "--format", "pem", str(exported))
        return exported

    def stop(self) -> None:
        """Ask it to end. Raises AssertionError when it does not end well."""
        if self._process.poll() is None:
            self._process.terminate()
        assert self._process.wait(LIMIT) == 0, self.log

    def kill(self) -> None:
        """End it as a power failure would."""
        self._process.kill()
        self._process.wait(LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._process.poll() is None:
            self.kill()

    def sessions(self) -> list[Session]:
        """All that it recorded, the oldest first, each with its exchanges and entries."""
        listed = json.loads(self.run("sessions", "--json", "--limit", "1000"))["sessions"]
        if not listed:
            return []
        numbers = sorted(session["id"] for session in listed)
        exported: list[Session] = json.loads(self.run("export", *map(str, numbers), "--format", "json"))["sessions"]
        return exported

    def messages(self) -> list[bytes]:
        """All messages that it recorded, as `export` writes them, the oldest first."""
        return [mail for mails in self.messages_of(self.sessions()).values() for mail in mails]

    def messages_of(self, sessions: Iterable[Session]) -> dict[int, list[bytes]]:
        """The messages of these sessions by the session's number, as `export` writes them."""
        folder = self.folder / "messages"
        self.run("export", *(str(session["id"]) for session in sessions), "--format", "eml", "--output", str(folder))
        found: dict[int, list[bytes]] = {}
        for path in sorted(folder.iterdir(), key=_order):
            found.setdefault(_order(path)[0], []).append(path.read_bytes())
        return found

    def keeps(self, secrets: Iterable[bytes]) -> list[str]:
        """Which of its files hold one of these octets."""
        files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        return [path.name for path, octets in files.items() if any(secret in octets for secret in secrets)]

    def run(self, *words: str) -> bytes:
        """What a command prints about what was recorded. Raises AssertionError when it fails."""
        return self._run(*words, "--db", str(self._database))

    def _run(self, *words: str) -> bytes:
        ended = subprocess.run(
            [COMMAND, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            env=self._environment,
        )
        assert ended.returncode == 0, ended.stderr.decode(errors="replace")
        return ended.stdout


def until(happened: Callable[[], bool]) -> None:
    """Look again and again, for what cannot be waited for. Raises AssertionError when it does not happen."""
    pause = threading.Event()
    for _ in range(int(LIMIT / 0.02)):
        if happened():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen")


def _order(path: Path) -> list[int]:
    return [int(number) for number in path.stem.split("-")]


def said(session: Session) -> list[str]:
    """A session's exchanges: what was asked and the code of the reply that decided, `DATA 250`."""
    return [" ".join(filter(None, (each["verb"], each["argument"], each["code"]))) for each in session["exchanges"]]


def kinds(session: Session) -> Counter[tuple[str, str]]:
    """How many frames of which side are of which kind: `("client", "telnet")`."""
    return Counter((entry["side"], entry["kind"]) for entry in session["entries"] if "kind" in entry)


def notes(session: Session) -> list[str]:
    """What the record says in its own words, with its mark: `*** connection refused`."""
    return [f"{entry['mark']} {entry['text']}" for entry in session["entries"] if "mark" in entry]
