"""The server's part of SMTP, as it is played again."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols import challenges
from mailproxy.protocols.answering import Answering, Parts
from mailproxy.protocols.smtp.understudy import GO_ON, SIGN, SmtpUnderstudy

_PATH: Final = re.compile(r"(?:FROM|TO)\s*:\s*<?([^<>\s]*)>?", re.I)
_HELLOS: Final = {"EHLO": "HELO", "HELO": "EHLO"}


def about(verb: str, argument: str) -> str:
    """A sender or a recipient, a host, a mechanism, the last chunk of a message or another; never a secret."""
    match verb:
        case "MAIL" | "RCPT" if found := _PATH.match(argument):
            return found[1].lower()
        case "AUTH":
            return challenges.mechanism(argument)
        case "BDAT":
            return "LAST" if _is_last(argument) else ""
        case "MAIL" | "RCPT" | "EHLO" | "HELO" | "LHLO" | "VRFY" | "EXPN" | "HELP" | "ETRN":
            return argument.lower()
        case _:
            return ""


def kin(verb: str, argument: str) -> tuple[str, ...]:
    """EHLO and HELO are kin, so are DATA and the last BDAT (RFC 3030), and all mechanisms."""
    match verb:
        case "EHLO" | "HELO":
            return (_HELLOS[verb],)
        case "DATA":
            return ("BDAT",)
        case "BDAT" if _is_last(argument):
            return ("DATA",)
        case "AUTH" if argument:
            return ("AUTH",)
        case _:
            return ()


def decides(exchange: Exchange) -> bool:
    """A chunk that is taken decides nothing of the message, nor does a challenge of the login."""
    match exchange.verb:
        case "BDAT":
            return _is_last(exchange.argument) or (exchange.reply is not None and not exchange.reply.positive)
        case "AUTH":
            return not challenges.asks(exchange)
        case _:
            return True


def recast(verb: str, argument: str, exchange: Exchange) -> Parts | None:
    """HELO without what only EHLO is told, AUTH of another form, DATA for BDAT and BDAT for DATA, with its 354."""
    replies = exchange.replies
    match verb, exchange.verb:
        case "HELO", "EHLO" if replies and replies[0].positive:
            name = replies[0].text.split("\n")[0]
            return (f"{replies[0].code} {name}\r\n".encode("utf-8", "surrogateescape"),)
        case "AUTH", _:
            return challenges.recast(argument, exchange, SIGN)
        case "DATA", "BDAT" if replies:
            return (GO_ON, *range(len(replies)))
        case "BDAT", "DATA" if replies:
            return tuple(range(replies[0].code.startswith("3"), len(replies)))
        case _:
            return None


def _is_last(argument: str) -> bool:
    return argument.upper().endswith("LAST")


ANSWERING: Final = Answering(about, frozenset({"AUTH", "BDAT"}), kin, decides, recast, SmtpUnderstudy)
