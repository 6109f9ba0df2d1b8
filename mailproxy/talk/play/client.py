"""The recorded client speaks again, to any server: a relay whose client is a recording.

It says what the recorded client said, once it has heard what that had heard before. It decides as a client does: what
was granted then and is refused now ends it. What its protocol's prompter knows would do harm it leaves out, and says
so; what cannot be said again (logins, numbers) is made anew. What is taken down is in recorded form.
"""

import re
from bisect import bisect_right
from collections import deque
from typing import Final, NamedTuple

from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.mask import MARK
from mailproxy.model.octets import Entry, Frame, Kind, Side, Span
from mailproxy.model.session import How, Recording
from mailproxy.model.stream import Streams
from mailproxy.model.tls import Security, TlsFacts, Verify
from mailproxy.protocols import named
from mailproxy.protocols.asking import Cue, Leave, Recorded
from mailproxy.protocols.dialogue import Dialogue, command
from mailproxy.protocols.reading import read
from mailproxy.protocols.turn import Line
from mailproxy.talk import actions as orders
from mailproxy.talk.play.acting import SAFELY, Acting
from mailproxy.talk.play.asked import Asked, Ledger, granted
from mailproxy.talk.play.login import CANCEL, Impossible, Login, Responses
from mailproxy.talk.play.script import HIDDEN, After, Part, Role, Script, Words, by_proxy, script
from mailproxy.talk.relay import Relay
from mailproxy.talk.typist import Close, Send, StartTls, TakeDown
from mailproxy.talk.ways import Insecure, Ways

__all__ = [
    "Acting", "Action", "ClientPlayer", "Close", "Login", "Pause", "Reset", "Send", "StartTls", "TakeDown",
]  # fmt: skip

PATIENCE: Final = 300.0
"""Seconds that a client waits for a reply (RFC 5321 section 4.5.3.2)."""
LINGER: Final = 10.0
"""Seconds that it waits for the server to end a connection that is of no more use."""
UNASKED: Final = 5.0
"""Seconds that it waits for what nobody asks for, where the recorded client had heard such."""
GIVING_UP: Final = 5_000_000
"""Who leaves so many microseconds after what was last said has waited in vain."""
SECOND: Final = 1_000_000
OWN_NAME: Final = "127.0.0.1"
SHOWN: Final = 200
_LENGTH: Final = re.compile(rb"(\d{1,3}) character")


class Pause(NamedTuple):
    """Call `woke` in so many seconds."""

    seconds: float


class Reset(NamedTuple):
    """Break the connection (RST)."""


Action = Send | TakeDown | StartTls | Close | Reset | Pause


class _Ready(NamedTuple):
    """A line that is to be said, and what it stands for; `waits` for all that was said before to be answered."""

    line: bytes
    recorded: Exchange | None
    cue: Cue
    waits: bool = True


