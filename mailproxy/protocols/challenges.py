"""The server's side of SASL as it is played again: what asks for responses that nobody can check.

SASL: RFC 4422; PLAIN: RFC 4616; CRAM-MD5: RFC 2195; XOAUTH2 and OAUTHBEARER: RFC 7628.
"""

import base64
import re
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
_PROVING: Final = re.compile(r"SCRAM-.*|GSSAPI|GSS-SPNEGO|SPNEGO|KERBEROS_V4|SRP")
"""Mechanisms whose server answers what the client has just thought of, and proves that it knows a secret."""
_BY_PASSWORD: Final = ("CRAM-MD5", "PLAIN", "LOGIN")
_OFFER: Final = re.compile(rb"^((?:250[- ]AUTH|SASL)[ =])([^\r\n]*)", re.I | re.M)
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


def unplayable(exchange: Exchange) -> bool:
    """Whether a recorded login cannot have its outcome again, by the same mechanism and another client.

    DIGEST-MD5 asks everybody the same, and proves something only to whom it grants the login.
    """
    if exchange.verb != "AUTH" or not exchange.replies or not (asks(exchange) or len(exchange.replies) > 1):
        return False
    name = mechanism(exchange.argument)
    granted = exchange.reply is not None and exchange.reply.positive
    return _PROVING.fullmatch(name) is not None or (name == "DIGEST-MD5" and granted)


def steered(answer: bytes) -> bytes:
    """What tells what the server can do, offering mechanisms only that can be played, and some for a password."""
    return _OFFER.sub(_playable, answer)


def _playable(found: re.Match[bytes]) -> bytes:
    kept = [name for name in found[2].decode("ascii", "replace").upper().split() if name in _CHALLENGES]
    missing = () if set(_BY_PASSWORD) & set(kept) else _BY_PASSWORD
    return found[1] + " ".join([*kept, *missing]).encode()


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
