"""Says what a played server says: recorded octets as they were, with its pauses, and what rules make of its replies."""

from collections.abc import Callable
from typing import Final

from mailproxy.model.octets import Kind, Side
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Turn
from mailproxy.talk.play.edit import edited
from mailproxy.talk.play.manner import Manner
from mailproxy.talk.play.omitted import filling
from mailproxy.talk.play.part import Piece, Step, Track
from mailproxy.talk.practice.conversation import Action, Close, Reset, Send, Wait

SECOND: Final = 1_000_000
GREET_PAUSE: Final = 2.0
"""Seconds that a server gives a client to speak too early, where the recorded one did."""


class Voice:
    """Does steps: collects the actions that they come to, and has the dialogue hear them. `over` is behind the last."""

    def __init__(self, dialogue: Dialogue, track: Track, manner: Manner, remark: Callable[[str], None]) -> None:
        self.over = False
        self._dialogue = dialogue
        self._track = track
        self._manner = manner
        self._remark = remark
        self._actions: list[Action] = []

    def done(self) -> list[Action]:
        """What there is to do since this was asked last."""
        actions, self._actions = self._actions, []
        return actions

    def do(self, step: Step, verb: str = "", number: int = 0, turn: Turn | None = None) -> None:
        """Do a step of a turn, which answers the `number`-th command of this verb; or of none."""
        match step.what:
            case Piece() as piece:
                self._say(piece, verb, number, turn)
            case bytes() as octets:
                if step.pause:
                    self._actions.append(Wait(step.pause / SECOND))
                self._send(edited(self._manner.edits, verb, number, octets), turn)
            case ending:
                self._wait(step.pause)
                self.end(ending)

    def end(self, ending: Close | Reset) -> None:
        """Do nothing more."""
        self._actions.append(ending)
        self.over = True

    def hesitate(self) -> None:
        """Wait for the client to speak first, for a while."""
        self._actions.append(Wait(GREET_PAUSE, or_heard=True))

    def put(self, octets: bytes) -> None:
        """Say what is no part of the dialogue."""
        if octets:
            self._actions.append(Send(octets))

    def _say(self, piece: Piece, verb: str, number: int, turn: Turn | None) -> None:
        """Say a reply as it was, but for what a rule changes; what followed it, if that is still waited for."""
        reply = self._track.octets(piece.start, piece.reply) if self._manner.edits else b""
        changed = edited(self._manner.edits, verb, number, reply) if reply else b""
        if changed == reply:
            return self._say_frames(piece.start, piece.end, turn)
        self._wait(sum(pause for _, pause in self._track.cut(piece.start, piece.reply)))
        self._send(changed, turn)
        if turn and turn.open and self._is_head(turn):
            self._say_frames(piece.reply, piece.end, turn)

    def _say_frames(self, start: int, end: int, turn: Turn | None) -> None:
        missing = 0
        for frame, pause in self._track.cut(start, end):
            if frame.kind is Kind.OMITTED:
                missing += frame.wire
                continue
            self._fill(missing, turn)
            missing = 0
            self._wait(pause)
            self._send(frame.octets, turn)
        self._fill(missing, turn)

    def _fill(self, missing: int, turn: Turn | None) -> None:
        """Say something in the place of octets that nobody kept."""
        if missing:
            self._remark(f"{missing} octets of a message are not in the record")
            for octets in filling(missing):
                self._send(octets, turn)

    def _send(self, octets: bytes, turn: Turn | None) -> None:
        self.put(octets)
        # Behind a listing without end, the first line tells that it is over.
        first = octets.find(b"\n") + 1 if not self._is_head(turn) else 0
        for part in (octets[:first], octets[first:]):
            if part:
                self._dialogue.feed(Side.SERVER, part, 0)

    def _is_head(self, turn: Turn | None) -> bool:
        pending = self._dialogue.pending
        return turn is (pending[0] if pending else None)

    def _wait(self, microseconds: int) -> None:
        if self._manner.pauses and microseconds:
            self._actions.append(Wait(microseconds / SECOND / self._manner.pauses))
