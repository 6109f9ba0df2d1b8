"""What changes a unit on its way, octets in, octets out."""

from collections.abc import Callable, Iterator
from typing import Final

from mailproxy.talk.faults.fault import HOLD_LIMIT, Stream
from mailproxy.talk.faults.orders import Hand

Change = Callable[[bytes], bytes]


class Whole:
    """Holds a unit until it is whole and changes it then. Where it grows too long to be held, what was held goes on:
    as it is, or changed where `anyway` says so."""

    def __init__(self, change: Change, anyway: bool = False) -> None:
        self.changed = False
        self._change = change
        self._anyway = anyway
        self._held: bytes | None = b""

    def feed(self, octets: bytes, last: bool) -> bytes:
        if self._held is None:
            return octets
        self._held += octets
        if not last and len(self._held) <= HOLD_LIMIT:
            return b""
        held, self._held = self._held, None
        if not last and not self._anyway:
            return held
        changed = self._change(held)
        self.changed = changed != held
        return changed

    def let_go(self) -> bytes:
        held, self._held = self._held, None
        return held or b""


class Instead:
    """In the place of a unit something else goes on, or nothing."""

    def __init__(self, octets: bytes = b"") -> None:
        self.changed = not octets
        self._octets = octets

    def feed(self, octets: bytes, last: bool) -> bytes:
        self.changed = self.changed or last
        return self._octets if last else b""

    def let_go(self) -> bytes:
        return b""


class End:
    """Only the end of a unit is changed."""

    def __init__(self, change: Change) -> None:
        self.changed = False
        self._change = change

    def feed(self, octets: bytes, last: bool) -> bytes:
        if not last:
            return octets
        changed = self._change(octets)
        self.changed = changed != octets
        return changed

    def let_go(self) -> bytes:
        return b""


class Chain:
    """Several changes of one unit, one after the other."""

    def __init__(self, streams: list[Stream]) -> None:
        self.streams: Final = streams
        self._raw = b""

    def feed(self, octets: bytes, last: bool) -> list[Hand]:
        """What goes on, and which of it nobody said."""
        self._raw += octets
        for stream in self.streams:
            octets = stream.feed(octets, last)
        return list(self._marked(octets)) if octets or last else []

    def let_go(self) -> list[Hand]:
        """What was held of a unit that will have no end."""
        held = b""
        for stream in self.streams:
            held = (stream.feed(held, False) if held else b"") + stream.let_go()
        return list(self._marked(held)) if held else []

    def _marked(self, octets: bytes) -> Iterator[Hand]:
        raw, self._raw = self._raw, b""
        said = as_said(raw, octets)
        yield Hand(octets[:said])
        yield Hand(octets[said:], own=True)


def as_said(raw: bytes, octets: bytes) -> int:
    """How many of the octets are those that were said: all, all that were said, or whole lines of them."""
    if octets.startswith(raw):
        return len(raw)
    if raw.startswith(octets):
        return len(octets)
    differs = next(at for at, (a, b) in enumerate(zip(raw, octets, strict=False)) if a != b)
    return raw.rfind(b"\n", 0, differs) + 1
