"""What a person at the keyboard is told by mailproxy itself: answers to `?`, and warnings."""

import base64
import binascii
import re
from typing import Final

from mailproxy.model.escape import escape, escape_text
from mailproxy.model.exchange import Reply
from mailproxy.protocols.guide import Command, commands, explain

ORDERS: Final = (
    "quit    close the connection and leave\n"
    "close   the same\n"
    "status  tell what the session waits for\n"
    "?       tell this; an empty line goes back to the session"
)
MARKED: Final = "not sent: where <secret: …> stands, type the secret itself"
UNDOUBLED: Final = "a line of a message that begins with a dot needs a second one before it, or it loses its dot"
CODE: Final = re.compile(r"\d{3}\b.*|[-+#=].*")


def answer(protocol: str, asked: str, last: Reply | None) -> str:
    """What `?` is answered with: all commands and the `last` reply, one command, or a reply that is `asked` for."""
    match asked.split():
        case []:
            return "\n".join(_all(protocol) + ([reply(protocol, last.code, last.enhanced)] if last else []))
        case [code, *rest] if CODE.fullmatch(code):
            return reply(protocol, code, rest[0] if rest else "")
        case words:
            verb = words[0].upper()
            found = [_one(command) for command in commands(protocol) if command.verb == verb]
            return "\n".join(found) or f"{escape_text(verb)} is no command that {protocol.upper()} is known for."


def reply(protocol: str, code: str, enhanced: str) -> str:
    """A reply in plain words."""
    known = explain(protocol, code, enhanced)
    return f"The reply {known}." if known else f"Nothing is known of the reply {escape_text(code)}."


def challenge(asked: Reply) -> str:
    """What the server asks for in a login, empty where its base64 is none or holds nothing (RFC 4954 section 4)."""
    try:
        octets = base64.b64decode(asked.text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"The server asks: {escape(octets)}" if octets else ""


def _all(protocol: str) -> list[str]:
    head = f"{protocol.upper()}; `? VERB` tells more of one command."
    return [head, *(f"  {command.syntax:<34} {command.meaning}" for command in commands(protocol))]


def _one(command: Command) -> str:
    return (
        f"{command.syntax}\n  {command.meaning}\n  for example: {command.example}\n"
        f"  allowed: {command.phase} ({command.source})"
    )
