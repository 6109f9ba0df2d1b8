"""How a name and a password are given to a server: AUTH PLAIN (RFC 4616) where it is offered, else what there is."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mailproxy.protocols import POP2, POP3
from mailproxy.protocols.descriptor import Protocol

CANCEL: Final = b"*\r\n"
"""Ends a login that the server asks too much in (RFC 4954 section 4)."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in. Raises ValueError where a line end or NUL stands in the name or the password."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if {"\r", "\n", "\0"} & {*self.user, *self.password}:
            raise ValueError("no line end and no NUL can stand in a user name or a password")


def lines(protocol: Protocol, mechanisms: Sequence[str], login: Login) -> list[bytes]:
    """What is to be said, each line once the server has granted the one before; nothing where it offers no way."""
    user, password = login.user.encode(), login.password.encode()
    if protocol is POP2:
        return [b"HELO %b %b\r\n" % (user, password)]
    if "PLAIN" in mechanisms:
        return [b"AUTH PLAIN %b\r\n" % b64encode(b"\0%b\0%b" % (user, password))]
    if protocol is POP3 and ("USER" in mechanisms or not mechanisms):
        return [b"USER %b\r\n" % user, b"PASS %b\r\n" % password]
    if "LOGIN" in mechanisms:
        return [b"AUTH LOGIN\r\n", b64encode(user) + b"\r\n", b64encode(password) + b"\r\n"]
    return []