class ClientPlayer:
    """One connection of the recorded client. Times are in microseconds since it began.

    `stopped` tells where and why it stopped before the record's end, `remarks` what was done otherwise than recorded,
    one line each; nothing secret is in them. Raises KeyError where the protocol of the recording is not known,
    ValueError where `acting.rcpt_to` is no address, and on nothing that it hears.
    """

    def __init__(
        self,
        recording: Recording,
        acting: Acting = SAFELY,
        login: Login | None = None,
        security: Security = Security.NONE,
    ) -> None:
        self.protocol = named(recording.session.protocol)
        exchanges = recording.exchanges or read(recording.session.protocol, recording.entries).exchanges
        self.script: Script = script(recording, exchanges)
        self.stopped = ""
        self.remarks: list[str] = []
        self._acting = acting
        self._login = login and Login(login.user or self._named(exchanges), login.password)
        self._words = Words(recording.entries)
        self._by_proxy = by_proxy(recording, exchanges)
        if self.script.in_clear and security is Security.TLS:
            security = Security.NONE
            self._remark("the recorded client spoke in clear where TLS was expected, and does so again")
        self._security = security
        self.relay = Relay(
            self.protocol.dialogue(),
            Ways(server=Security.TLS if security is Security.TLS else Security.NONE, verify=Verify.OFF),
        )
        self._streams = Streams(recording.entries)
        self._prompter = self.protocol.asking.prompter(
            Recorded(exchanges, self._streams), _leave(acting), self._login
        )  # fmt: skip
        self._ledger = Ledger()
        self._played: dict[int, Asked] = {}
        self._numbers: list[int] = []  # of what was played, in order
        self._next = 0  # part of the script
        self._ready: deque[_Ready] = deque()
        self._ended: deque[Asked] = deque()
        self._listing: list[Frame] = []  # what the server has said since all was answered
        self._actions: list[Action] = []
        self._tls: TlsFacts | None = None
        self._connected = False
        self._shaking = False
        self._paused = False
        self._rested = -1  # the part before which there was a pause
        self._leaving = False  # nothing of the script is said any more
        self._closed = False
        self._unasked = 0  # what the server has said that nobody had asked for, or failed to say
        self._told_body = True  # whether the last command's body is said
        self._opening = False  # TLS was asked for of our own accord

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.relay.over

    @property
    def patience(self) -> float | None:
        """How many seconds it waits for the server now, None where it does not wait."""
        if self.over or not self._connected or self._paused:
            return None
        if self._closed:
            return LINGER
        if self._misses_unasked:
            return UNASKED
        if self._at_end and not self._leaving:
            return self._patience_at_end
        return PATIENCE

    # Events.

    def connected(self, host: str, address: str, at: int) -> list[Action]:
        """The server has taken the connection."""
        self._connected = True
        self._do(self.relay.connected(host, address, at), at)
        return self._go(at)

    def failed(self, how: How, reason: str, at: int) -> list[Action]:
        """No connection came about."""
        self._stop_short("no connection came about")
        self._do(self.relay.failed(how, reason, at), at)
        return self._done()

    def heard(self, octets: bytes, at: int) -> list[Action]:
        """The server said something."""
        if not self.over:
            self._relayed(Side.SERVER, octets, at)
        return self._go(at)

    def secured(self, facts: TlsFacts, at: int) -> list[Action]:
        """TLS with the server has begun."""
        self._tls, self._shaking = facts, False
        self._dialogue.apart = False
        self._dialogue.secured(Side.CLIENT)
        self._do(self.relay.secured(Side.SERVER, facts, at), at)
        return self._go(at)

    def insecure(self, why: Insecure, at: int) -> list[Action]:
        """TLS with the server has failed, in the handshake or later, and the connection with it."""
        self._shaking = False
        self._stop_short(f"TLS failed: {escape_text(why.reason)}")
        self._do(self.relay.insecure(Side.SERVER, why, at), at)
        return self._done()

    def ended(self, how: How, at: int, notified: bool | None = None) -> list[Action]:
        """The server has ended the connection. Under TLS, `notified` tells whether with close_notify."""
        if self.over:
            return []
        gone = self._gone(how)
        if how is How.CLOSED:
            self._do(self.relay.ended(Side.SERVER, at, notified), at)
        else:
            self._do(self.relay.broke(Side.SERVER, how, at), at)
        self._judge()
        if how is How.CLOSED:
            self._say_in_vain(at)
        self._stop_short(gone)
        self._close(at)
        return self._done()

    def woke(self, at: int) -> list[Action]:
        """A pause is over."""
        self._paused = False
        return self._go(at)

    def late(self, at: int) -> list[Action]:
        """The server has said nothing for `patience` seconds."""
        if self._misses_unasked and not self.over and not self._closed:
            self._unasked = self._awaited.unasked
            return self._go(at)
        if self.over or self._closed:
            self._conclude(at)
        elif self._at_end and not self._leaving and self.script.end.by is Side.CLIENT:
            self._leave_as_recorded(at)
        elif self._at_end and not self._leaving and self.script.end.by is Side.SERVER and self._ledger.idle:
            self._remark("the server has not ended the connection, as the recorded one did")
            self._conclude(at)
        else:
            waits = f"{PATIENCE:g} s"
            asked = self._ledger.oldest
            what = f"{asked.verb or 'what was said'} has not been answered" if asked else "the server says nothing"
            self._stop_short(f"{what} within {waits}", always=True)
            self._do(self.relay.broke(Side.SERVER, How.TIMED_OUT, at), at)
        return self._done()

    # The play.

    def _go(self, at: int) -> list[Action]:
        """Do all that is due."""
        while self._may_speak and self._step(at):
            pass
        return self._done()

    @property
    def _may_speak(self) -> bool:
        return self._connected and not (self.over or self._shaking or self._paused or self._closed)

    def _step(self, at: int) -> bool:
        """Do the next thing, if it is due."""
        self._judge()
        if not self._may_speak or self._answer_challenge(at):
            return self._may_speak
        if not self._leaving and self._open_tls():
            return True
        if self._ready:
            return self._say_ready(at)
        if self._leaving:
            if self._ledger.idle:
                self._close(at)
            return False
        if self._at_end:
            return self._end(at)
        part = self.script.parts[self._next]
        if not self._has_heard(part.after):
            return False
        if part.pause and self._rests(part):
            return False
        return self._play(part, at)

    def _rests(self, part: Part) -> bool:
        """Whether there is a pause before a part, as there was."""
        if not self._acting.timing or self._rested == self._next:
            return False
        self._rested = self._next
        self._rest(part.pause)
        return True

    def _rest(self, pause: int) -> None:
        assert self._acting.timing
        self._paused = True
        self._actions.append(Pause(pause / SECOND / self._acting.timing))

    @property
    def _at_end(self) -> bool:
        return self._next >= len(self.script.parts) and not self._ready

    def _has_heard(self, after: After) -> bool:
        """Whether the server has said what the recorded client had heard."""
        if after.number < 0:
            return True
        return self._dialogue.greeted and self._is_answered(after) and self._unasked >= after.unasked

    @property
    def _awaited(self) -> After:
        """What the server is to say next."""
        return self.script.end.after if self._at_end else self.script.parts[self._next].after

    @property
    def _misses_unasked(self) -> bool:
        """Whether nothing is missing but what nobody asks for."""
        if self._leaving or self._ready or self._shaking or not self._dialogue.greeted:
            return False
        return self._awaited.unasked > self._unasked and self._is_answered(self._awaited)

    def _is_answered(self, after: After) -> bool:
        """Whether that has been answered which had been answered to the recorded client."""
        at = bisect_right(self._numbers, after.number)
        if not at:
            return True
        asked = self._played[self._numbers[at - 1]]
        if asked.exchange:
            return True
        if self._numbers[at - 1] < after.number or after.whole or asked.replies < after.replies:
            return False
        return self._come(asked) >= after.octets

    def _come(self, asked: Asked) -> int:
        """How many octets of a content that goes on have come."""
        server = self._dialogue.server
        begun = asked.turn.replies[-1].span.end if asked.turn and asked.turn.replies else asked.since
        return server.position + len(server.buffer) - begun

    def _play(self, part: Part, at: int) -> bool:
        """Say a part of the script, if it is its turn. What is not due any more is passed over."""
        asked = self._played.get(part.exchange.number)
        if part.role is Role.COMMAND:
            return self._play_command(part)
        if asked is None or not asked.body or asked.exchange:
            self._next += 1
            return True
        if part.role is Role.RESPONSE or part.after.number == part.exchange.number:
            if not asked.may_go_on:
                return False
            if part.role is Role.RESPONSE:
                self._next += 1
                return self._respond(asked, at)
        self._next += 1
        for piece in self._words.cut(part.span):
            if piece and not self.over:
                self._relayed(Side.CLIENT, piece, at)
        return not self.over

    def _say_in_vain(self, at: int) -> None:
        """Say what the recorded client said when the server had gone already."""
        while not self._leaving and self._next < len(self.script.parts) and self.script.parts[self._next].vain:
            self._play(self.script.parts[self._next], at)
            while self._ready and self._say_ready(at):
                pass

    def _play_command(self, part: Part) -> bool:
        """Make ready what is said in the place of a command."""
        self._next += 1
        exchange = part.exchange
        if part.gap and self._told_body:
            self._stop(f"the record leaves something out before {exchange.verb or 'what comes next'}: {part.gap}")
            return True
        if self._left_out(exchange):
            return True
        line = self._words.line(part.span)
        cue = self._prompter.cue(exchange, line)
        if hindrance := self._hindrance(part, cue):
            self._stop(f"{exchange.verb}: {hindrance}")
            return True
        if cue.remark:
            self._remark(cue.remark)
        self._told_body = cue.body
        last = len(cue.lines) - 1
        for at, each in enumerate(cue.lines):
            self._ready.append(_Ready(each, exchange if at == last else None, cue, waits=at > 0))
        return True

    def _left_out(self, exchange: Exchange) -> bool:
        """Whether a command is left out for the sake of TLS: it is there from the start, or mailproxy was asked for."""
        upgrading = self.protocol.upgrading
        if not upgrading or exchange.verb != upgrading.verb:
            return False
        if self._security is Security.TLS:
            self._remark(f"{exchange.verb} is left out: TLS is there from the start")
            return True
        if exchange.number in self._by_proxy and self._security is Security.NONE:
            self._remark(f"{exchange.verb} is left out: it was mailproxy that offered TLS, not the server")
            return True
        return False

    def _hindrance(self, part: Part, cue: Cue) -> str:
        """Why a command cannot be said."""
        if cue.impossible or (cue.against and not self._acting.keep_going):
            return cue.impossible or cue.against
        secret = bool(cue.mechanism) or Flag.SECRET in part.exchange.flags
        if not secret or self._acting.clear_ok:
            return ""
        if part.secure and not self._tls:
            return "it was said under TLS, and this connection is in clear"
        if self._tls and self._tls.faults and not self.script.distrusted:
            return f"the server's certificate is not trusted now: {', '.join(self._tls.faults)}"
        return ""

    # Words.

    def _say_ready(self, at: int) -> bool:
        """Say the next line that is ready, if it is its turn."""
        ready = self._ready[0]
        if (ready.waits and not self._ledger.idle) or (ready.recorded is None and not self._dialogue.greeted):
            return False
        self._ready.popleft()
        try:
            responses = self._responses(ready)
        except Impossible as why:
            self._stop(f"{ready.recorded.verb if ready.recorded else ''}: {why}")
            return True
        line = self._shown(ready.line) if not responses else _begun(ready.line, responses)
        self._ask(line, ready.recorded, responses, ready.cue.body, at)
        return True

    def _ask(
        self, line: bytes, recorded: Exchange | None, responses: Responses | None, body: bool, at: int
    ) -> None:  # fmt: skip
        server = self._dialogue.server
        verb, _ = command(Line(line, Span(Side.CLIENT, 0, len(line)), False))
        asked = Asked(verb, line, recorded, server.position + len(server.buffer))
        asked.responses, asked.body = responses, body
        upgrading = self.protocol.upgrading
        if upgrading and verb == upgrading.verb and self._security is Security.STARTTLS:
            asked.essential = True
        if recorded:
            self._played[recorded.number] = asked
            self._numbers.append(recorded.number)
        self._ledger.say(asked)
        self._relayed(Side.CLIENT, line, at)

    def _responses(self, ready: _Ready) -> Responses | None:
        """The responses of a SASL exchange, if one begins; raises Impossible."""
        mechanism, recorded = ready.cue.mechanism, ready.recorded
        if not mechanism or recorded is None:
            return None
        said = [self._words.line(span).rstrip(b"\r\n") for span in recorded.extra]
        return Responses(mechanism, recorded, _initial(ready.line), said, self._login)

    def _shown(self, line: bytes) -> bytes:
        """A line; where a secret is masked in what is no login, as many letters stand for it."""
        if not (found := MARK.search(line)):
            return line
        self._remark("letters stand for a secret that was said where none belongs")
        length = _LENGTH.search(found[0])
        return line[: found.start()] + b"x" * int(length[1] if length else 8) + line[found.end() :]

    def _answer_challenge(self, at: int) -> bool:
        """Answer a challenge that nobody recorded, if there is one; what cannot be answered ends the play."""
        asked = self._ledger.oldest
        if asked is None or not asked.may_go_on or (asked.turn and asked.turn.open):
            return False
        part = self.script.parts[self._next] if self._next < len(self.script.parts) else None
        if part and part.exchange is asked.recorded and part.role is not Role.COMMAND and not self._leaving:
            return False
        if not self._leaving and asked.recorded and _hangs(asked.recorded):
            return False  # the recorded client did not answer either
        if self._leaving or asked.responses is None:
            self._break_off(asked, at)
            return True
        return self._respond(asked, at)

    def _respond(self, asked: Asked, at: int) -> bool:
        """Answer a challenge."""
        if asked.responses is None or asked.turn is None:
            return True
        try:
            said = asked.responses.next(asked.turn.replies[-1].text)
        except Impossible as why:
            self._stop(f"{asked.verb}: {why}")
            self._relayed(Side.CLIENT, CANCEL, at)
            return True
        self._relayed(Side.CLIENT, said + b"\r\n", at)
        return True

    def _break_off(self, asked: Asked, at: int) -> None:
        """The server waits for something that will not be said."""
        if asked.responses is not None:
            self._relayed(Side.CLIENT, CANCEL, at)
            return
        self._stop_short(f"{asked.verb}: the server waits for a message that is not in the record", always=True)
        self._close(at)

    # Decisions.

    def _judge(self) -> None:
        """Go through what has been answered, and stop where a client would."""
        while self._ended:
            asked = self._ended.popleft()
            assert asked.exchange
            listing = self._octets(asked.exchange)
            self._prompter.heard(asked.recorded, asked.exchange, listing)
            self._decide(asked)
        if self._ledger.idle:
            self._listing.clear()

    def _decide(self, asked: Asked) -> None:
        reply = asked.exchange.reply if asked.exchange else None
        if reply is None:
            return
        if asked.granted:
            if not self._leaving:
                self._want_tls(asked)
            return
        if self._leaving:
            if asked.recorded is None:
                self._ready.clear()  # it was to follow its being granted
            return
        if not (asked.essential or self._expects(asked)):
            return
        said = escape_text(f"{reply.code} {reply.text}".replace("\n", " / ").strip())[:SHOWN]
        then = " now, and was granted then" if asked.recorded and granted(asked.recorded) else ""
        self._stop(f"{asked.verb or 'what was said'} is refused{then}: {said}")

    def _expects(self, asked: Asked) -> bool:
        """Whether a client goes on only where this is granted."""
        if self._acting.keep_going or asked.verb in self.protocol.asking.tolerated:
            return False
        return asked.recorded is not None and granted(asked.recorded)

    def _octets(self, exchange: Exchange) -> bytes:
        content = exchange.content
        if exchange.verb not in self.protocol.asking.listings or not content or content.span.side is not Side.SERVER:
            return b""
        return Streams(self._listing).octets(content.span)

    # TLS.

    @property
    def _wants_tls(self) -> bool:
        """Whether TLS is to be asked for, though the recorded client did not."""
        upgrading = self.protocol.upgrading
        if self._security is not Security.STARTTLS or self._tls or self._opening or not upgrading:
            return False
        return not any(
            part.exchange.verb == upgrading.verb and part.exchange.number not in self._by_proxy
            for part in self.script.parts
        )

    def _open_tls(self) -> bool:
        """Ask at once what the server can do, where the recorded client never asks."""
        upgrading = self.protocol.upgrading
        if self._next or self._ready or not upgrading or self._played or not self._wants_tls:
            return False
        if any(part.exchange.verb in upgrading.asks for part in self.script.parts):
            return False
        self._opening = True
        self._remark(f"{upgrading.verb} is said first, for TLS is wanted")
        for line in (upgrading.hello(OWN_NAME), upgrading.verb.encode() + b"\r\n"):
            self._ready.append(_Ready(line, None, Cue()))
        return True

    def _want_tls(self, asked: Asked) -> None:
        """Ask for TLS behind the first answer that tells what the server can do, and then ask that again."""
        upgrading = self.protocol.upgrading
        if not upgrading or asked.verb not in upgrading.asks or not self._wants_tls:
            return
        self._opening = True
        self._remark(f"{upgrading.verb} is said behind {asked.verb}, for TLS is wanted; then {asked.verb} again")
        self._ready.append(_Ready(upgrading.verb.encode() + b"\r\n", None, Cue()))
        self._ready.append(_Ready(asked.line, None, Cue()))

    def _begin_tls(self, at: int) -> None:
        """Begin TLS; not where the recorded client refused it, or where what it said then is not known."""
        if self.script.refusal and self._next >= len(self.script.parts):
            self._remark(f"the client refuses TLS, as it did: {self.script.refusal}")
            self._do(self.relay.insecure(Side.CLIENT, Insecure(self.script.refusal, by=Side.CLIENT), at), at)
            self._actions.append(Close())
        elif self.script.why == HIDDEN and self._at_end:
            self._stop_short(HIDDEN, always=True)
            self._close(at)
        else:
            self._shaking = True
            self._actions.append(StartTls())

    # The end.

    def _end(self, at: int) -> bool:
        """All has been said: end as the recorded client did."""
        end = self.script.end
        if self.script.why:
            if self._ledger.idle or self._given_up:
                self._stop(self.script.why)
                return True
            return False
        match end.by:
            case Side.CLIENT:
                if not self._has_heard(end.after) or self._owed:
                    return False
                if end.pause and self._acting.timing and self._rested != self._next:
                    self._rested = self._next
                    self._rest(end.pause)
                    return False
                self._leave_as_recorded(at)
            case None if self._ledger.idle:
                self._close(at)
        return False

    @property
    def _given_up(self) -> bool:
        """Whether the record ends in the midst of the client's message: no answer will come."""
        asked = self._ledger.oldest
        return asked is not None and asked.turn is not None and asked.turn.open

    @property
    def _owed(self) -> bool:
        """Whether the client is to wait for an answer, in the place of one that never came."""
        if self._dialogue.quit or self._ledger.idle or self._given_up:
            return False
        return not self.script.timed or self.script.end.pause >= GIVING_UP

    @property
    def _patience_at_end(self) -> float:
        pause = self.script.end.pause / SECOND
        if not self._has_heard(self.script.end.after):
            return PATIENCE
        if self.script.end.by is Side.CLIENT and self.script.timed:
            return pause
        if self._ledger.idle:
            return max(2 * pause, LINGER)
        return PATIENCE

    def _leave_as_recorded(self, at: int) -> None:
        """The client ends the connection."""
        if self.script.end.how is How.RESET:
            self._actions.append(Reset())
            self._do(self.relay.broke(Side.CLIENT, How.RESET, at), at)
        else:
            self._close(at)

    def _close(self, at: int) -> None:
        """End the connection, and hear what the server still says."""
        if self._closed or self.over:
            return
        self._closed = True
        self._do(self.relay.ended(Side.CLIENT, at, None if self._tls is None else True), at)
        self._actions.append(Close())

    def _conclude(self, at: int) -> None:
        """Wait no longer."""
        for side in Side:
            if side not in self.relay.endings:
                self._do(self.relay.ended(side, at), at)
        if not self._closed:
            self._actions.append(Close())

    def _stop(self, why: str) -> None:
        """Go no further in the script; take leave if that can be done."""
        self._stop_short(why, always=True)
        self._ready.extend(_Ready(line, None, Cue()) for line in self._prompter.farewell())

    def _stop_short(self, why: str, always: bool = False) -> None:
        """Tell that the script is not played to its end, if so."""
        short = always or self._next < len(self.script.parts) or bool(self._ready) or self._unanswered
        if short and not self.stopped:
            self.stopped = why
        self._leaving = True
        self._ready.clear()

    @property
    def _unanswered(self) -> bool:
        """Whether anything was not answered that the recorded client had an answer to."""
        return not self._ledger.idle and not self._dialogue.quit and not self._has_heard(self.script.end.after)

    def _gone(self, how: How) -> str:
        asked = self._ledger.oldest
        done = "closed" if how is How.CLOSED else "reset" if how is How.RESET else "lost"
        where = f"before it answered {asked.verb or 'what was said'}" if asked else "before the client had done"
        return f"the connection was {done} by the server {where}"

    # The relay.

    @property
    def _dialogue(self) -> Dialogue:
        return self.relay.dialogue

    def _relayed(self, side: Side, octets: bytes, at: int) -> None:
        heard = self.relay.received(side, octets, at)
        self._do([orders.Record(heard.entries), orders.Send(side.other, heard.forward)], at)
        while self.relay.due:
            self._do(self.relay.proceed(at), at)

    def _do(self, wanted: list[orders.Action], at: int) -> None:
        """What the relay orders, as far as it concerns the server: there is no other connection."""
        for order in wanted:
            match order:
                case orders.Record(entries):
                    self._take_down(entries)
                case orders.Send(Side.SERVER, octets) if octets:
                    self._actions.append(Send(octets))
                case orders.StartTls(Side.SERVER):
                    self._begin_tls(at)
                case _:
                    pass

    def _take_down(self, entries: list[Entry]) -> None:
        exchanges, self._dialogue.exchanges = self._dialogue.exchanges, []
        for exchange in exchanges:
            if Flag.GREETING in exchange.flags and exchange.reply:
                self._prompter.greeted(exchange.reply)
            elif exchange.command is None:
                self._unasked += len(exchange.replies)
        self._ended.extend(self._ledger.look(self._dialogue, exchanges))
        if self.protocol.asking.listings:
            said = (entry for entry in entries if isinstance(entry, Frame) and entry.side is Side.SERVER)
            self._listing += [frame for frame in said if frame.kind is Kind.SPEECH]
        if entries or exchanges:
            self._actions.append(TakeDown(entries, exchanges))

    def _done(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def _remark(self, line: str) -> None:
        self.remarks.append(escape_text(line))

    def _named(self, exchanges: tuple[Exchange, ...]) -> str:
        """Who logged in, in the record."""
        users = (self.protocol.asking.user(exchange.verb, exchange.argument) for exchange in exchanges)
        return next((user for user in users if user), self.script.user)


def _leave(acting: Acting) -> Leave:
    """What may be done; raises ValueError where the recipient is no address."""
    address = acting.rcpt_to
    if address and (not address.isprintable() or {" ", "<", ">"} & {*address}):
        raise ValueError(f"{address!r} is no address")
    return Leave(acting.deliver or bool(address), acting.delete, address)


def _hangs(exchange: Exchange) -> bool:
    """Whether the record of it breaks off before the client answered what it was asked."""
    return exchange.reply is None or exchange.reply.code[:1] == "3" or exchange.reply.code == "+"


def _initial(line: bytes) -> bytes:
    """What stands behind the mechanism in a command, as it was recorded."""
    return line.rstrip(b"\r\n").split(None, 2)[2] if len(line.split(None, 2)) > 2 else b""


def _begun(line: bytes, responses: Responses) -> bytes:
    """A command that begins a SASL exchange, with an initial response where it had one."""
    words = line.split(None, 2)
    end = line[len(line.rstrip(b"\r\n")) :]
    return b" ".join([*words[:2], *filter(None, [responses.first()])]) + (end or b"\r\n")
