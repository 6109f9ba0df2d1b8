"""The recorded server speaks again, to any mail program.

It hears the client with a dialogue of its own, as a relay does, and whenever it is the server's move it says what the
recorded server said to the like. What the record cannot answer is answered in the recorded server's manner, and
remarked.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Final

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.model.tls import TlsFacts
from mailproxy.protocols import named
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.reading import read
from mailproxy.protocols.turn import Move, Turn, Upgrade
from mailproxy.talk.play import recorded_tls
from mailproxy.talk.play.choice import Choice, Chosen, Likeness
from mailproxy.talk.play.edit import GREETING, edited
from mailproxy.talk.play.manner import AS_RECORDED, Manner
from mailproxy.talk.play.omitted import filling
from mailproxy.talk.play.part import START, Part, Piece, Step, When
from mailproxy.talk.practice.conversation import Action, Close, Reset, Send, Wait
from mailproxy.talk.stand_in import Absent
from mailproxy.talk.ways import Insecure

LINE: Final = re.compile(rb"\xff|[^\n\xff]*\n|[^\n\xff]+")
"""A line, or a part of it; a Telnet command may begin with 0xFF, if it is the client's move to say a command."""
SHORT: Final = 8
CANCEL: Final = b"*"  # RFC 4422 section 3.5
SECOND: Final = 1_000_000
HESITATION: Final = SECOND
"""Before an answer for which the recorded client did not wait: one that does not wait again hears as little."""
SHOWN: Final = 80
BY_CLIENT: Final = ("closed by the client", "reset by the client", "timed out waiting for the server")


