"""Certificates for servers, kept on disk for as long as they are good: `ssl` loads them from files only."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from mailproxy.model.tls import Fault
from mailproxy.net import pair, private
from mailproxy.net.pair import Pair

KEPT: Final = 256
_FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


class Leaf(NamedTuple):
    """A certificate for a server.

    `path` is a file for `SSLContext.load_cert_chain`: its key, and the certificates to present. `chain` are those in
    DER, leaf first. From `until` on another is due; the authority is to be asked each time.
    """

    path: Path
    chain: tuple[bytes, ...]
    until: datetime


class Leaves:
    """A folder of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str, faults: tuple[Fault, ...], now: datetime) -> Leaf | None:
        """One that is there and still good; None where none is."""
        path = self._path(name)
        try:
            found = pair.read(path.read_bytes())
        except (OSError, ValueError):
            return None
        leaf = _leaf(path, found, faults)
        return leaf if now < leaf.until else None

    def keep(self, name: str, made: Pair, faults: tuple[Fault, ...]) -> Leaf:
        """Write one, and delete the oldest where there are too many. Raises OSError."""
        path = self._path(name)
        private.put(path, made.pem)
        self._prune()
        return _leaf(path, made, faults)

    def clear(self) -> None:
        """Delete them all."""
        for path in self.folder.glob("*.pem"):
            with suppress(OSError):
                path.unlink()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def _prune(self) -> None:
        aged: list[tuple[float, Path]] = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                aged.append((path.stat().st_mtime, path))
        for _, path in sorted(aged, reverse=True)[KEPT:]:
            with suppress(OSError):
                path.unlink()


def _leaf(path: Path, found: Pair, faults: tuple[Fault, ...]) -> Leaf:
    return Leaf(path, (found.der,), _until(found, faults))


def _until(found: Pair, faults: tuple[Fault, ...]) -> datetime:
    """When another is due: of one that is out of time when it comes into it, else when a third of its time is left."""
    begins, ends = found.certificate.not_valid_before_utc, found.certificate.not_valid_after_utc
    if Fault.EXPIRED in faults:
        return _FOR_EVER
    if Fault.NOT_YET_VALID in faults:
        return begins
    return max(ends - (ends - begins) / 3, begins + timedelta(hours=1))
