"""Other programs: started, awaited, looked at from outside, ended by their own pid."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

HOST: Final = "127.0.0.1"
PATIENCE: Final = 20.0  # seconds for a program to be ready, and for it to end


class NotReady(Exception):
    """A program that was started is not there: it ended, or took too long."""


def find(program: str) -> str | None:
    """Where a program is, also beside this Python and where daemons are kept."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(program, path=os.pathsep.join([beside, os.environ.get("PATH", ""), "/usr/sbin"]))


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[int]:
    """Run a program until the block ends and give its pid, once it is ready; what it says goes to `log`.

    `more` is added to its environment.

    Raises `NotReady` with the end of what it said, `OSError` if it cannot be started.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **more}
        )
    try:
        until(lambda: ready() or process.poll() is not None, f"{command[0]} is not ready")
        if process.poll() is not None:
            raise NotReady(f"{Path(command[0]).name} ended with {process.returncode}: {_last_line(log)}")
        yield process.pid
    finally:
        end(process)


@contextmanager
def script(name: str, *arguments: str) -> Iterator[int]:
    """Run a server of this directory in a process of its own and give the port that it says first."""
    with serving(name, *arguments) as (port, _):
        yield port


@contextmanager
def serving(name: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """The same, with its pid. Raises `NotReady` where it says no port."""
    process = subprocess.Popen(program(name, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        try:
            port = said.readline()
            if not port:
                raise NotReady(f"{name} ended before it served")
            yield int(port), process.pid
        finally:
            end(process)


def program(name: str, *arguments: str) -> list[str]:
    """The command that runs a program of this directory."""
    return [sys.executable, str(Path(__file__).with_name(name)), *arguments]


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Ask the program to end and, if it does not, end it."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"{process.args!r} did not end when asked to", file=sys.stderr)
        process.kill()
        process.wait()


def until(true: Callable[[], bool], trouble: str) -> None:
    """Wait until it is true. Raises `NotReady` if that takes too long."""
    last = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > last:
            raise NotReady(trouble)
        time.sleep(0.01)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
