"""How long `--help` takes to appear, beside a Python that does nothing."""

import subprocess
import sys
import time
from collections.abc import Iterator

from .figure import DIRECT, MAILPROXY, Figure, Goal
from .process import find
from .rounds import Effort, take
from .ways import HAPROXY, MITMDUMP, SOCAT, Way, Ways


def start(effort: Effort) -> Iterator[Figure]:
    """The wall time of `mailproxy --help`, in seconds; the direct way is a Python that starts and ends."""
    commands = {
        DIRECT: [sys.executable, "-c", "pass"],
        MAILPROXY: [find("mailproxy") or "mailproxy", "--help"],
        SOCAT: [find("socat") or "", "-h"],
        HAPROXY: [find("haproxy") or "", "-v"],
        MITMDUMP: [find("mitmdump") or "", "--help"],
    }

    def load(way: Way) -> tuple[float, ...]:
        began = time.perf_counter()
        done = subprocess.run(commands[way.name], capture_output=True, timeout=60)
        taken = time.perf_counter() - began
        if not done.stdout:  # mitmdump prints its help and ends with 1 all the same
            done.check_returncode()
        return (taken,)

    installed = Ways([Way(name, 0) for name, command in commands.items() if command[0]])
    samples = take(installed, effort.rounds + 2, load)
    yield Figure("`--help`, beside a bare Python", "s", Goal(0.3), samples.column(0), samples.troubles)
