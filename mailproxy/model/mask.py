"""What a secret looks like once it is masked.

A mark keeps what a diagnosis needs (how long the secret was, whether it was empty or had a stray
blank or line end, and of a SASL message the mechanism and the user) and nothing that it was made of.
"""

import base64
import binascii
import re
from typing import Final

MARK: Final = re.compile(rb"<secret: [^<>\r\n]*>")
ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
NAME: Final = re.compile(r"[^\x00-\x20\x7f<>,]{1,64}")
DIGEST: Final = re.compile(rb"(\S+) [0-9A-Fa-f]{32}")


def mark(shape: str) -> bytes:
    """The mark that stands in the record for a secret of this shape."""
    return f"<secret: {shape}>".encode()


def password(secret: bytes) -> str:
    """The shape of a password: its length, and what is often wrong with one."""
    if not secret:
        return "empty"
    characters = len(secret.decode("utf-8", "replace"))
    shape = f"{characters} character{'s' * (characters != 1)}"
    if secret != secret.rstrip(b"\r\n"):
        return shape + ", line end at the end"
    if secret != secret.strip():
        return shape + ", blank at the " + ("end" if secret == secret.lstrip() else "start")
    return shape


def sasl(mechanism: str, response: bytes, step: int = 0) -> str:
    """The shape of a client's response in a SASL exchange, as it went over the wire in base64.

    `step` counts the responses of the exchange from 0. A user name is shown only where the message
    says by its form that it is one: what is typed first in LOGIN may be the password.
    """
    if not response or response == b"=":
        return f"{mechanism}, empty"
    try:
        message = base64.b64decode(response, validate=True)
    except binascii.Error:
        return f"{mechanism}, not base64, {password(response)}"
    match mechanism:
        case "PLAIN":
            return _plain(message)
        case "LOGIN" if step == 0:
            user = message.decode("utf-8", "replace")
            return f"LOGIN, user {user}" if ADDRESS.fullmatch(user) else f"LOGIN, user name {password(message)}"
        case "LOGIN":
            return f"LOGIN, password {password(message)}"
        case "CRAM-MD5" if found := DIGEST.fullmatch(message):
            return f"CRAM-MD5{_user(found[1])}, digest"
        case _:
            return f"{mechanism}, {len(message)} octets"


def _plain(message: bytes) -> str:
    """RFC 4616: authorization identity, NUL, authentication identity, NUL, password."""
    match message.split(b"\0"):
        case [_, user, secret]:
            return f"PLAIN{_user(user)}, password {password(secret)}"
        case parts:
            return f"PLAIN, {len(parts)} fields for 3, {len(message)} octets"


def _user(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return f", user {text}" if NAME.fullmatch(text) else f", user name {password(name)}"
