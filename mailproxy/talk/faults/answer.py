"""A reply in the server's place."""

from dataclasses import dataclass, field
from typing import Final

from mailproxy.model.exchange import Flag
from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.ear import CLEAR
from mailproxy.talk.faults.fault import NO_ANSWER, FaultError, Kind, Place, What, Where
from mailproxy.talk.faults.written import octets, unquoted


@dataclass(frozen=True, slots=True)
class Answer(What):
    """A reply, its line ends CRLF; what was `quoted` may be none."""

    reply: bytes
    quoted: bool = field(default=False, compare=False)

    def instead(self, protocol: Protocol) -> bytes | None:
        return self.reply

    def unsuited(self, protocol: Protocol, where: Where) -> str:
        if where.place is Place.CONTENT and protocol.fetches:
            return NO_ANSWER.format(protocol.name)
        if self.quoted or not protocol.refusal or _is_reply(self.reply, protocol):
            return ""
        return f"that is no reply of {protocol.name}: write one like {protocol.refusal}, or anything in double quotes"


def _is_reply(octets: bytes, protocol: Protocol) -> bool:
    """Whether these octets begin with a reply, for whoever waits for a greeting."""
    dialogue = protocol.dialogue(CLEAR)
    dialogue.feed(Side.SERVER, octets, 0)
    dialogue.close(Side.SERVER, 0)
    return bool(dialogue.exchanges and dialogue.exchanges[0].flags <= {Flag.GREETING, Flag.MIXED_CODES})


def read(text: str) -> What:
    reply = octets(text).replace(b"\r\n", b"\n").removesuffix(b"\n")
    if not reply:
        raise FaultError("answer what? write the reply: at RCPT 2 answer 452 4.5.3 Too many recipients")
    return Answer(reply.replace(b"\n", b"\r\n") + b"\r\n", unquoted(text) != text)


ANSWER: Final = Kind(
    "answer",
    "at VERB|greeting|content answer REPLY",
    "mailproxy replies and the server is not asked: in its turn, behind the replies that are still owed, and what "
    "belongs to the command (BDAT octets, a SASL response) goes nowhere. At `greeting` and at `content` the server's "
    "greeting, or its reply to the message, is replaced. `\\n` begins a new line; in double quotes it need be no "
    "reply at all.",
    "at RCPT 2 answer 452 4.5.3 Too many recipients",
    frozenset({Place.COMMAND, Place.GREETING, Place.CONTENT}),
    read,
)
