"""The relay: what one peer says goes to the other, octet for octet, and is heard on its way.

It decides and does nothing itself: events come in by method, actions come out, in the order in which they
are to be done. `Record` stands before the `Send` of the same octets, so nothing a peer was handed can be
missing from the record.

**TLS.** The server's connection is secured first, so that the client can be shown a certificate like the server's, and
one that fails as the server's does. What ends TLS with one peer is carried to the other as far as TLS allows: an alert
as an alert, where the client has not been answered yet.
"""

from typing import Final

from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import Ending, How
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.outcome import BY_US
from mailproxy.protocols.turn import Heard, Upgrade
from mailproxy.talk.actions import Action, Close, Finish, Listen, Record, Reset, Send, StartTls
from mailproxy.talk.ways import ALERT_RECORD, Insecure, Ways, agreed, distrust

TROUBLE: Final = {
    How.REFUSED: "connection refused",
    How.TIMED_OUT: "connection timed out",
    How.NO_ROUTE: "no route to host",
    How.NO_NAME: "no such host",
    How.FAILED: "connection failed",
}
ACCESS_DENIED: Final = 49  # RFC 8446 section 6.2
HANDSHAKE: Final = 0x16  # RFC 8446 section 5.1
SLIP: Final = "it begins TLS, and this port of mailproxy is in clear: set its connection security to none"
CLEAR: Final = Ways(apart=False)


