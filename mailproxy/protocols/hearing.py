"""Octets of both sides, on their way to the readers, and what is noted of them.

Telnet commands and TLS are taken out here: neither is anything that a protocol's reader has to know.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.protocols.turn import MASKED, Heard, Steps, Terms, Turn, Upgrade
from mailproxy.wire import dots, telnet
from mailproxy.wire.hello import Handshake
from mailproxy.wire.inbox import LINE_LIMIT, Inbox

TLS_RECORDS: Final = frozenset({0x14, 0x15, 0x16, 0x17})
_CLIENT: Final = Side.CLIENT
_PEER: Final = Origin.PEER
_SERVER: Final = Side.SERVER


class Hearing(ABC):
    """Runs the readers of both sides on what comes, in whatever pieces."""

    def __init__(self, terms: Terms = MASKED) -> None:
        self.terms = terms
        self.exchanges: list[Exchange] = []
        self.pending: deque[Turn] = deque()
        self.client = Inbox()
        self.server = Inbox()
        self.at = 0
        self.greeted = False
        self.from_start = True  # what is heard begins with the connection, so the first reply is the greeting
        self.quit = False
        self.user = ""
        self.keep = terms.content  # of the message at hand
        self.suspicious = False  # an unknown word may be a secret typed in the wrong place
        self.secrets: set[bytes] = set()
        self._count = 1  # 0 is the greeting, whenever it comes
        self._over = False
        self.waiting = False  # the client's reader waits for the server to decide
        self.decided = False
        self.dotted: Side | None = None  # whose message is being read, up to its dot
        self.apart = False  # TLS is taken apart by whoever relays, and not passed through
        self.upgrade_turn: Upgrade | None = None  # news for whoever relays, who clears it
        self._behind: bytes | None = None  # what the client said behind its wish for TLS, until that is decided
        self._secure = {Side.CLIENT: False, Side.SERVER: False}
        self._held = b""
        self._commanding = True
        self._runs_on = False
        self._may_be_tls = {Side.CLIENT: True, Side.SERVER: False}
        self._handshake: Handshake | None = None
        self._notes: list[Note] = []
        self._dropped = 0  # octets at the end of what was fed last
        self._opaque_sides: set[Side] = set()
        self._client_steps = self._whole(self.hear_client(), Side.CLIENT)
        self._server_steps = self._whole(self.hear_server(), Side.SERVER)
        next(self._client_steps)
        next(self._server_steps)

    @abstractmethod
    def hear_client(self) -> Steps:
        """Read the client's side."""

    @abstractmethod
    def stray(self, side: Side, octets: bytes) -> Note:
        """Tell of octets that stood where TLS was to begin and went nowhere."""

    @abstractmethod
    def stray_noted(self) -> None:
        """Flag the exchange behind which octets went nowhere."""

    @abstractmethod
    def hear_server(self) -> Steps:
        """Read the server's side."""

    def feed(self, side: Side, octets: bytes, at: int) -> Heard:
        """Hear what a peer said `at` so many microseconds."""
        self.at = at
        if side is not _CLIENT:
            self.server.feed(octets)
            next(self._server_steps)
            if self.decided:
                self._settle_decision()
            if self._dropped:
                octets, self._dropped = octets[: -self._dropped], 0
        elif self._behind is not None:
            self._behind += octets
            return Heard([], b"")
        elif self._held or b"\xff" in octets:
            return self._feed_telnet(octets)
        else:
            self.client.feed(octets)
            next(self._client_steps)
            if self._behind:
                octets = octets[: -len(self._behind)]
        return Heard(self._entries(side), octets)

    def secured(self, side: Side) -> None:
        """Hear that from now on `side` speaks under TLS that is taken apart: what is fed is what it said."""
        self._may_be_tls[side] = False
        self._secure[side] = True

    def released(self) -> bytes:
        """What the client said behind a wish for TLS that was refused: commands, to be fed again."""
        octets, self._behind = self._behind or b"", None
        return octets

    def feed_gap(self, side: Side, length: int, kind: Kind, at: int) -> list[Entry]:
        """Count octets of content that were omitted from a record, or octets that were opaque.

        Returns what was broken off by the latter.
        """
        self.at = at
        inbox = self._inbox(side)
        if kind is Kind.OPAQUE:
            self._opaque_sides.add(side)
            broken_off = self.close(side, at).entries
            inbox.closed = False
            inbox.skip(length, kind)
            inbox.pieces()
            return broken_off
        inbox.gap = True
        while length > 0:
            self.feed(side, b"x" * min(length, LINE_LIMIT), at)
            length -= LINE_LIMIT
        inbox.gap = False
        return []

    @property
    def hidden(self) -> bool:
        """Whether anything was said under TLS, where nobody can hear it."""
        return bool(self._opaque_sides)

    @property
    def commanding(self) -> bool:
        """Whether the next line of the client is a command."""
        return self._commanding and not self.waiting

    def close(self, side: Side, at: int) -> Heard:
        """Hear that a peer has ended its stream: what was broken off is read as far as it goes."""
        self.at = at
        self._inbox(side).closed = True
        if side is Side.SERVER:
            next(self._server_steps)
            self.decided = self.decided or self.waiting  # no answer will come
            self._settle_decision()
            return Heard(self._entries(side), b"")
        held, self._held = self._held, b""
        self._feed_client(held)
        return Heard(self._entries(side), held)

    def finish(self, at: int) -> list[Entry]:
        """Hear that the session is over: turns that earned no reply are told as they stand."""
        entries = self.close(Side.CLIENT, at).entries
        entries += self.close(Side.SERVER, at).entries
        self._over = True
        next(self._client_steps)
        entries += self._entries(Side.CLIENT)
        if self._behind:
            self._notes.append(self.stray(Side.CLIENT, self.released()))
            self.stray_noted()
        entries += self._entries(Side.CLIENT)
        while self.pending:
            turn = self.pending.popleft()
            if turn.open:
                turn.flags.add(Flag.UNFINISHED)
            turn.open = False
            self._tell(turn)
        self._client_steps.close()
        self._server_steps.close()
        return entries

    def _whole(self, steps: Steps, side: Side) -> Steps:
        """A protocol's reader; should it fail, the octets go on and are counted, and the record says so."""
        try:
            yield from steps
        except Exception as failure:  # a bug of ours must not end a session
            what = f"mailproxy could not read on ({type(failure).__name__}); octets of the {side} are only counted"
            self._notes.append(Note(Mark.TROUBLE, what, self.at))
        inbox = self._inbox(side)
        while True:
            inbox.omit(len(inbox.buffer), Kind.OPAQUE)
            yield

    def _settle_decision(self) -> None:
        """The client's reader waited for what the server said: run it, and the server's again, until neither waits."""
        while self.decided:
            self.decided = False
            next(self._client_steps)
            next(self._server_steps)

    def _opaque(self, side: Side) -> Steps:
        """Where TLS begins, read it for ever; the handshake tells what it shows in clear."""
        inbox = self._inbox(side)
        self._may_be_tls[side] = False
        if inbox.buffer[0] not in TLS_RECORDS or inbox.gap:
            return
        self._may_be_tls[side.other] = not self._opaque_sides
        self._opaque_sides.add(side)
        self._handshake = self._handshake or Handshake()
        while True:
            yield from inbox.some()
            octets = inbox.omit(len(inbox.buffer), Kind.OPAQUE)
            for fact in self._handshake.hear(side, octets):
                self._notes.append(Note(Mark.TROUBLE if fact.trouble else Mark.FACT, fact.text, self.at))
            yield

    def _inbox(self, side: Side) -> Inbox:
        return self.client if side is Side.CLIENT else self.server

    def _turn(self, verb: str, argument: str, command: Span | None) -> Turn:
        turn = Turn(self._count, verb, argument, command, self.at)
        self._count += 1
        return turn

    def _tell(self, turn: Turn) -> None:
        self.exchanges.append(turn.exchange())

    def _entries(self, side: Side) -> list[Entry]:
        at = self.at
        secure = self._secure[side]
        inbox, other = (self.client, self.server) if side is _CLIENT else (self.server, self.client)
        pieces = inbox.pieces()
        if len(pieces) == 1:
            kind, start, octets, wire = pieces[0]
            entries: list[Entry] = [Frame(side, octets, at, start, wire, kind, _PEER, secure)]
        else:
            entries = [
                Frame(side, octets, at, start, wire, kind, _PEER, secure) for kind, start, octets, wire in pieces
            ]
        if other.unread:
            side = side.other
            secure = self._secure[side]
            entries += [
                Frame(side, octets, at, start, wire, kind, _PEER, secure)
                for kind, start, octets, wire in other.pieces()
            ]
        if self._notes:
            entries += self._notes
            self._notes = []
        return entries

    def _feed_client(self, octets: bytes) -> None:
        self.client.feed(octets)
        next(self._client_steps)

    def _feed_telnet(self, octets: bytes) -> Heard:
        """Hear octets that 0xFF is among: data in a content, perhaps a telnet command where commands are read."""
        rest, self._held = self._held + octets, b""
        forward = bytearray()
        answer = bytearray()
        entries: list[Entry] = []
        while rest:
            length = self._dataward(rest)
            if length:
                self._feed_client(rest[:length])
                forward += rest[:length]
                rest = rest[length:]
                if self._behind is not None:
                    del forward[len(forward) - len(self._behind) :]
                    self._behind += rest
                    break
                continue
            match telnet.parse(rest):
                case telnet.Short():
                    self._held, rest = rest, b""
                case telnet.Telnet(length=length, answer=owed):
                    entries += self._entries(Side.CLIENT)
                    entries += self._negotiated(rest[:length], owed)
                    answer += owed
                    rest = rest[length:]
                case None:
                    length = 2 if rest[:2] == b"\xff\xff" else 1
                    self._feed_client(rest[:length])
                    forward += rest[:length]
                    rest = rest[length:]
        entries += self._entries(Side.CLIENT)
        return Heard(entries, bytes(forward), bytes(answer))

    def _dataward(self, octets: bytes) -> int:
        """How many of the octets can be heard before a telnet command may begin; 0 where one may begin here."""
        if Side.CLIENT in self._opaque_sides:
            return len(octets)
        if self._commanding:
            found = octets.find(telnet.IAC)
            return found if found >= 0 else len(octets)
        line = octets.find(b"\n") + 1
        if not line or line == len(octets):
            return len(octets)
        if octets.startswith((b".\r\n", b"\n")) or b"\xff" not in octets[line:]:
            return line
        end = octets.find(dots.END)
        return end + len(dots.END) if end >= 0 else line

    def _negotiated(self, command: bytes, owed: bytes) -> list[Entry]:
        place = self.client.position + self.client.settled
        entries: list[Entry] = [Frame(Side.CLIENT, command, self.at, place, len(command), Kind.TELNET)]
        if owed:
            place = self.server.position + self.server.settled
            entries.append(Frame(Side.SERVER, owed, self.at, place, len(owed), Kind.TELNET, Origin.PROXY))
        return entries
