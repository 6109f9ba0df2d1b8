"""How a protocol goes over to TLS, and how a proxy speaks for one of the peers in that."""

from collections.abc import Callable
from typing import NamedTuple


class Upgrading(NamedTuple):
    """STARTTLS of SMTP (RFC 3207), STLS of POP3 (RFC 2595 section 4).

    `verb` asks for it and `granted` grants it. What a server can do is asked with one of `asks`, by a proxy with
    `hello`, which is given a name to call itself. `hide` takes the offer of TLS out of an answer to that, `offer` puts
    it in where it is missing: both change the first reply in the octets, if that is positive, and leave what follows.
    """

    verb: str
    granted: bytes
    asks: frozenset[str]
    hello: Callable[[str], bytes]
    hide: Callable[[bytes], bytes]
    offer: Callable[[bytes], bytes]

    def offered(self, answer: bytes) -> bool:
        """Whether an answer offers TLS."""
        return self.hide(answer) != answer
