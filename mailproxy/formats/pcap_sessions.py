"""The mail sessions among the connections of a capture: told as they end, the rest of them forgotten."""

from collections.abc import Iterator
from typing import Final

from mailproxy.formats.pcap_draft import Draft
from mailproxy.formats.pcap_guess import LONGEST, PORTS, answered, greeted
from mailproxy.formats.tcp import ACK, RST, SYN, Endpoint, Missing, Said, Segment
from mailproxy.formats.tcp_connection import Connection, Event
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

MOST: Final = 1 << 15
"""How many connections are followed at once, and how many are remembered as over or as no mail."""

Key = tuple[Endpoint, Endpoint]


class Sessions:
    """All connections of one capture."""

    def __init__(self) -> None:
        self._open: dict[Key, Conversation] = {}
        self._done: dict[Key, None] = {}

    def hear(self, segment: Segment) -> Iterator[Recording]:
        """Hear a segment; the sessions that end with it."""
        ends = segment.source, segment.target
        key = min(ends), max(ends)
        found = self._open.get(key)
        if found and found.connection.begins_anew(segment):
            yield from self._end(key)
            found = None
        if found is None:
            found = self._begin(key, segment)
            if found is None:
                return
        found.hear(segment)
        if found.over:
            yield from self._end(key)
        if len(self._open) > MOST:
            yield from self._end(next(iter(self._open)))

    def finish(self) -> Iterator[Recording]:
        """The sessions that go on when the capture ends."""
        for key in list(self._open):
            yield from self._end(key)

    def _begin(self, key: Key, segment: Segment) -> "Conversation | None":
        begins = segment.flags & (SYN | RST) == SYN
        if not begins and (key in self._done or not segment.length or segment.flags & RST):
            return None
        self._done.pop(key, None)
        side = _speaker(segment)
        if side is None:
            self._forget(key)
            return None
        client, server = (segment.source, segment.target) if side is Side.CLIENT else (segment.target, segment.source)
        found = self._open[key] = Conversation(Connection(client, server, begins), segment.at)
        return found

    def _end(self, key: Key) -> Iterator[Recording]:
        found = self._open.pop(key)
        self._forget(key)
        recording = found.finish()
        if recording:
            yield recording

    def _forget(self, key: Key) -> None:
        self._done[key] = None
        if len(self._done) > MOST:
            del self._done[next(iter(self._done))]


class Conversation:
    """One connection, followed until it is over: to its end, or until it proves to be no mail."""

    def __init__(self, connection: Connection, started: int) -> None:
        self.connection = connection
        self._started = started
        self._held: list[tuple[int, Event]] = []
        self._protocol: str | None = ""
        self._greeting = b""
        self._draft: Draft | None = None
        if port := PORTS.get(connection.server.port):
            self._decide(port.protocol, port.secure and not connection.whole)

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self._protocol is None or self.connection.over

    def hear(self, segment: Segment) -> None:
        """Hear a segment of it."""
        for at, event in self.connection.hear(segment):
            self._event(at, event)

    def finish(self) -> Recording | None:
        """The session; None where it was no mail."""
        over = self.connection.over
        for at, event in self.connection.finish():
            self._event(at, event)
        if self._protocol and not self._draft:
            self._decide(self._protocol)
        return self._draft.recording(over or self.connection.over) if self._draft else None

    def _event(self, at: int, event: Event) -> None:
        if self._draft:
            self._draft.hear(at, event)
        elif self._protocol is not None:
            self._held.append((at, event))
            self._guess(event)

    def _guess(self, event: Event) -> None:
        match event:
            case Said(Side.SERVER, octets) if not self._protocol:
                self._greeting = (self._greeting + octets)[:LONGEST]
                self._protocol = greeted(self._greeting, self.connection.server.port)
            case Said(Side.CLIENT, octets) if self._protocol:
                self._protocol = answered(self._protocol, octets)
                if self._protocol:
                    self._decide(self._protocol)
            case Said() | Missing() if not self._protocol:
                self._protocol = None

    def _decide(self, protocol: str, opaque: bool = False) -> None:
        self._protocol = protocol
        connection = self.connection
        ends = connection.client, connection.server
        self._draft = Draft(protocol, ends, self._started, connection.whole, opaque)
        for at, event in self._held:
            self._draft.hear(at, event)
        self._held.clear()


def _speaker(segment: Segment) -> Side | None:
    """Which side sent a connection's first segment, as far as that can be told."""
    if segment.flags & SYN:
        return Side.SERVER if segment.flags & ACK else Side.CLIENT
    source, target = segment.source.port in PORTS, segment.target.port in PORTS
    if source != target:
        return Side.SERVER if source else Side.CLIENT
    return Side.SERVER if greeted(segment.octets[:LONGEST], segment.source.port) else None
