"""What the server is to say before the player of a recorded client speaks, and how long that waits for it."""

from bisect import bisect_right
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.protocols.turn import Move
from mailproxy.talk.play.asked import Asked
from mailproxy.talk.play.script import After
from mailproxy.talk.play.spoken import Spoken

PATIENCE: Final = 300.0
"""Seconds that a client waits for a reply (RFC 5321 section 4.5.3.2)."""
LINGER: Final = 10.0
"""Seconds that it waits for the server to end a connection that is of no more use."""
UNASKED: Final = 5.0
"""Seconds that it waits for what nobody asks for, where the recorded client had heard such."""
GIVING_UP: Final = 5_000_000
"""Who leaves so many microseconds after what was last said has waited in vain."""
SECOND: Final = 1_000_000


class Awaiting(Spoken):
    """Knows what the recorded client had heard when it spoke, and whether that has been heard now."""

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

    @property
    def _at_end(self) -> bool:
        return self._next >= len(self.script.parts) and not self._ready

    @property
    def _awaited(self) -> After:
        """What the server is to say next."""
        return self.script.end.after if self._at_end else self.script.parts[self._next].after

    def _has_heard(self, after: After) -> bool:
        """Whether the server has said what the recorded client had heard."""
        if after.number < 0:
            return True
        return self._dialogue.greeted and self._is_answered(after) and self._unasked >= after.unasked

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

    @property
    def _misses_unasked(self) -> bool:
        """Whether nothing is missing but what nobody asks for."""
        if self._leaving or self._ready or self._shaking or not self._dialogue.greeted:
            return False
        return self._awaited.unasked > self._unasked and self._is_answered(self._awaited)

    @property
    def _misled(self) -> bool:
        """Whether the server said what is none of the protocol where its greeting was due."""
        if self._leaving or self._ready or self._dialogue.greeted or self._awaited.number < 0:
            return False
        return self._unasked > self._awaited.unasked

    @property
    def _in_message(self) -> bool:
        """Whether the server waits for more of a message."""
        asked = self._ledger.oldest
        return asked is not None and asked.turn is not None and asked.turn.open and asked.turn.move is Move.CLIENT

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
    def _unanswered(self) -> bool:
        """Whether anything was not answered that the recorded client had an answer to."""
        return not self._ledger.idle and not self._dialogue.quit and not self._has_heard(self.script.end.after)
