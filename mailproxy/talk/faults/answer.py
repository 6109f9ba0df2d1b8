"""A reply in the server's place."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import FaultError, Kind, Place, What
from mailproxy.talk.faults.written import octets


@dataclass(frozen=True, slots=True)
class Answer(What):
    """A reply, its line ends CRLF."""

    reply: bytes

    def instead(self, protocol: Protocol) -> bytes | None:
        return self.reply


def read(text: str) -> What:
    reply = octets(text).replace(b"\r\n", b"\n").removesuffix(b"\n")
    if not reply:
        raise FaultError("answer what? write the reply: at RCPT 2 answer 452 4.5.3 Too many recipients")
    return Answer(reply.replace(b"\n", b"\r\n") + b"\r\n")


ANSWER: Final = Kind(
    "answer",
    "at VERB|greeting|content answer REPLY",
    "mailproxy replies and the server is not asked: in its turn, behind the replies that are still owed, and what "
    "belongs to the command (BDAT octets, a SASL response) goes nowhere. At `greeting` and at `content` the server's "
    "greeting, or its reply to the message, is replaced. `\\n` begins a new line.",
    "at RCPT 2 answer 452 4.5.3 Too many recipients",
    frozenset({Place.COMMAND, Place.GREETING, Place.CONTENT}),
    read,
)
