"""A connection of a capture on its way to a recording, entry by entry.

**What is missing** has a note with its number of octets; within a message it counts, too. Behind a gap in what the
client said, and where the capture begins in the middle, nobody can tell a command from a password: up to the next line
that begins with a verb of the protocol nothing of it is kept.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from mailproxy.formats.talk_marks import octets as counted
from mailproxy.formats.tcp import Endpoint, Missing, Said
from mailproxy.formats.tcp_connection import Event, Happened, What
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.protocols import named
from mailproxy.protocols.hearing import TLS_RECORDS
from mailproxy.wire.inbox import LINE_LIMIT

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Draft:
    """One session as far as it was captured, begun at `started` microseconds since 1970.

    `opaque` where it is under TLS whose beginning was not captured.
    """

    def __init__(self, protocol: str, ends: tuple[Endpoint, Endpoint], started: int, whole: bool, opaque: bool) -> None:
        self._dialogue = named(protocol).dialogue()
        self._dialogue.from_start = whole
        self._started = started
        self._clock = 0
        self._entries: list[Entry] = []
        self._positions = dict.fromkeys(Side, 0)
        self._opaque = opaque
        self._wary = not whole and not opaque
        self._rest = b""
        self._withheld = 0
        self._spoken = False
        self._gap: Missing | None = None
        self._lossy = not whole
        self._answered = not whole
        self._session = _session(protocol, ends, started)
        if not whole:
            self._note(Mark.GAP, "the capture begins in the middle of the connection")

    def hear(self, at: int, event: Event) -> None:
        """Hear what happened `at` so many microseconds since 1970."""
        if self._gap and not (isinstance(event, Missing) and event.side is self._gap.side):
            self._lost()
        self._clock = max(self._clock, at - self._started)
        match event:
            case Said(side, octets):
                self._spoken = True
                self._said(side, octets)
            case Missing(side, number):
                self._gap = Missing(side, number + (self._gap.number if self._gap else 0))
            case Happened(side, what):
                self._happened(side, what)

    def recording(self, over: bool) -> Recording:
        """All of it; `over` where its end was captured."""
        self._lost()
        self._trust(b"")
        if not over and not self._answered:
            self._note(Mark.TROUBLE, "connection timed out: no answer was captured")
            self._end(Side.SERVER, How.TIMED_OUT)
        elif not over:
            self._note(Mark.GAP, "the capture ends before the connection does")
        return Recording(replace(self._session, duration=self._clock), tuple(self._entries))

    # What was said.

    def _said(self, side: Side, octets: bytes) -> None:
        if self._opaque:
            self._frame(side, b"", len(octets), Kind.OPAQUE)
        elif side is Side.CLIENT and self._wary:
            self._warily(octets)
        else:
            self._frame(side, octets, len(octets))

    def _warily(self, octets: bytes) -> None:
        """Keep nothing of the client before a line begins with a verb, or TLS does."""
        if not self._withheld and not self._rest and octets[0] in TLS_RECORDS:
            self._wary = False
            return self._frame(Side.CLIENT, octets, len(octets))
        lines = (self._rest + octets).splitlines(keepends=True)
        for index, line in enumerate(lines):
            if line.endswith(b"\n") and line.split(None, 1)[:1] and self._knows(line.split(None, 1)[0]):
                return self._trust(b"".join(lines[index:]))
            self._rest = b"" if line.endswith(b"\n") or len(line) > LINE_LIMIT else line
            self._withheld += len(line) - len(self._rest)
        return None

    def _knows(self, word: bytes) -> bool:
        return word.upper() in self._dialogue.known

    def _trust(self, octets: bytes) -> None:
        """Go on with these octets of the client; what was held back until here is only counted."""
        if self._wary and (number := self._withheld + (0 if octets else len(self._rest))):
            said = f"{counted(number)} of the client not kept: behind what is missing they may be a secret"
            self._note(Mark.GAP, said)
        self._wary, self._rest, self._withheld = False, b"", 0
        if octets:
            self._frame(Side.CLIENT, octets, len(octets))

    def _lost(self) -> None:
        """Tell how much is missing, now that something else follows."""
        if self._gap is None:
            return
        (side, number), self._gap = self._gap, None
        if side is Side.CLIENT:
            self._trust(b"")
            self._lossy = True
        self._note(Mark.GAP, f"{counted(number)} of the {side} missing: not captured")
        dialogue = self._dialogue
        content = any(turn.open for turn in dialogue.pending) and dialogue.commanding is (side is Side.SERVER)
        if self._opaque or dialogue.hidden:
            self._frame(side, b"", number, Kind.OPAQUE)
        elif content:
            self._frame(side, b"", number, Kind.OMITTED)
        else:
            self._wary = side is Side.CLIENT or self._wary

    # What happened.

    def _happened(self, side: Side, what: What) -> None:
        match what:
            case What.ANSWERED:
                self._answered = True
                server = self._session.server
                self._session = replace(self._session, server=replace(server, connected=self._clock))
                self._note(Mark.FACT, f"connected to {server.host}")
            case What.REFUSED:
                self._note(Mark.TROUBLE, "connection refused")
                self._end(side, How.REFUSED)
            case What.RESET:
                self._note(Mark.TROUBLE, f"reset by the {side}")
                self._end(side, How.RESET)
            case What.CLOSED:
                self._closed(side)
            case What.FRAGMENT:
                self._note(Mark.GAP, f"an IP packet of the {side} came in fragments, of which only the first is read")

    def _closed(self, side: Side) -> None:
        ended = self._session.client.ending or self._session.server.ending
        dialogue = self._dialogue
        dialogue.close(side, self._clock)
        if not ended:
            known = side is Side.CLIENT and not (self._lossy or dialogue.hidden or dialogue.quit)
            self._note(Mark.TROUBLE, f"closed by the {side}" + (" without QUIT" if known else ""))
        elif self._spoken:
            self._note(Mark.FACT, f"closed by the {side} too")
        self._spoken = False
        self._end(side, How.CLOSED)

    def _end(self, side: Side, how: How) -> None:
        session = self._session
        leg = session.client if side is Side.CLIENT else session.server
        leg = replace(leg, ending=leg.ending or Ending(side, how, self._clock))
        self._session = replace(session, client=leg) if side is Side.CLIENT else replace(session, server=leg)

    def _note(self, mark: Mark, text: str) -> None:
        self._entries.append(Note(mark, text, self._clock))

    def _frame(self, side: Side, octets: bytes, number: int, kind: Kind = Kind.SPEECH) -> None:
        frame = Frame(side, octets, self._clock, self._positions[side], number, kind)
        self._positions[side] = frame.end
        self._entries.append(frame)
        if octets:
            self._dialogue.feed(side, octets, self._clock)
            self._dialogue.exchanges.clear()
        else:
            self._dialogue.feed_gap(side, number, kind, self._clock)


def _session(protocol: str, ends: tuple[Endpoint, Endpoint], started: int) -> Session:
    """Both legs are the same connection: there was no proxy between its ends."""
    (client, client_port), (server, server_port) = ((str(ip_address(end.address)), end.port) for end in ends)
    host = f"[{server}]" if ":" in server else server
    return Session(
        0,
        protocol,
        EPOCH + timedelta(microseconds=started),
        f"{protocol}://{host}:{server_port}",
        Leg(Side.CLIENT, client, client, client_port, server, server_port, connected=0),
        Leg(Side.SERVER, server, server, server_port, client, client_port),
    )
