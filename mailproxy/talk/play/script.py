"""The script of a recorded client: what it said, each part with what it had heard before it said it.

So pipelining is kept, and so is waiting.
"""

from enum import Enum
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side, Span
from mailproxy.model.session import How


class Role(Enum):
    """What a part is: a command line, a response in a SASL exchange, or a message behind a command."""

    COMMAND = 0
    RESPONSE = 1
    BODY = 2


class After(NamedTuple):
    """What had been heard: of the exchange of this number so many replies and, where its content had begun and not
    ended, so many octets of that; `whole` where it had ended. Number -1 is before the greeting. `unasked` counts what
    the server had said from the start that nobody had asked for."""

    number: int
    replies: int = 1
    octets: int = 0
    whole: bool = False
    unasked: int = 0


EARLY: Final = After(-1, 0)
GREETED: Final = After(0)


class Part(NamedTuple):
    """Something that the client said. `pause` is how many microseconds it took since it had heard what it waited for,
    or said what went before; `gap` is what the record says that is left out before it. `vain` tells that the server had
    ended the connection."""

    role: Role
    exchange: Exchange
    span: Span
    after: After
    pause: int = 0
    secure: bool = False
    gap: str = ""
    vain: bool = False


class End(NamedTuple):
    """How the session ended, by whom (None: that is not in the record), after what, and how long after it."""

    by: Side | None
    how: How
    after: After
    pause: int = 0


class Script(NamedTuple):
    """A recorded client's part.

    `why` says why it ends before the session did. `users` are those who logged in, `masked` whether a password is
    masked. `timed` tells whether the times are known. `refusal` is how the client refused TLS, `in_clear` that it spoke
    in clear where TLS was expected, `distrusted` that the server's certificate was not trusted. `slip` is what had been
    heard when the client began TLS that nobody had granted and the server did not speak; None where it did not. `stray`
    is what it said in clear behind its wish for TLS, in the same write, as far as that is told. `unoffered` is why
    mailproxy left the server, of which it had wanted TLS, empty where it did not.
    """

    parts: tuple[Part, ...]
    end: End
    why: str
    users: tuple[str, ...]
    masked: bool
    timed: bool
    refusal: str = ""
    in_clear: bool = False
    distrusted: bool = False
    slip: After | None = None
    stray: bytes = b""
    unoffered: str = ""

    @property
    def user(self) -> str:
        """Who logged in first, empty where that is not known."""
        return self.users[0] if self.users else ""
