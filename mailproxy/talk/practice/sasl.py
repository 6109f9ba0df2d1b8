"""The server's side of SASL: PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from mailproxy.talk.practice.accounts import Account
from mailproxy.talk.practice.conversation import Talk
from mailproxy.talk.practice.office import PostOffice

MECHANISMS: Final = ("PLAIN", "LOGIN", "CRAM-MD5")
RESPONSE_LIMIT: Final = 12_288  # RFC 4954 section 4

Ask = Callable[[bytes], Talk[bytes | None]]
"""Send a challenge in base64 and return the line that answers it, None where it is too long."""


class Cancelled(Exception):
    """The client answered `*`."""


class Malformed(Exception):
    """A response that is no base64 or not of the mechanism's form. It says nothing of what it was."""


def authenticate(mechanism: str, initial: str, ask: Ask, office: PostOffice) -> Talk[Account | None]:
    """Whose password was proved; None where it was not.

    `initial` is the initial response as it stood in the command, empty where there was none.
    Raises Cancelled and Malformed.
    """
    match mechanism:
        case "PLAIN":
            message = yield from _response(ask, b"", initial)
            return _plain(message, office)
        case "LOGIN":
            user = yield from _response(ask, b"Username:", initial)
            password = yield from _response(ask, b"Password:")
            return office.login(_text(user), lambda known: known.encode() == password)
        case _ if initial:
            raise Malformed
        case _:
            challenge = office.challenge().encode()
            return _cram_md5((yield from _response(ask, challenge)), challenge, office)


def _plain(message: bytes, office: PostOffice) -> Account | None:
    match message.split(b"\0"):
        case [identity, user, password]:
            account = office.login(_text(user), lambda known: known.encode() == password)
            return account if not identity or office.account(_text(identity)) == account else None
        case _:
            raise Malformed


def _cram_md5(message: bytes, challenge: bytes, office: PostOffice) -> Account | None:
    user, blank, digest = message.rpartition(b" ")
    if not blank:
        raise Malformed
    return office.login(
        _text(user), lambda known: hmac.new(known.encode(), challenge, hashlib.md5).hexdigest().encode() == digest
    )


def _response(ask: Ask, challenge: bytes, initial: str = "") -> Talk[bytes]:
    if initial:
        return b"" if initial == "=" else _decoded(initial.encode("utf-8", "surrogateescape"))
    line = yield from ask(base64.b64encode(challenge))
    if line == b"*":
        raise Cancelled
    if line is None:
        raise Malformed
    return _decoded(line)


def _decoded(line: bytes) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise Malformed from None


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
