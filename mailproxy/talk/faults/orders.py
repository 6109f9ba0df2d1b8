"""What a spoiler wants done: it stands between the relay and the server, and spoils what passes."""

from typing import NamedTuple

from mailproxy.model.session import How


class Hand(NamedTuple):
    """Hand the client's side these octets as the server's; `own` where they are mailproxy's and no server said them."""

    octets: bytes
    own: bool = False


class Pass(NamedTuple):
    """Pass these octets of the client on to the server."""

    octets: bytes


class Tell(NamedTuple):
    """Note in the record what was done, in one line."""

    text: str


class Wait(NamedTuple):
    """Let so many seconds pass before what follows; events that come meanwhile come behind it."""

    seconds: float


class Close(NamedTuple):
    """Have the server's connection end in order (FIN), for both sides."""

    notify: bool = True


class Break(NamedTuple):
    """Have the server's connection break (RST), for both sides."""

    how: How = How.RESET


Order = Hand | Pass | Tell | Wait | Close | Break
