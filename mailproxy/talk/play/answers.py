"""What a played server answers to a command: as it was recorded, as the like was, in its manner, or not at all.

Whatever is not in the record is remarked. A remark repeats of a command what it is about, as its protocol tells it,
and nothing of what is no command of the protocol: it may be a secret.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Frame, Mark, Note, Side
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.turn import Turn
from mailproxy.talk.play import recorded_tls
from mailproxy.talk.play.choice import Choice, Chosen, Likeness
from mailproxy.talk.play.part import START, Part, Piece, Step, When
from mailproxy.talk.play.voice import SECOND
from mailproxy.talk.practice.conversation import Close

HESITATION: Final = SECOND
"""Before an answer for which the recorded client did not wait: one that does not wait again hears as little."""
SHOWN: Final = 80
BY_CLIENT: Final = ("closed by the client", "reset by the client", "timed out waiting for the server")
REFUSED: Final = "TLS failed with the client: alert"
CLOSED: Final = Step(When.AT_ONCE, Close())


class Answer(NamedTuple):
    """The steps of an answer, and the recorded exchange that they are from, if they are."""

    steps: Sequence[Step]
    exchange: Exchange | None = None


class Answers:
    """All answers of a recording, each used once as long as there are others. With `strict` there are no others."""

    def __init__(
        self, recording: Recording, part: Part, protocol: Protocol, strict: bool, remark: Callable[[str], None]
    ) -> None:
        self._recording = recording
        self._part = part
        self._answering = protocol.answering
        self._known = protocol.dialogue.known
        self._upgrading = protocol.upgrading
        self._secure = False
        self._strict = strict
        self._remark = remark
        self._choice = Choice(part.exchanges, self._answering)
        record = Record(part.exchanges, Streams(recording.entries), recorded_tls.speaks_tls(recording))
        self._understudy = self._answering.understudy(record)

    def start(self) -> list[Step]:
        """What is done before anything is asked."""
        steps = self._part.steps.get(START, [])
        if any(isinstance(step.what, Piece) and step.what.greeting for step in steps):
            return steps
        unheard = self._part.track.end or _refused_by_client(self._recording) or _begins_late(self._recording)
        if unheard and (greeting := self._understudy.greeting()):
            if self._strict:
                return [self.stop("the greeting is not in the record")]
            self._remark(f'the greeting is not in the record: said "{_shown(greeting)}"')
            return [Step(When.AT_ONCE, greeting), *steps]
        if self._part.track.end or self._part.steps or self.silent:
            return steps
        return [self.stop("the record has no word of the server")]

    @property
    def silent(self) -> bool:
        """Whether the recorded server said nothing at all until its client gave up, for no fault of its TLS."""
        return _left_by_client(self._recording) and not _refused_by_client(self._recording)

    def to(self, turn: Turn) -> Answer:
        """The answer to a command."""
        understudy = self._understudy
        if not self._strict and (steps := self._improvised(turn, understudy.overrules)):
            return Answer(steps)
        if chosen := self._choice.fresh(turn.verb, turn.argument):
            return self._recorded(turn, chosen)
        if self._strict:
            return Answer([self.stop(f"{self._name(turn)} is not in the record")])
        if steps := self._improvised(turn, understudy.misplaced):
            return Answer(steps)
        if turn.verb in self._answering.particular and (steps := self._improvised(turn, understudy.answer)):
            return Answer(steps)
        if again := self._choice.again(turn.verb, turn.argument):
            return self._recorded(turn, again)
        if steps := self._improvised(turn, understudy.answer):
            return Answer(steps)
        return Answer([self.stop(f"{self._name(turn)} is not in the record, and nothing is known to answer")])

    def cancelled(self, exchange: Exchange | None, steps: Sequence[Step]) -> Sequence[Step]:
        """What is left of an answer once the client has cancelled its login: nothing that grants it will do."""
        if exchange and exchange.reply and not exchange.reply.positive:
            asked = [at for at, step in enumerate(steps) if step.when is When.ASKED]
            return steps[asked[-1] :] if asked else steps
        refusal = self._understudy.cancelled()
        return [Step(When.ASKED, refusal)] if refusal else steps

    def rest(self, turn: Turn, exchange: Exchange | None) -> list[Step]:
        """What is said where the record ends within an answer; nothing, where the server said nothing."""
        answer = self._understudy.answer(turn.verb, turn.argument)
        unheard = exchange is not None and (self._part.cut or broken_off_by_client(exchange))
        unawaited = exchange is not None and not exchange.replies and answer is not None and answer.closes
        if not (answer and answer.parts and (unheard or unawaited)):
            cut = "breaks off" if turn.replies or (exchange and exchange.replies) else "is missing"
            self._remark(f"the answer to {self._name(turn)} {cut} in the record: nothing more is said")
            return []
        if self._strict:
            return [self.stop(f"the record ends within {self._name(turn)}")]
        self._remark(f'the record ends within {self._name(turn)}: answered "{_shown(answer.parts[-1])}"')
        said = Step(When.ASKED, answer.parts[-1], pause=0 if unheard else HESITATION)
        return [said, CLOSED] if answer.closes else [said]

    def ending(self, turn: Turn, exchange: Exchange) -> list[Step]:
        """What ends a message in whose midst the recorded client left."""
        ending = self._understudy.ending(exchange)
        if ending is None:
            return []
        if self._strict:
            return [self.stop(f"the record ends within {self._name(turn)}")]
        left = "" if self._part.cut else ", where the client left"
        self._remark(f"the record ends within {self._name(turn)}{left}: what is missing is made up")
        return [Step(When.AT_ONCE, ending, pause=HESITATION)]

    def heard(self, exchanges: Iterable[Exchange]) -> None:
        """Learn what has been asked and answered."""
        for exchange in exchanges:
            self._choice.heard(exchange)
            self._understudy.heard(exchange)

    def met_under_tls(self) -> None:
        """Learn that the client is under TLS from the start: none begins within it."""
        self._understudy.secured()

    def secured(self) -> None:
        """Learn that TLS has begun: go on with what was said under it."""
        self._secure = True
        self._understudy.secured()
        for exchange in self._part.exchanges:
            if exchange.command and exchange.replies and self._part.track.secure_at(exchange.replies[0].span.start):
                self._choice.skip_to(exchange.number)
                return

    def stop(self, why: str) -> Step:
        """Go no further, for the record does not."""
        self._remark(f"{why}: the connection is closed")
        return CLOSED

    def _recorded(self, turn: Turn, chosen: Chosen) -> Answer:
        """A recorded answer, as this command needs it."""
        exchange = chosen.exchange
        steps = self._part.steps.get(exchange.number, [])
        parts = self._answering.recast(turn.verb, turn.argument, exchange)
        if parts == () and (improvised := self._improvised(turn, self._understudy.answer)):
            return Answer(improvised)
        match chosen.likeness:
            case Likeness.KIN:
                self._remark(f"{self._name(turn)} is not in the record: answered as {self._title(exchange)} was")
            case Likeness.AGAIN:
                self._remark(f"{self._name(turn)} is one more than the record has: answered as the last was")
        return Answer(self._without_offer(turn, _recast(steps, parts) if parts else steps), exchange)

    def _without_offer(self, turn: Turn, steps: Sequence[Step]) -> Sequence[Step]:
        """Recorded steps. What was said in clear offers no TLS to whom it has begun with (RFC 3207 section 4.2)."""
        if not (self._secure and self._upgrading and turn.verb in self._upgrading.asks):
            return steps
        track, hide = self._part.track, self._upgrading.hide
        return [
            step._replace(what=hide(track.octets(step.what.start, step.what.end)))
            if isinstance(step.what, Piece) and not track.secure_at(step.what.start)
            else step
            for step in steps
        ]

    def _improvised(self, turn: Turn, speaker: Callable[[str, str], Improvised | None]) -> list[Step]:
        """An answer in the recorded server's manner, if that can be."""
        answer = speaker(turn.verb, turn.argument)
        if answer is None or not answer.parts:
            return []
        self._remark(f'{self._name(turn)} is not in the record: answered "{_shown(answer.parts[-1])}"')
        said = [Step(When.ASKED, part) for part in answer.parts]
        return [*said, CLOSED] if answer.closes else said

    def _name(self, turn: Turn) -> str:
        return self._title(turn) if turn.verb.encode() in self._known else "a command that is none of the protocol"

    def _title(self, asked: Turn | Exchange) -> str:
        about = self._answering.about(asked.verb, asked.argument)
        return f"{asked.verb} {escape(about.encode('utf-8', 'surrogateescape'))[:SHOWN]}".strip()


