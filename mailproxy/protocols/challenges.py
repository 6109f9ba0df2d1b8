"""The server's side of SASL as it is played again: what asks for responses that nobody can check.

SASL: RFC 4422; PLAIN: RFC 4616; CRAM-MD5: RFC 2195; XOAUTH2 and OAUTHBEARER: RFC 7628.
"""

import base64
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols.answering import Parts

STAMP: Final = b"<1896.697170952@recorded.invalid>"
_CLIENT_FIRST: Final = frozenset({"PLAIN", "EXTERNAL", "ANONYMOUS", "XOAUTH", "XOAUTH2", "OAUTHBEARER"})
_CHALLENGES: Final = {
    "LOGIN": (b"Username:", b"Password:"),
    "CRAM-MD5": (STAMP,),
    **dict.fromkeys(_CLIENT_FIRST, (b"",)),
}
_ASKING: Final = frozenset({"334", "+"})


def mechanism(argument: str) -> str:
    """The mechanism that AUTH names."""
    return argument.partition(" ")[0].upper()


def challenges(argument: str, sign: bytes) -> tuple[bytes, ...] | None:
    """What is put to a client that says AUTH with this argument; None where nobody but the server could.

    `sign` is what a challenge begins with: `334 ` in SMTP, `+ ` in POP3.
    """
    name, _, initial = argument.partition(" ")
    put = _CHALLENGES.get(name.upper())
    if put is None:
        return None
    if initial.strip() and name.upper() != "CRAM-MD5":
        put = put[1:]
    return tuple(sign + base64.b64encode(challenge) + b"\r\n" for challenge in put)


def recast(argument: str, exchange: Exchange, sign: bytes) -> Parts | None:
    """The recorded outcome of a login, of this or another mechanism, for AUTH with this argument."""
    if exchange.reply is None:
        return None
    final = len(exchange.replies) - 1
    decided = () if asks(exchange) else (final,)
    if exchange.verb != "AUTH":
        return _own(argument, sign, decided, exchange.reply.positive)
    recorded, _, initial = exchange.argument.partition(" ")
    begins, began = bool(argument.partition(" ")[2].strip()), bool(initial.strip())
    if mechanism(argument) != recorded.upper():
        if not (began or exchange.extra or exchange.reply.positive):
            return decided  # it was refused before anything was known of the user
        return _own(argument, sign, decided, exchange.reply.positive)
    if begins == began or not final + began:
        return None
    if begins:
        return tuple(range(1, final + 1))
    put = challenges(recorded, sign)
    return (*put[:1], *range(final + 1)) if put else None


def asks(exchange: Exchange) -> bool:
    """Whether the record of a login breaks off with a challenge."""
    return exchange.reply is not None and exchange.reply.code in _ASKING


def _own(argument: str, sign: bytes, decided: tuple[int, ...], granted: bool) -> Parts:
    put = challenges(argument, sign)
    if put is None:
        return () if granted else decided
    return (*put, *decided)
