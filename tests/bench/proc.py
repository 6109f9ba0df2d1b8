"""What Linux tells of a running process. On other systems there is no /proc, and nothing is known."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

KNOWN: Final = Path("/proc/self/status").exists()
PATIENCE: Final = 60.0
TICK: Final = 10_000  # microseconds: what a process that only looks at the clock may take meanwhile


def cpu(pid: int) -> float:
    """Microseconds of processor time of the process, its threads and its children that have ended (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks: int = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks * 1e6 / os.sysconf("SC_CLK_TCK")


def settled_cpu(pid: int, quiet: float) -> float:
    """`cpu` once the process has had nothing to do for `quiet` seconds: a recorder may write on after the talk."""
    last, before = time.monotonic() + PATIENCE, cpu(pid)
    while time.monotonic() < last:
        time.sleep(quiet)
        now = cpu(pid)
        if now - before <= TICK:
            return now
        before = now
    return before


def resident(pid: int) -> int:
    """Octets of memory that the process holds now (proc(5), VmRSS), and its children's share of theirs (Pss)."""
    return _status(pid, "VmRSS") + sum(map(_share, _children(pid)))


def peak(pid: int) -> int:
    """The most octets of memory that the process has held since it began (proc(5), VmHWM)."""
    return _status(pid, "VmHWM")


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from _children(child)


def _status(pid: int, field: str) -> int:
    return _field(Path(f"/proc/{pid}/status"), field)


def _share(pid: int) -> int:
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss")


def _field(table: Path, name: str) -> int:
    for line in table.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0