def _recast(steps: Sequence[Step], parts: Sequence[int | bytes]) -> list[Step]:
    """Recorded steps in other parts; what followed the last reply still does."""
    pieces = [at for at, step in enumerate(steps) if isinstance(step.what, Piece)]
    found: list[Step] = []
    for part in parts:
        if isinstance(part, bytes):
            found.append(Step(When.ASKED, part))
        elif part < len(pieces):
            found.append(steps[pieces[part]]._replace(when=When.ASKED))
    return [*found, *steps[pieces[-1] + 1 :]] if pieces else found


def _left_by_client(recording: Recording) -> bool:
    """Whether the client gave up on a silent server."""
    if any(isinstance(entry, Frame) and entry.side is Side.SERVER for entry in recording.entries):
        return False
    return _in_trouble(recording, *BY_CLIENT)


def _refused_by_client(recording: Recording) -> bool:
    """Whether the client did not come to hear the server, for what it saw of its TLS."""
    return _in_trouble(recording, REFUSED)


def _in_trouble(recording: Recording, *words: str) -> bool:
    troubles = (entry for entry in recording.entries if isinstance(entry, Note) and entry.mark is Mark.TROUBLE)
    return any(note.text.startswith(words) for note in troubles)


def broken_off_by_client(exchange: Exchange) -> bool:
    """Whether the record breaks off in the midst of the client's message."""
    content = exchange.content
    return content is not None and content.span.side is Side.CLIENT and not content.ended


def _begins_late(recording: Recording) -> bool:
    """Whether it tells that something is left out before anybody speaks."""
    first = next((entry for entry in recording.entries if isinstance(entry, Frame) or entry.mark is Mark.GAP), None)
    return isinstance(first, Note)


def _shown(octets: bytes) -> str:
    """The first line of a reply, for a remark."""
    return escape(octets.split(b"\r\n")[0])[:SHOWN]
