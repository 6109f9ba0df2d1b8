"""The server's part of POP2 (RFC 937), as it is played again."""

from typing import Final

from mailproxy.protocols.answering import Answering
from mailproxy.protocols.pop2.place import OF_MESSAGES, Place
from mailproxy.protocols.pop2.understudy import Pop2Understudy

_KIN: Final = {"ACKS": ("ACKD",), "ACKD": ("ACKS",)}


def about(verb: str, argument: str) -> str:
    """A user without the password, a mailbox, a message."""
    match verb:
        case "HELO":
            return argument.split(" ")[0]
        case "FOLD":
            return argument.strip().upper()
        case _ if verb in OF_MESSAGES:
            return argument
        case _:
            return ""


def kin(verb: str, argument: str) -> tuple[str, ...]:
    """Whether a message is kept or deleted, the next one follows."""
    return _KIN.get(verb, ())


ANSWERING: Final = Answering(about, OF_MESSAGES | {"FOLD"}, kin, understudy=Pop2Understudy, meaning=Place)
