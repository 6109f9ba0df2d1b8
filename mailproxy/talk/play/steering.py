"""Leads a client to a login that can be played, where the recorded one cannot: its server proves who it is.

Nobody but the recorded server can say what such a mechanism (SCRAM, DIGEST-MD5, GSSAPI) has it say. So they are not
offered; what is offered instead has the recorded outcome, with any password.
"""

from collections.abc import Callable, Sequence

from mailproxy.protocols import challenges
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.turn import Turn
from mailproxy.talk.play.answers import Answer
from mailproxy.talk.play.part import Part, Piece, Step


class Steering:
    """Changes what a recorded server says that it can do, and tells `remark` so, once; not where it is `strict`."""

    def __init__(self, part: Part, protocol: Protocol, strict: bool, remark: Callable[[str], None]) -> None:
        self._track = part.track
        self._asks = protocol.upgrading.asks if protocol.upgrading and not strict else frozenset()
        self._remark = remark
        unplayable = [exchange for exchange in part.exchanges if challenges.unplayable(exchange)]
        self._numbers = {exchange.number for exchange in unplayable}
        self._names = ", ".join(sorted({challenges.mechanism(exchange.argument) for exchange in unplayable}))
        self._told = False

    def steered(self, turn: Turn, answer: Answer) -> Answer:
        """An answer to this command, without offers that cannot be played."""
        if answer.exchange is None or not self._numbers:
            return answer
        if turn.verb in self._asks:
            return answer._replace(steps=self._without(answer.steps))
        same = turn.verb == answer.exchange.verb and challenges.mechanism(turn.argument) in self._names.split(", ")
        if same and answer.exchange.number in self._numbers:
            self._remark(f"{turn.verb} {self._names} is answered as it was, which proves nothing to another client")
        return answer

    def _without(self, steps: Sequence[Step]) -> list[Step]:
        found = [self._changed(step) for step in steps]
        if not self._told and found != list(steps):
            self._told = True
            self._remark(
                f"{self._names} cannot be played, for the server has to prove itself: other logins are offered"
            )
        return found

    def _changed(self, step: Step) -> Step:
        said = self._octets(step)
        changed = challenges.steered(said)
        return step if changed == said else step._replace(what=changed)

    def _octets(self, step: Step) -> bytes:
        match step.what:
            case Piece(start, _, end):
                return self._track.octets(start, end)
            case bytes() as octets:
                return octets
            case _:
                return b""
