"""Rounds: one load sent down every way in turn, again and again, so that all ways meet the same weather."""

import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from .figure import DIRECT, MAILPROXY
from .process import NotReady
from .ways import Way, Ways

SLOW: Final = 5.0  # seconds

Load = Callable[[Way], tuple[float, ...]]


class Effort(NamedTuple):
    """How much to do: `rounds` for each way, and `share` of each full count."""

    rounds: int
    share: float

    def count(self, full: int) -> int:
        """How many of `full` to do."""
        return max(1, round(full * self.share))


class Samples(NamedTuple):
    """What each way gave in each round, and what went wrong; a way that fails is left out from there on."""

    taken: dict[str, list[tuple[float, ...]]]
    troubles: dict[str, str]

    def column(self, number: int) -> Mapping[str, list[float]]:
        """One number of each sample, of the ways that did not fail."""
        return {
            way: [sample[number] for sample in samples if number < len(sample)]
            for way, samples in self.taken.items()
            if way not in self.troubles
        }


def take(ways: Ways, rounds: int, load: Load, warm: bool = True, slowest: float = SLOW) -> Samples:
    """Send `load`, which gives its measurements, down each way in each round, and once before if `warm`.

    A way is left to finish what it put off before the next one has its turn. Others than mailproxy that take longer
    than `slowest` seconds for one load are not asked again.
    """
    samples = Samples({way.name: [] for way in ways.open}, dict(ways.troubles))
    left = list(ways.open)
    for number in range(0 if warm else 1, rounds + 1):
        for way in tuple(left):
            began = time.monotonic()
            sample = _sample(way, load, samples.troubles)
            slow = way.name not in (DIRECT, MAILPROXY) and time.monotonic() - began > slowest
            way.settled()
            if sample is None or slow:
                left.remove(way)
            if sample is not None and (number or slow):
                samples.taken[way.name].append(sample)
    return samples


def _sample(way: Way, load: Load, troubles: dict[str, str]) -> tuple[float, ...] | None:
    try:
        return load(way)
    except (OSError, EOFError, NotReady, subprocess.SubprocessError) as trouble:
        troubles[way.name] = _told(trouble)
        return None


def _told(trouble: Exception) -> str:
    """What went wrong, where a program failed in its own last words."""
    match trouble:
        case subprocess.CalledProcessError(returncode=code, stderr=bytes(said)):
            return f"ended with {code}: {said.decode(errors='replace').strip().rpartition(chr(10))[2]}"
        case subprocess.TimeoutExpired(timeout=seconds):
            return f"not done in {seconds:g} s"
        case _:
            return str(trouble) or type(trouble).__name__
