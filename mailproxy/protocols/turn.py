"""What a dialogue is kept in while it goes on: terms, lines, turns."""

from collections.abc import Generator, Set
from enum import Enum, StrEnum
from typing import Final, NamedTuple

from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Entry, Span
from mailproxy.protocols import secrets

Steps = Generator[None, None, None]
SPEECH_LIMIT: Final = 512
NO_FLAGS: Final[frozenset[Flag]] = frozenset()


class Keep(StrEnum):
    """How much of a message is recorded."""

    FULL = "full"
    HEADERS = "headers"
    NONE = "none"


class Terms(NamedTuple):
    """What the owner of a recording wants kept in it."""

    secrets: bool = False
    content: Keep = Keep.FULL


MASKED: Final = Terms()
"""What holds where nobody says otherwise."""


class Move(Enum):
    """Whose move a turn is."""

    WAITING = 0
    CLIENT = 1
    DONE = 2


class Upgrade(Enum):
    """What became of the client's wish for TLS, where TLS is taken apart."""

    ASKED = 0
    GRANTED = 1
    REFUSED = 2


class Heard(NamedTuple):
    """What came of some octets: what to note, what to hand to the other peer, what to answer at once."""

    entries: list[Entry]
    forward: bytes
    answer: bytes = b""


class Line(NamedTuple):
    """A line in recorded form, its line end included, and where it stands."""

    octets: bytes
    span: Span
    masked: bool

    @property
    def said(self) -> bytes:
        """The line without its line end."""
        return secrets.body(self.octets)


class Turn:
    """An exchange that is still going on."""

    __slots__ = (
        "announced", "argument", "at", "command", "content", "expected", "extra", "flags", "move", "number", "open",
        "replies", "verb",
    )  # fmt: skip

    def __init__(self, number: int, verb: str, argument: str, command: Span | None, at: int) -> None:
        self.number = number
        self.verb = verb
        self.argument = argument
        self.command = command
        self.at = at
        self.replies: list[Reply] = []
        self.content: Content | None = None
        self.extra: list[Span] = []
        self.flags: set[Flag] = set()
        self.move = Move.WAITING
        self.expected = 1  # final replies that are still to come
        self.open = False  # its content has begun and not ended
        self.announced: int | None = None

    def exchange(self) -> Exchange:
        """What it has come to."""
        return Exchange(
            self.number, self.verb, self.argument, self.command, self.at,
            tuple(self.replies), self.content, tuple(self.extra), frozenset(self.flags),
        )  # fmt: skip


def text(octets: bytes) -> str:
    """What was said, as text: UTF-8, and octets that are not are kept as surrogates."""
    return octets.decode("utf-8", "surrogateescape")


def line_flags(octets: bytes) -> Set[Flag]:
    """What is odd in a line of speech."""
    if octets.isascii() and octets.endswith(b"\r\n") and len(octets) <= SPEECH_LIMIT and b"\0" not in octets:
        return NO_FLAGS
    flags: set[Flag] = set()
    if not octets.endswith(b"\r\n"):
        flags.add(Flag.BAD_LINE_END if octets.endswith(b"\n") else Flag.UNFINISHED)
    if len(octets) > SPEECH_LIMIT:
        flags.add(Flag.LONG_LINE)
    if not octets.isascii():
        flags.add(Flag.EIGHT_BIT)
    if b"\0" in octets:
        flags.add(Flag.NUL)
    return flags
