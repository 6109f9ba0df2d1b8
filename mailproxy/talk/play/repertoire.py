"""Several recordings of a server, played in turn."""

from collections.abc import Callable, Sequence

from mailproxy.model.session import Recording
from mailproxy.talk.play.manner import AS_RECORDED, Manner
from mailproxy.talk.play.server import ServerPlayer


class Repertoire:
    """Gives each new connection the next recording's player: first refuse, then accept.

    `remark` is told what the record could not answer, one line each, with the session's number. `secure` is where
    clients are under TLS from the start. Raises ValueError where there is no recording.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        manner: Manner = AS_RECORDED,
        remark: Callable[[str], None] = lambda line: None,
        secure: bool = False,
    ) -> None:
        if not recordings:
            raise ValueError("no recording to play")
        self._recordings = recordings
        self._manner = manner
        self._remark = remark
        self._secure = secure
        self._next = 0

    def next(self, number: int = 0) -> ServerPlayer:
        """The player for a new session; 0 is one without a number. Raises KeyError where the protocol of its recording
        is not known."""
        count = len(self._recordings)
        at = self._next % count if self._manner.cycle else min(self._next, count - 1)
        self._next += 1
        whose = f"session {number}: " if number else ""
        return ServerPlayer(
            self._recordings[at], self._manner, lambda line: self._remark(f"{whose}{line}"), self._secure
        )