class Relay:
    """The party between a client and a server. `due` says that `proceed` wants to be called."""

    __slots__ = ("_secure", "_shaking", "_slipped", "_spoken", "_wary", "dialogue", "due", "endings", "over", "ways")

    def __init__(self, dialogue: Dialogue, ways: Ways = CLEAR) -> None:
        self.dialogue = dialogue
        self.ways = ways
        self.endings: dict[Side, Ending] = {}
        self.over = False
        self.due = False
        self._secure: set[Side] = set()
        self._shaking: Side | None = None
        self._spoken = False  # something was said since the first ending
        self._wary = self._in_clear  # the client's first octet tells whether it takes this port for one with TLS
        self._slipped = False
        dialogue.apart = ways.apart and {ways.client, ways.server} == {Security.NONE}

    def connected(self, name: str, address: str, at: int) -> list[Action]:
        """The server has taken the connection."""
        where = name if name == address else f"{name} ({address})"
        note = Record([Note(Mark.FACT, f"connected to {where}", at)])
        return [note, *self._secure_from_start()]

    def failed(self, how: How, reason: str, at: int) -> list[Action]:
        """No connection to the server came about: the client gets a closed connection and no word."""
        text = TROUBLE[how] + (f": {reason}" if reason else "")
        self.endings[Side.SERVER] = Ending(Side.SERVER, how, at)
        return self._conclude([Note(Mark.TROUBLE, text, at)], None, at)

    def received(self, side: Side, octets: bytes, at: int) -> Heard:
        """A peer has said something: entries to record, octets to forward to the other peer, an answer to this one."""
        if self.endings:
            self._spoken = True
        dialogue = self.dialogue
        if self._wary and side is Side.CLIENT:
            self._wary = False
            if octets[0] == HANDSHAKE:
                self._slipped = self.due = True
                return Heard(dialogue.feed(side, octets, at).entries, b"")
        heard = dialogue.feed(side, octets, at)
        if dialogue.upgrade_turn is not None:
            self.due = True
        return heard

    def proceed(self, at: int) -> list[Action]:
        """Do what follows from what was received, now that it has gone on."""
        self.due = False
        if self._slipped:
            return self.insecure(Side.CLIENT, Insecure(SLIP, by=Side.CLIENT), at)
        turn, self.dialogue.upgrade_turn = self.dialogue.upgrade_turn, None
        match turn:
            case Upgrade.ASKED:
                return [Listen(Side.CLIENT, False)]
            case Upgrade.GRANTED if self.endings:
                side = next(iter(self.endings))
                return self.insecure(side, Insecure("closed before the handshake", by=side), at)
            case Upgrade.GRANTED:
                return [self._start_tls(Side.SERVER)]
            case Upgrade.REFUSED:
                heard = self.received(Side.CLIENT, self.dialogue.released(), at)
                return [*handed(Side.CLIENT, heard), Listen(Side.CLIENT, True)]
            case None:
                return []

    def secured(self, side: Side, facts: TlsFacts, at: int) -> list[Action]:
        """TLS with a peer has begun."""
        self._shaking = None
        self._secure.add(side)
        self.dialogue.secured(side)
        notes: list[Entry] = [Note(Mark.FACT, agreed(side, facts), at)]
        if facts.faults:
            notes.append(Note(Mark.FACT, distrust(facts), at))
            if self.ways.verify is Verify.STRICT or (self.ways.verify is Verify.MIRROR and self._in_clear):
                return self._refuse_server(notes, facts, at)
        return [Record(notes), *self._secured_both(side)]

    def insecure(self, side: Side, why: Insecure, at: int) -> list[Action]:
        """TLS with a peer has failed, in the handshake or later."""
        heard: list[Action] = [Record(self.dialogue.feed(side, why.clear, at).entries)] if why.clear else []
        note = Note(Mark.TROUBLE, f"TLS failed with the {side}: {why.reason}", at)
        self.endings[side] = Ending(why.by, How.FAILED, at)
        told: list[Action] = []
        if side is Side.SERVER and self._client_waits and Side.CLIENT not in self._secure:
            alert = b"" if why.alert is None else ALERT_RECORD + bytes([why.alert])
            told = sent(Side.CLIENT, why.clear or alert)
        return self._conclude([note], None, at, heard, told)

    def ended(self, side: Side, at: int, notified: bool | None = None) -> list[Action]:
        """A peer has ended its stream; it may still listen. Under TLS, `notified` tells whether with close_notify."""
        heard = self.dialogue.close(side, at)
        self.due = self.due or self.dialogue.upgrade_turn is not None
        entries = heard.entries
        how = {None: "", True: " (close_notify)", False: " (no close_notify)"}[notified]
        if not self.endings:
            known = side is Side.CLIENT and not self.dialogue.hidden
            without = " without QUIT" if known and not self.dialogue.quit else ""
            entries.append(Note(Mark.TROUBLE, f"closed by the {side}{without}{how}", at))
        elif self._spoken or notified is not None:
            entries.append(Note(Mark.FACT, f"closed by the {side} too{how}", at))
        self.endings[side] = Ending(side, How.CLOSED, at)
        actions: list[Action] = [Record(entries)]
        if heard.forward:
            actions.append(Send(side.other, heard.forward))
        actions.append(Finish(side.other, notified is not False))
        return self._conclude([], None, at, actions) if len(self.endings) == 2 else actions

    def broke(self, side: Side, how: How, at: int) -> list[Action]:
        """The connection with a peer has broken: reset by it, or timed out. The other is broken off likewise."""
        text = f"reset by the {side}" if how is How.RESET else f"timed out waiting for the {side}"
        if side is self._shaking:
            text += " in the TLS handshake"
        entries: list[Entry] = self.dialogue.close(side, at).entries
        entries.append(Note(Mark.TROUBLE, text, at))
        self.endings[side] = Ending(side, how, at)
        return self._conclude(entries, side.other, at)

    def stopped(self, at: int) -> list[Action]:
        """mailproxy itself was stopped."""
        return self._conclude([Note(Mark.TROUBLE, "cut off: mailproxy was stopped", at)], None, at)

    # TLS.

    @property
    def _client_waits(self) -> bool:
        """Whether the client's connection is to be under TLS once the server's is."""
        return self.ways.client is Security.TLS or self.dialogue.apart

    @property
    def _in_clear(self) -> bool:
        """Whether the client cannot be shown what is wrong with the server's certificate, for it uses no TLS itself."""
        return self.ways.client is Security.NONE and self.ways.server is not Security.NONE

    def _secure_from_start(self) -> list[Action]:
        if self.ways.server is Security.TLS:
            return [self._start_tls(Side.SERVER)]
        return [self._start_tls(Side.CLIENT)] if self.ways.client is Security.TLS else []

    def _start_tls(self, side: Side) -> Action:
        self._shaking = side
        return StartTls(side)

    def _secured_both(self, side: Side) -> list[Action]:
        """Go on with the client; once both are secured, nothing more is taken apart."""
        if side is Side.SERVER and self._client_waits:
            return [self._start_tls(Side.CLIENT)]
        self.dialogue.apart = False
        return [Listen(Side.CLIENT, True)]

    def _refuse_server(self, notes: list[Entry], facts: TlsFacts, at: int) -> list[Action]:
        said = ", ".join(facts.faults) + (f" ({facts.reason})" if facts.reason not in {"", *facts.faults} else "")
        why = f"TLS failed with the server: {said}{BY_US} (--trust FILE or --verify off goes on)"
        notes.append(Note(Mark.TROUBLE, why, at))
        self.endings[Side.SERVER] = Ending(None, How.FAILED, at)
        told = sent(Side.CLIENT, ALERT_RECORD + bytes([ACCESS_DENIED])) if self._client_waits else []
        return self._conclude(notes, None, at, last=told)

    def _conclude(
        self,
        entries: list[Entry],
        reset: Side | None,
        at: int,
        before: list[Action] | None = None,
        last: list[Action] | None = None,
    ) -> list[Action]:
        self.over = True
        entries = [*self.dialogue.finish(at), *entries]
        for side in Side:
            self.endings.setdefault(side, Ending(None, How.CUT, at))
        actions = before or []
        actions.append(Record(entries))
        actions += last or []
        if reset:
            actions.append(Reset(reset))
        actions.append(Close())
        return actions


def handed(side: Side, heard: Heard) -> list[Action]:
    """What a peer has said, recorded and handed to the other, and this one's answer."""
    return [Record(heard.entries), *sent(side.other, heard.forward), *sent(side, heard.answer)]


def sent(to: Side, octets: bytes) -> list[Action]:
    return [Send(to, octets)] if octets else []
