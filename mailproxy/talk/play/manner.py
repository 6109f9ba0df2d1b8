"""How a recorded server is played."""

from typing import Final, NamedTuple

from mailproxy.talk.play.edit import Edit


class Manner(NamedTuple):
    """How a recorded server is played, and several in turn.

    With `strict`, what is not in the record is not answered: the connection is closed. `pauses` is None or how much
    faster than the recorded server it takes its time: 1.0 is as it was, 2.0 twice as fast. `edits` change its replies.
    With `cycle` several recordings are played round and round; without, the last one again and again.
    """

    strict: bool = False
    pauses: float | None = None
    edits: tuple[Edit, ...] = ()
    cycle: bool = False


AS_RECORDED: Final = Manner()