class ServerPlayer:
    """One connection of the recorded server.

    `remarks` tells what the record could not answer, one line each, as `remark` is told at once; no secret is in it.
    Raises KeyError where the protocol of the recording is not known, and on nothing that it is fed.
    """

    def __init__(
        self,
        recording: Recording,
        manner: Manner = AS_RECORDED,
        remark: Callable[[str], None] = lambda line: None,
    ) -> None:
        protocol = named(recording.session.protocol)
        exchanges = recording.exchanges or read(recording.session.protocol, recording.entries).exchanges
        self.remarks: list[str] = []
        self._recording = recording
        self._manner = manner
        self._told = remark
        self._part = Part(recording, exchanges)
        self._answering = protocol.answering
        self._choice = Choice(self._part.exchanges, self._answering)
        record = Record(self._part.exchanges, Streams(recording.entries), recorded_tls.speaks_tls(recording))
        self._understudy = self._answering.understudy(record)
        self._dialogue = protocol.dialogue()
        self._dialogue.apart = protocol.upgrading is not None
        self._actions: list[Action] = []
        self._steps: deque[Step] = deque()  # still to be done for the turn at hand
        self._turn: Turn | None = None
        self._chosen: Chosen | None = None
        self._counts: Counter[str] = Counter()
        self._heard = 0  # octets of the client
        self._since = 0  # as many had been heard when the message at hand began
        self._line_ended = True
        self._line = b""  # how the last line of the client began
        self._repeat: Step | None = None  # the last reply, where one more like it is due
        self._started = False
        self._shaking = False
        self._mute = False
        self._over = False
        self._hidden = False

    # The stand-in.

    def absent(self) -> Absent | None:
        """How no connection with the recorded server came about."""
        return recorded_tls.absent(self._recording)

    def receive(self, octets: bytes = b"") -> list[Action]:
        """What to do now that these octets have come. The first call, with none, earns the greeting."""
        if not self._started:
            self._start()
        for line in self._segments(octets):
            if self._over or self._shaking:
                break
            self._hear(line)
        return self._done()

    def secure(self) -> TlsFacts | Insecure:
        """Begin TLS, as with the recorded server."""
        facts = recorded_tls.secured(self._recording)
        if isinstance(facts, Insecure):
            self._over = True
            return facts
        self._shaking = False
        self._dialogue.apart = False
        self._dialogue.upgrade_turn = None
        self._dialogue.released()
        for side in Side:
            self._dialogue.secured(side)
        self._hidden = any(isinstance(entry, Frame) and entry.kind is Kind.OPAQUE for entry in self._recording.entries)
        self._skip_to_secure()
        return facts

    def ended(self) -> list[Action]:
        """What to do now that the client has ended its stream."""
        if not self._over:
            self._dialogue.close(Side.CLIENT, 0)
            self._answer()
        if not self._over:
            self._end(Close())
        return self._done()

    def leave(self) -> None:
        """The client is gone: nothing is held for it."""
        self._over = True

    # What the client says.

    def _segments(self, octets: bytes) -> Iterator[bytes]:
        """The octets line by line; of a message as much at once as cannot hold its end."""
        at = 0
        while at < len(octets):
            turn = self._head
            if turn and turn.open and turn.move is Move.CLIENT and not (self._line_by_line or self._dotted):
                end = octets.find(b".\r\n", at) + 3
                end = end if end > 2 else len(octets)
            else:
                found = LINE.match(octets, at)
                assert found
                end = found.end()
            yield octets[at:end]
            at = end

    @property
    def _line_by_line(self) -> bool:
        """Whether something may happen in the midst of a message, or it may end in an odd way."""
        return self._ends_oddly or (bool(self._steps) and self._steps[0].when is When.HEARD)

    @property
    def _dotted(self) -> bool:
        """Whether a line has begun that may be the end of a message."""
        return not self._line_ended and self._line.startswith(b".")

    @property
    def _ends_oddly(self) -> bool:
        """Whether the recorded server took for the end of the message what is none."""
        return self._chosen is not None and Flag.ODD_END in self._chosen.exchange.flags

    def _hear(self, line: bytes) -> None:
        if self._mute:
            return
        turn = self._head
        if self._hidden:
            return self._stop("what was said under TLS is not in the record")
        self._heard += len(line)
        last = line.rfind(b"\n", 0, -1) + 1
        self._line = (line[last:] if self._line_ended or last else self._line + line)[:SHORT]
        self._line_ended = line.endswith(b"\n")
        responding = turn is not None and turn.move is Move.CLIENT and not turn.open
        heard = self._dialogue.feed(Side.CLIENT, line, 0)
        if heard.answer:
            self._actions.append(Send(heard.answer))
        if responding and self._line_ended and self._line.rstrip(b"\r\n") == CANCEL:
            self._cancelled()
        if self._dialogue.hidden:
            return self._stop("the client begins TLS where it is to speak in clear")
        self._answer()

    @property
    def _head(self) -> Turn | None:
        pending = self._dialogue.pending
        return pending[0] if pending else None

    # What the server does.

    def _start(self) -> None:
        """Do what the recorded server did before it was asked anything."""
        self._started = True
        steps = self._part.steps.get(START, [])
        if self._hidden:
            return self._stop("what was said under TLS is not in the record")
        greeted = any(isinstance(step.what, Piece) and step.what.greeting for step in steps)
        if not greeted:
            self._greet_anew()
        self._steps.extend(steps)
        while self._steps and not self._over:
            self._do(self._steps.popleft(), GREETING, 1)

    def _greet_anew(self) -> None:
        """Greet where the record does not begin with a greeting."""
        if self._part.track.end:
            greeting = self._understudy.greeting()
            if greeting is None:
                return
            if self._manner.strict:
                return self._stop("the greeting is not in the record")
            self._remark(f'the greeting is not in the record: said "{_shown(greeting)}"')
            self._steps.append(Step(When.AT_ONCE, greeting))
        elif not self._part.steps and not self._left_by_client:
            self._stop("the record has no word of the server")

    @property
    def _left_by_client(self) -> bool:
        """Whether the client gave up on a silent server."""
        return any(
            isinstance(entry, Note) and entry.mark is Mark.TROUBLE and entry.text.startswith(BY_CLIENT)
            for entry in self._recording.entries
        )

    def _answer(self) -> None:
        """Do all that is due, in turn."""
        while not self._over and not self._mute and not self._shaking:
            if self._turn and self._turn.move is Move.DONE:
                self._conclude()
                continue
            turn = self._next_turn()
            if turn is None:
                return
            if turn is not self._turn:
                self._begin(turn)
                continue
            asked = self._asked(turn)
            if not self._steps:
                if not asked:
                    return
                self._run_out(turn)
                continue
            if not self._due(self._steps[0], asked):
                return
            self._perform(turn, self._steps.popleft())

    def _next_turn(self) -> Turn | None:
        """Whose answer is due: the first one's, but where its listing has no end and the record goes on behind it."""
        pending = self._dialogue.pending
        head = self._head
        if len(pending) > 1 and head is self._turn and self._left_open:
            return pending[1]
        if len(pending) > 1 and self._turn is pending[1]:
            return self._turn
        return head

    @property
    def _left_open(self) -> bool:
        """Whether the server's content has no end, and the recorded server spoke again all the same."""
        if not (self._turn and self._turn.open and self._turn.replies and self._chosen) or self._steps:
            return False
        return self._turn.move is Move.WAITING and self._part.goes_on_behind(self._chosen.exchange)

    def _asked(self, turn: Turn) -> bool:
        """Whether it is the server's move."""
        if turn.open and turn.move is Move.CLIENT:
            return self._ends_oddly and self._line_ended and self._line.rstrip(b"\r\n") == b"."
        return turn.move is Move.WAITING and not turn.open

    def _due(self, step: Step, asked: bool) -> bool:
        match step.when:
            case When.AT_ONCE:
                return True
            case When.ASKED:
                return asked
            case When.HEARD:
                return asked or (self._line_ended and self._heard - self._since >= step.octets)

    def _perform(self, turn: Turn, step: Step) -> None:
        """Do a step of a turn; see whether the turn wants one more like it."""
        before = len(turn.replies)
        self._do(step, turn.verb, self._counts[turn.verb])
        self._since = self._heard
        self._repeat = step if len(turn.replies) > before and turn.move is Move.WAITING and not turn.open else None
        self._upgraded()

    def _conclude(self) -> None:
        """The turn at hand has ended: what followed it at once in the record follows now."""
        steps, self._turn = [step for step in self._steps if step.when is When.AT_ONCE], None
        self._steps.clear()
        for step in steps:
            if not self._over:
                self._do(step, "", 0)
        self._learn()

    def _learn(self) -> None:
        for exchange in self._dialogue.exchanges:
            self._understudy.heard(exchange)
        self._dialogue.exchanges.clear()

    def _upgraded(self) -> None:
        """See what has become of the client's wish for TLS."""
        news, self._dialogue.upgrade_turn = self._dialogue.upgrade_turn, None
        match news:
            case Upgrade.GRANTED:
                self._shaking = True
            case Upgrade.REFUSED:
                if behind := self._dialogue.released():
                    self._dialogue.feed(Side.CLIENT, behind, 0)
            case _:
                self._dialogue.upgrade_turn = news

    # Which answer.

    def _begin(self, turn: Turn) -> None:
        """Find the answer to a command."""
        self._turn = turn
        self._repeat = None
        self._since = self._heard
        self._counts[turn.verb] += 1
        self._chosen = self._choose(turn)
        if self._over or self._chosen is None:
            return
        self._put(turn, self._chosen)

    def _choose(self, turn: Turn) -> Chosen | None:
        """What answers in the record; None where something else does."""
        if chosen := self._choice.fresh(turn.verb, turn.argument):
            return chosen
        if self._manner.strict:
            self._stop(f"{self._name(turn)} is not in the record")
            return None
        if turn.verb in self._answering.particular and self._improvised(turn):
            return None
        if (again := self._choice.again(turn.verb, turn.argument)) or self._improvised(turn):
            return again
        self._stop(f"{self._name(turn)} is not in the record, and nothing is known to answer")
        return None

    def _put(self, turn: Turn, chosen: Chosen) -> None:
        """Lay out the steps of a recorded answer as this command needs them."""
        steps = self._part.steps.get(chosen.exchange.number, [])
        parts = self._answering.recast(turn.verb, turn.argument, chosen.exchange)
        if parts == () and self._improvised(turn):
            return
        self._remark_likeness(turn, chosen)
        if not parts:
            self._steps.extend(steps)
            return
        pieces = [at for at, step in enumerate(steps) if isinstance(step.what, Piece)]
        for part in parts:
            if isinstance(part, bytes):
                self._steps.append(Step(When.ASKED, part))
            elif part < len(pieces):
                self._steps.append(steps[pieces[part]]._replace(when=When.ASKED))
        if pieces:
            self._steps.extend(steps[pieces[-1] + 1 :])

    def _remark_likeness(self, turn: Turn, chosen: Chosen) -> None:
        match chosen.likeness:
            case Likeness.KIN:
                self._remark(f"{self._name(turn)} is not in the record: answered as {self._title(chosen.exchange)} was")
            case Likeness.AGAIN:
                self._remark(f"{self._name(turn)} is not in the record once more: answered as before")

    def _improvised(self, turn: Turn) -> bool:
        """Answer in the recorded server's manner, if that can be."""
        answer = self._understudy.answer(turn.verb, turn.argument)
        if answer is None or not answer.parts:
            return False
        self._remark(f'{self._name(turn)} is not in the record: answered "{_shown(answer.parts[-1])}"')
        self._improvise(answer)
        return True

    def _improvise(self, answer: Improvised, pause: int = 0) -> None:
        self._steps.extend(Step(When.ASKED, part, pause=pause) for part in answer.parts)
        if answer.closes:
            self._steps.append(Step(When.AT_ONCE, Close()))

    def _cancelled(self) -> None:
        """The client has cancelled a SASL exchange: no answer that grants it will do."""
        final = self._chosen.exchange.reply if self._chosen else None
        if final and not final.positive:
            if len(self._steps) > 1:
                self._put_final()
        elif refusal := self._understudy.cancelled():
            self._steps.clear()
            self._steps.append(Step(When.ASKED, refusal))

    def _put_final(self) -> None:
        asked = [at for at, step in enumerate(self._steps) if step.when is When.ASKED]
        if asked:
            self._steps = deque(list(self._steps)[asked[-1] :])

    def _run_out(self, turn: Turn) -> None:
        """It is the server's move, and the record tells of no move more."""
        if self._repeat:
            self._steps.append(self._repeat)
            return
        exchange = self._chosen.exchange if self._chosen else None
        answer = self._understudy.answer(turn.verb, turn.argument)
        unheard = exchange is not None and _broken_off_by_client(exchange)
        if answer and answer.parts and exchange and (unheard or (answer.closes and not exchange.replies)):
            if self._manner.strict:
                return self._stop(f"the record ends within {self._name(turn)}")
            self._remark(f'the record ends within {self._name(turn)}: answered "{_shown(answer.parts[-1])}"')
            self._improvise(Improvised(answer.parts[-1:], answer.closes), 0 if unheard else HESITATION)
            return
        self._mute = True
        cut = "breaks off" if turn.replies or self._dialogue.server.buffer else "is missing"
        self._remark(f"the answer to {self._name(turn)} {cut} in the record: nothing more is said")

    # Words.

    def _do(self, step: Step, verb: str, number: int) -> None:
        match step.what:
            case Piece() as piece:
                self._say(piece, verb, number)
            case bytes() as octets:
                if step.pause:
                    self._actions.append(Wait(step.pause / SECOND))
                self._send(edited(self._manner.edits, verb, number, octets))
            case ending:
                self._wait(step.pause)
                self._end(ending)

    def _say(self, piece: Piece, verb: str, number: int) -> None:
        """Say a recorded reply as it was, but for what a rule changes; what followed it, if it is still waited for."""
        if not self._manner.edits or piece.start == piece.reply:
            return self._say_frames(piece.start, piece.end)
        reply = self._part.track.octets(piece.start, piece.reply)
        changed = edited(self._manner.edits, verb, number, reply)
        if changed == reply:
            return self._say_frames(piece.start, piece.end)
        self._send(changed)
        if self._turn and self._turn is self._head and self._turn.open:
            self._say_frames(piece.reply, piece.end)

    def _say_frames(self, start: int, end: int) -> None:
        missing = 0
        for frame, pause in self._part.track.cut(start, end):
            if frame.kind is Kind.OMITTED:
                missing += frame.wire
                continue
            self._fill(missing)
            missing = 0
            self._wait(pause)
            self._send(frame.octets)
        self._fill(missing)

    def _fill(self, missing: int) -> None:
        """Say something in the place of octets that nobody kept."""
        if missing:
            self._remark(f"{missing} octets of a message are not in the record")
            for octets in filling(missing):
                self._send(octets)

    def _send(self, octets: bytes) -> None:
        if octets:
            self._actions.append(Send(octets))
            first = octets.find(b"\n") + 1 if self._turn is not self._head else 0
            for part in (octets[:first], octets[first:]):  # behind a listing without end, its line tells that one ended
                if part:
                    self._dialogue.feed(Side.SERVER, part, 0)

    def _wait(self, microseconds: int) -> None:
        if self._manner.pauses and microseconds:
            self._actions.append(Wait(microseconds / SECOND / self._manner.pauses))

    def _end(self, ending: Close | Reset) -> None:
        self._actions.append(ending)
        self._over = True

    def _stop(self, why: str) -> None:
        """Go no further, for the record does not."""
        self._remark(f"{why}: the connection is closed")
        self._end(Close())

    def _done(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def _remark(self, line: str) -> None:
        self.remarks.append(line)
        self._told(line)

    def _name(self, turn: Turn) -> str:
        """A command by its verb and what it is about; of what is no command of the protocol nothing is repeated."""
        if turn.verb.encode() not in self._dialogue.known:
            return "a command that is none of the protocol"
        return self._title(turn)

    def _title(self, asked: Turn | Exchange) -> str:
        about = self._answering.about(asked.verb, asked.argument)
        return f"{asked.verb} {escape(about.encode('utf-8', 'surrogateescape'))[:SHOWN]}".strip()

    def _skip_to_secure(self) -> None:
        """Go on with what was said under TLS."""
        for exchange in self._part.exchanges:
            if exchange.command and exchange.replies and self._part.track.secure_at(exchange.replies[0].span.start):
                self._choice.skip_to(exchange.number)
                return


def _broken_off_by_client(exchange: Exchange) -> bool:
    """Whether the record breaks off in the midst of the client's message."""
    content = exchange.content
    return content is not None and content.span.side is Side.CLIENT and not content.ended


def _shown(octets: bytes) -> str:
    """The first line of a reply, for a remark."""
    return escape(octets.split(b"\r\n")[0])[:SHOWN]
