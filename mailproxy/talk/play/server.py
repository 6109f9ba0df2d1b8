"""The recorded server speaks again, to any mail program.

It hears the client with a dialogue of its own, as a relay does, and whenever it is the server's move it says what the
recorded server said to the like. What the record cannot answer is answered in the recorded server's manner, and
remarked.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

from mailproxy.model.exchange import Flag
from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.model.session import Recording
from mailproxy.model.tls import TlsFacts
from mailproxy.protocols import named
from mailproxy.protocols.reading import read
from mailproxy.protocols.turn import Move, Turn, Upgrade
from mailproxy.talk.play import recorded_tls
from mailproxy.talk.play.answers import Answer, Answers, broken_off_by_client
from mailproxy.talk.play.edit import GREETING
from mailproxy.talk.play.lines import Lines
from mailproxy.talk.play.manner import AS_RECORDED, Manner
from mailproxy.talk.play.part import Part, Step, When
from mailproxy.talk.play.steering import Steering
from mailproxy.talk.play.voice import Voice
from mailproxy.talk.practice.conversation import Action, Close
from mailproxy.talk.stand_in import Absent
from mailproxy.talk.ways import Insecure

CANCEL: Final = b"*"  # RFC 4422 section 3.5
DOT: Final = b"."
NOTHING: Final = Answer(())


class ServerPlayer:
    """One connection of the recorded server, a `talk.stand_in.StandIn`.

    `remarks` tells what the record could not answer, one line each, as `remark` is told at once; no secret is in it.
    `secure` is where the client is under TLS from the start, whatever the recorded server was.
    Raises KeyError where the protocol of the recording is not known, and on nothing that it is fed.
    """

    def __init__(
        self,
        recording: Recording,
        manner: Manner = AS_RECORDED,
        remark: Callable[[str], None] = lambda line: None,
        secure: bool = False,
    ) -> None:
        protocol = named(recording.session.protocol)
        exchanges = recording.exchanges or read(recording.session.protocol, recording.entries).exchanges
        self.remarks: list[str] = []
        self._recording = recording
        self._told = remark
        self._part = Part(recording, exchanges)
        self._answers = Answers(recording, self._part, protocol, manner.strict, self._remark)
        if secure:
            self._answers.met_under_tls()
        self._steering = Steering(self._part, protocol, manner.strict, self._remark)
        self._dialogue = protocol.dialogue()
        self._dialogue.apart = protocol.upgrading is not None
        self._voice = Voice(self._dialogue, self._part.track, manner, self._remark)
        self._edits = manner.edits
        self._lines = Lines()
        self._turn: Turn | None = None  # the turn at hand, its answer, and the steps of it that are still to be done
        self._answer = NOTHING
        self._steps: deque[Step] = deque()
        self._slip: Sequence[Step] = ()  # what answers TLS where the server speaks in clear
        self._repeat: Step | None = None  # the last reply, where one more like it is due
        self._improvising = False  # the record has ended within the answer
        self._counts: Counter[str] = Counter()
        self._heard = 0  # octets of the client
        self._since = 0  # as many had been heard at the last step
        self._started = False
        self._shaking = False  # TLS is to begin
        self._hidden = False  # what was said under TLS is not in the record
        self._mute = False

    def absent(self) -> Absent | None:
        """How no connection with the recorded server came about."""
        return recorded_tls.absent(self._recording)

    def receive(self, octets: bytes = b"") -> list[Action]:
        """What to do now that these octets have come. The first call, with none, earns the greeting."""
        if not self._started:
            self._start()
        for part in self._lines.cut(octets, self._in_message):
            if self._voice.over or self._shaking or self._mute:
                break
            self._hear(part)
        return self._voice.done()

    def secure(self) -> TlsFacts | Insecure:
        """Begin TLS, as with the recorded server."""
        facts = recorded_tls.secured(self._recording)
        if isinstance(facts, Insecure):
            self._voice.over = True
            return facts
        self._shaking = False
        self._dialogue.apart = False
        self._dialogue.upgrade_turn = None
        self._dialogue.released()
        for side in Side:
            self._dialogue.secured(side)
        frames = (entry for entry in self._recording.entries if isinstance(entry, Frame))
        self._hidden = any(frame.kind is Kind.OPAQUE for frame in frames)
        self._answers.secured()
        return facts

    def ended(self) -> list[Action]:
        """What to do now that the client has ended its stream."""
        if not self._voice.over:
            given_up = self._given_up
            self._dialogue.close(Side.CLIENT, 0)
            if not given_up:
                self._say_due()
        if not self._voice.over:
            self._voice.end(Close())
        return self._voice.done()

    def leave(self) -> None:
        """The client is gone: nothing is held for it."""
        self._voice.over = True

    def _start(self) -> None:
        """Do what the recorded server did before it was asked anything."""
        self._started = True
        self._mute = self._answers.silent
        if self._hidden:
            return self._stop_hidden()
        if self._part.hesitates:
            self._voice.hesitate()
        steps = self._answers.start()
        now = [step for step in takewhile(lambda step: step.when is not When.HEARD, steps)]
        self._slip = steps[len(now) :]
        for step in now:
            if not self._voice.over:
                self._voice.do(step, GREETING, 1)

    def _hear(self, part: bytes) -> None:
        if self._hidden:
            return self._stop_hidden()
        turn = self._head
        responding = turn is not None and turn.move is Move.CLIENT and not turn.open
        self._heard += len(part)
        self._voice.put(self._dialogue.feed(Side.CLIENT, part, 0).answer)
        if responding and self._lines.says(CANCEL):
            self._steps = deque(self._answers.cancelled(self._answer.exchange, list(self._steps)))
        if self._dialogue.hidden and self._slip:
            for step in self._slip:
                self._voice.do(step)
            self._mute = True
            return
        if self._dialogue.hidden:
            return self._voice.do(self._answers.stop("the client begins TLS where it is to speak in clear"))
        self._say_due()

    def _say_due(self) -> None:
        """Do all that is due, in turn."""
        while not (self._voice.over or self._mute or self._shaking):
            if self._turn and self._turn.move is Move.DONE:
                self._conclude()
                continue
            turn = self._next_turn()
            if turn is None:
                return
            if turn is not self._turn:
                self._begin(turn)
            elif self._steps and self._is_due(self._steps[0], turn):
                self._do(self._steps.popleft(), turn)
            elif (exchange := self._answer.exchange) and self._breaks_off(turn):
                self._improvising = True
                self._steps.extend(self._answers.ending(turn, exchange))
            elif self._steps or not self._is_asked(turn):
                return
            else:
                self._go_beyond(turn)

    def _begin(self, turn: Turn) -> None:
        """Find the answer to a command."""
        self._turn = turn
        self._repeat = None
        self._improvising = False
        self._since = self._heard
        self._counts[turn.verb] += 1
        self._answer = self._steering.steered(turn, self._answers.to(turn))
        self._steps = deque(self._answer.steps)

    def _edited_as(self, turn: Turn) -> str:
        """The verb by which rules find the answer: the command's, else that of the recorded one that it came from."""
        recorded = self._answer.exchange
        verbs = {edit.verb for edit in self._edits}
        return recorded.verb if recorded and turn.verb not in verbs and recorded.verb in verbs else turn.verb

    def _do(self, step: Step, turn: Turn) -> None:
        """Do a step of a turn; see whether the turn wants one more like it."""
        before = len(turn.replies)
        self._voice.do(step, self._edited_as(turn), self._counts[turn.verb], turn)
        self._since = self._heard
        self._repeat = step if len(turn.replies) > before and turn.move is Move.WAITING and not turn.open else None
        self._see_upgrade()

    def _conclude(self) -> None:
        """The turn at hand has ended: what followed it at once in the record follows now."""
        steps, self._turn = [step for step in self._steps if step.when is When.AT_ONCE], None
        self._steps.clear()
        for step in steps:
            if not self._voice.over:
                self._voice.do(step)
        self._answers.heard(self._dialogue.exchanges)
        self._dialogue.exchanges.clear()

    def _go_beyond(self, turn: Turn) -> None:
        """It is the server's move, and the record tells of no move more."""
        if self._repeat:
            self._steps.append(self._repeat)
            return
        if not self._improvising:
            self._improvising = True
            self._steps.extend(self._answers.rest(turn, self._answer.exchange))
        self._mute = not self._steps

    def _see_upgrade(self) -> None:
        """See what has become of the client's wish for TLS."""
        match self._dialogue.upgrade_turn:
            case Upgrade.GRANTED:
                self._dialogue.upgrade_turn = None
                self._shaking = True
            case Upgrade.REFUSED:
                self._dialogue.upgrade_turn = None
                if behind := self._dialogue.released():
                    self._dialogue.feed(Side.CLIENT, behind, 0)
            case _:
                pass

    def _stop_hidden(self) -> None:
        self._voice.do(self._answers.stop("what was said under TLS is not in the record"))

    # Whose move it is.

    @property
    def _head(self) -> Turn | None:
        pending = self._dialogue.pending
        return pending[0] if pending else None

    def _next_turn(self) -> Turn | None:
        """Whose answer is due: the first one's, but where its listing has no end and the record goes on behind it."""
        pending = self._dialogue.pending
        if len(pending) > 1 and (self._turn is pending[1] or (self._turn is pending[0] and self._left_open)):
            return pending[1]
        return self._head

    @property
    def _left_open(self) -> bool:
        """Whether the server's content has no end, and the recorded server spoke again all the same."""
        turn, exchange = self._turn, self._answer.exchange
        if self._steps or not (turn and turn.open and turn.replies and exchange):
            return False
        return turn.move is Move.WAITING and self._part.goes_on_behind(exchange)

    def _breaks_off(self, turn: Turn) -> bool:
        """Whether all is said that the recorded server could say before its client left in the midst of it."""
        within = turn.open and turn.move is Move.WAITING
        return within and self._part.left and not (self._steps or self._improvising)

    @property
    def _ends_oddly(self) -> bool:
        """Whether the recorded server took for the end of the message what is none."""
        return self._answer.exchange is not None and Flag.ODD_END in self._answer.exchange.flags

    @property
    def _given_up(self) -> bool:
        """Whether the client has left in the midst of a message, and the recorded server said nothing to the like."""
        turn, exchange = self._head, self._answer.exchange
        in_message = turn is not None and turn.open and turn.move is Move.CLIENT
        return in_message and not (self._steps and exchange and broken_off_by_client(exchange))

    def _in_message(self) -> bool:
        """Whether the client is in a message within which nothing is to happen, and which ends as it should."""
        turn = self._head
        due = bool(self._steps) and self._steps[0].when is When.HEARD
        return turn is not None and turn.open and turn.move is Move.CLIENT and not (due or self._ends_oddly)

    def _is_asked(self, turn: Turn) -> bool:
        """Whether it is the server's move."""
        if turn.open and turn.move is Move.CLIENT:
            return self._ends_oddly and self._lines.says(DOT)
        return turn.move is Move.WAITING and not turn.open

    def _is_due(self, step: Step, turn: Turn) -> bool:
        match step.when:
            case When.AT_ONCE:
                return True
            case When.ASKED:
                return self._is_asked(turn)
            case When.HEARD:
                enough = self._lines.ended and self._heard - self._since >= step.octets
                return enough or self._is_asked(turn)

    def _remark(self, line: str) -> None:
        self.remarks.append(line)
        self._told(line)
