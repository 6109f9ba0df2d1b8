"""Where a session of POP2 stands: in which mailbox, at which message (RFC 937, the commands READ, ACKS and FOLD)."""

from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange

INBOX: Final = "INBOX"
OF_MESSAGES: Final = frozenset({"READ", "RETR", "ACKS", "ACKD", "NACK"})
_FORWARD: Final = frozenset({"ACKS", "ACKD"})


class At(NamedTuple):
    """A message: its mailbox and its number there."""

    mailbox: str = INBOX
    number: int = 1


class Place:
    """Hears what is asked and answered; `at` is the message at hand, `open` tells that somebody has logged in."""

    def __init__(self) -> None:
        self.at = At()
        self.open = False

    def meant(self, verb: str, argument: str) -> str:
        """The argument of a command with all that it leaves unsaid: the mailbox and the number of its message."""
        if verb not in OF_MESSAGES:
            return argument
        mailbox, number = self.asked(verb, argument)
        return f"{mailbox} {number}"

    def asked(self, verb: str, argument: str) -> At:
        """The message that a command is about."""
        named = argument.strip()
        if verb == "READ" and named.isascii() and named.isdecimal() and len(named) < 10:
            return self.at._replace(number=int(named))
        return self.at

    def heard(self, exchange: Exchange) -> None:
        """Go where a command that was granted leads."""
        if exchange.reply is None or not exchange.reply.positive:
            return
        match exchange.verb:
            case "HELO":
                self.at, self.open = At(), True
            case "FOLD":
                self.at = At(exchange.argument.strip().upper() or INBOX)
            case "READ":
                self.at = self.asked("READ", exchange.argument)
            case verb if verb in _FORWARD:
                self.at = self.at._replace(number=self.at.number + 1)
            case _:
                pass
