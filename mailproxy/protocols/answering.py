"""How the server's part of a protocol is played again: which commands mean the same, what an unknown one gets."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from typing import Protocol as Interface

from mailproxy.model.exchange import Exchange
from mailproxy.model.stream import Streams

Parts = tuple[int | bytes, ...]
"""An answer, a part for each time it is the server's move: a recorded reply by its index, or octets of our own."""


class Record(NamedTuple):
    """What there is to learn a server's manner from; `tls` tells whether it is known to speak TLS."""

    exchanges: Sequence[Exchange]
    streams: Streams
    tls: bool = False


class Improvised(NamedTuple):
    """An answer that nobody recorded, a part for each time it is the server's move; whether the server closes then."""

    parts: tuple[bytes, ...]
    closes: bool = False


class Understudy(Interface):
    """Speaks for the recorded server, in its manner, where the record has no answer."""

    def greeting(self) -> bytes | None:
        """What it greets with; None where it says nothing."""

    def overrules(self, verb: str, argument: str) -> Improvised | None:
        """What it answers whatever was recorded, where that cannot hold: the session stands elsewhere; else None."""

    def misplaced(self, verb: str, argument: str) -> Improvised | None:
        """What it answers to a command out of place, rather than repeat what it said to the like; else None."""

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """What it answers; None where it has nothing better than what was recorded of the same, or nothing at all."""

    def ending(self, exchange: Exchange) -> bytes | None:
        """What ends a message or a listing of its own that the record holds in part; None where nothing does."""

    def cancelled(self) -> bytes | None:
        """What it answers to a SASL exchange that the client has cancelled (RFC 4422 section 3.5)."""

    def heard(self, exchange: Exchange) -> None:
        """Learn what has been asked and answered."""

    def secured(self) -> None:
        """Learn that TLS has begun."""


class Silent:
    """Knows no manner and answers nothing."""

    def __init__(self, record: Record) -> None:
        pass

    def greeting(self) -> bytes | None:
        return None

    def overrules(self, verb: str, argument: str) -> Improvised | None:
        return None

    def misplaced(self, verb: str, argument: str) -> Improvised | None:
        return None

    def answer(self, verb: str, argument: str) -> Improvised | None:
        return None

    def ending(self, exchange: Exchange) -> bytes | None:
        return None

    def cancelled(self) -> bytes | None:
        return None

    def heard(self, exchange: Exchange) -> None:
        pass

    def secured(self) -> None:
        pass


class Meaning(Interface):
    """Knows what a command means where its argument leaves that unsaid: the message that is being read, say."""

    def meant(self, verb: str, argument: str) -> str:
        """The argument with all that it leaves unsaid."""

    def heard(self, exchange: Exchange) -> None:
        """Learn what has been asked and answered."""


class Plain:
    """A command says all that it means."""

    def meant(self, verb: str, argument: str) -> str:
        return argument

    def heard(self, exchange: Exchange) -> None:
        pass


def by_argument(verb: str, argument: str) -> str:
    """A command is about what stands behind its verb."""
    return argument


def no_kin(verb: str, argument: str) -> tuple[str, ...]:
    """No other verb means the same."""
    return ()


def always(exchange: Exchange) -> bool:
    """What was answered stands."""
    return True


def as_recorded(verb: str, argument: str, exchange: Exchange) -> Parts | None:
    """An answer is given as it was."""
    return None


class Answering(NamedTuple):
    """The server's part of a protocol, as it is played again.

    `about` tells what a command is about, a recipient or a message, from its verb and argument. Of verbs that are
    `particular`, an answer about one thing is none about another. `kin` are the verbs whose recorded answers do for
    a command too, best first, if such an answer `decides` what is asked. `recast` puts a recorded answer into the
    parts that a command needs: None where as it was recorded, no parts where it cannot be put so. `meaning` makes what
    spells out the arguments of one session, in their order.
    """

    about: Callable[[str, str], str] = by_argument
    particular: frozenset[str] = frozenset()
    kin: Callable[[str, str], tuple[str, ...]] = no_kin
    decides: Callable[[Exchange], bool] = always
    recast: Callable[[str, str, Exchange], Parts | None] = as_recorded
    understudy: Callable[[Record], Understudy] = Silent
    meaning: Callable[[], Meaning] = Plain


ANSWERING = Answering()
"""Only what was recorded is answered."""
