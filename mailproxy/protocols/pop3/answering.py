"""The server's part of POP3, as it is played again."""

from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.protocols import challenges
from mailproxy.protocols.answering import Answering, Parts
from mailproxy.protocols.pop3.understudy import SIGN, Pop3Understudy

_LOGINS: Final = ("PASS", "AUTH", "APOP", "RPOP", "USER")
_NUMBERED: Final = frozenset({"RETR", "DELE", "LIST", "UIDL", "TOP"})


def about(verb: str, argument: str) -> str:
    """A message by its number, or a mechanism; never a secret."""
    match verb:
        case _ if verb in _NUMBERED:
            return " ".join(word.lstrip("0") or "0" for word in argument.split())
        case "AUTH":
            return challenges.mechanism(argument)
        case "LANG" | "XTND" | "UTF8":
            return argument.upper()
        case _:
            return ""


def kin(verb: str, argument: str) -> tuple[str, ...]:
    """A login is a login, by whatever command."""
    match verb:
        case "AUTH" if argument:
            return ("AUTH", "PASS", "APOP", "RPOP", "USER")
        case "PASS" | "APOP" | "RPOP":
            return tuple(login for login in _LOGINS if login != verb)
        case _:
            return ()


def decides(exchange: Exchange) -> bool:
    """A user name that is taken decides nothing, nor does a challenge or a list of mechanisms."""
    match exchange.verb:
        case "USER":
            return exchange.reply is not None and not exchange.reply.positive
        case "AUTH":
            return bool(exchange.argument) and not challenges.asks(exchange)
        case _:
            return True


def recast(verb: str, argument: str, exchange: Exchange) -> Parts | None:
    """What is asked of the client in a login depends on how it logs in."""
    match verb, exchange.verb:
        case "AUTH", _:
            return challenges.recast(argument, exchange, SIGN) if argument else None
        case "PASS" | "APOP" | "RPOP", "AUTH" if exchange.replies:
            return (len(exchange.replies) - 1,)
        case _:
            return None


ANSWERING: Final = Answering(
    about, _NUMBERED | {"STAT", "LAST", "AUTH"}, kin, decides, recast, Pop3Understudy
)  # fmt: skip
