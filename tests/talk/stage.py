"""A relay without sockets: what its peers say and do, what it wants done, and what is recorded of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Final, NamedTuple

from mailproxy.formats import talk
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Kind, Note, Origin, Side
from mailproxy.model.session import Recording, Session
from mailproxy.model.tls import Fault, TlsFacts
from mailproxy.protocols import named
from mailproxy.protocols.reading import read
from mailproxy.protocols.turn import MASKED, Terms
from mailproxy.talk.actions import Action, Close, Finish, Listen, Record, Reset, Send, StartTls
from mailproxy.talk.bridge import Bridge
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure, Ways
from tests.play import timeless
from tests.tls import FACTS

C, S = Side.CLIENT, Side.SERVER
GOOD: Final = replace(FACTS, faults=(), reason="")
BAD: Final = replace(FACTS, faults=(Fault.EXPIRED,), reason="certificate has expired")


class Says(NamedTuple):
    """A peer says something, in one read."""

    side: Side
    octets: bytes


class Secures(NamedTuple):
    """The handshake with a peer is over."""

    side: Side
    facts: TlsFacts = GOOD


class Fails(NamedTuple):
    """TLS with a peer has failed."""

    side: Side
    why: Insecure = Insecure("closed in the middle of the handshake")


class Ends(NamedTuple):
    """A peer ends its stream."""

    side: Side
    notified: bool | None = None


Event = Says | Secures | Fails | Ends
Cut = Callable[[bytes], Sequence[bytes]]
CUTS: Final[dict[str, Cut]] = {
    "whole": lambda octets: [octets],
    "octets": lambda octets: [octets[at : at + 1] for at in range(len(octets))],
    "torn": lambda octets: [part for part in (octets[:3], octets[3:-1], octets[-1:]) if part],
    "lines": lambda octets: octets.splitlines(keepends=True),
}


class Stage:
    """Plays events to a relay, as a conversation over sockets does: a peer that is not listened to has to wait."""

    def __init__(self, protocol: str, ways: Ways, terms: Terms = MASKED) -> None:
        self.protocol = protocol
        dialogue = named(protocol).dialogue(terms)
        upgrading = named(protocol).upgrading
        assert upgrading is not None
        self.relay = Bridge(dialogue, ways, upgrading, "192.0.2.1") if ways.bridged else Relay(dialogue, ways)
        self.entries: list[Entry] = []
        self.got: dict[Side, bytes] = {C: b"", S: b""}
        self.shaking: Side | None = None
        self.listens = ways.client_may_begin
        self.finished: list[Finish] = []
        self.closed = 0
        self.at = 0
        self._unread: list[bytes] = []
        self.perform(self.relay.connected("mail.example.org", "192.0.2.25", 0))

    def play(self, *events: Event, cut: Cut = CUTS["whole"]) -> "Stage":
        """Let these things happen, one after the other."""
        for event in events:
            self.at += 1
            match event:
                case Says(side, octets):
                    for part in cut(octets):
                        self._say(side, part)
                case Secures(side, facts):
                    assert self.shaking is side, f"no handshake with the {side}"
                    self.shaking = None
                    self.perform(self.relay.secured(side, facts, self.at))
                case Fails(side, why):
                    self.shaking = None
                    self.perform(self.relay.insecure(side, why, self.at))
                case Ends(side, notified):
                    self.perform(self.relay.ended(side, self.at, notified))
            self._proceed()
            while self._unread and self._is_read(C):
                self._hear(C, self._unread.pop(0))
        return self

    def _is_read(self, side: Side) -> bool:
        return self.shaking is None and not self.relay.over and (side is S or self.listens)

    def _say(self, side: Side, octets: bytes) -> None:
        if side is C and not self._is_read(C):
            self._unread.append(octets)
        else:
            assert self._is_read(side), f"the {side} is not listened to"
            self._hear(side, octets)

    def _hear(self, side: Side, octets: bytes) -> None:
        heard = self.relay.received(side, octets, self.at)
        self.entries += heard.entries
        self.got[side.other] += heard.forward
        self.got[C] += heard.answer
        self._proceed()

    def _proceed(self) -> None:
        while self.relay.due and not self.relay.over:
            self.perform(self.relay.proceed(self.at))

    def perform(self, actions: list[Action]) -> None:
        """Do what is wanted."""
        for action in actions:
            match action:
                case Record(entries):
                    self.entries += entries
                case Send(to, octets):
                    self.got[to] += octets
                case StartTls(side):
                    assert self.shaking is None
                    self.shaking = side
                    if side is C:
                        self.listens = True
                case Listen(Side.CLIENT, on):
                    self.listens = on
                case Listen() | Reset():
                    pass
                case Finish():
                    self.finished.append(action)
                case Close():
                    self.closed += 1

    # What has come of it.

    @property
    def notes(self) -> list[str]:
        """What is noted, but for the connection."""
        return [f"{entry.mark} {entry.text}" for entry in self.entries if isinstance(entry, Note)][1:]

    @property
    def exchanges(self) -> list[Exchange]:
        """What was understood."""
        return self.relay.dialogue.exchanges

    @property
    def recorded(self) -> bytes:
        """All octets that were recorded, and all notes."""
        return b"\n".join(e.octets if isinstance(e, Frame) else e.text.encode() for e in self.entries)

    def talk(self) -> list[str]:
        """The transcript, without times."""
        return list(talk.write(self._recording(), timing=False))

    def _recording(self) -> Recording:
        return Recording(Session(1, self.protocol, datetime.now(UTC)), tuple(self.entries))

    def check(self) -> "Stage":
        """What was heard live is heard again from the record and from its transcript, and all stands in its place."""
        if not self.relay.over:
            self.perform(self.relay.stopped(self.at))
        assert self.closed == 1, "closed more than once, or not at all"
        for side in Side:
            position = 0
            for entry in self.entries:
                if isinstance(entry, Frame) and entry.side is side:
                    assert entry.start == position
                    position = entry.end
        again = read(self.protocol, self.entries)
        assert timeless(again.exchanges) == timeless(self.exchanges)
        assert voices(again.entries) == voices(self.entries)
        (written,) = talk.read("\n".join(talk.write(self._recording())))
        from_talk = read(self.protocol, written.entries)
        assert timeless(from_talk.exchanges) == timeless(self.exchanges)
        assert voices(from_talk.entries) == voices([_spoken(entry) for entry in self.entries])
        return self


def voices(entries: Sequence[Entry]) -> list[tuple[object, ...]]:
    """What each side said under which security and where in its stream, however it was cut; then what was noted."""
    told: list[tuple[object, ...]] = []
    frames = [each for each in entries if isinstance(each, Frame) and each.length]
    for way, group in groupby(sorted(frames, key=lambda each: each.side), _way):
        same = list(group)
        told.append((*way, same[0].start, b"".join(each.octets for each in same)))
    return told + [(each.mark, each.text) for each in entries if isinstance(each, Note)]


def _spoken(entry: Entry) -> Entry:
    """As a transcript has it, which tells neither who spoke in whose place nor whether TLS passed within TLS."""
    if not isinstance(entry, Frame):
        return entry
    return entry._replace(origin=Origin.PEER, secure=entry.secure and entry.kind is not Kind.OPAQUE)


def _way(frame: Frame) -> tuple[object, ...]:
    return frame.side, frame.secure, frame.origin
