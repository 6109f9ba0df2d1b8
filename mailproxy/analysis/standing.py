"""Which refusals stand: those that nothing made good, and that were not asked for by the way."""

import re
from typing import Final

from mailproxy.analysis.view import FETCHES, HELLOS, LOGINS, UPGRADES, View, accepted, delivered, refused
from mailproxy.model.exchange import Exchange

BY_THE_WAY: Final = frozenset(
    {
        "VRFY",
        "EXPN",
        "HELP",
        "NOOP",
        "CAPA",
        "LAST",
        "UTF8",
        "LANG",
        "RSET",
        "QUIT",
        "ETRN",
        "XCLIENT",
        "XFORWARD",
        "IMPL",
    }
)
"""Commands whose refusal harms nobody, but for the 421 with which a server leaves (RFC 5321 section 3.8)."""
KNOWN: Final = frozenset(
    {"EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "STARTTLS", "AUTH", "USER", "PASS", "APOP", "RPOP", "STLS"}
    | {"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "XTND", "READ", "FOLD", "ACKS", "ACKD", "NACK", ""}
)


def standing(view: View) -> list[int]:
    """The steps that were refused, and nothing made that good."""
    return [index for index, each in enumerate(view.steps) if refused(each) and not _made_good(view, index, each)]


def _made_good(view: View, index: int, each: Exchange) -> bool:
    later = view.steps[index + 1 :]
    code = each.reply.code if each.reply else ""
    if each.verb in BY_THE_WAY:
        return (code != "421" or view.sent > 0) and not (each.verb == "QUIT" and view.deleted)
    if not each.verb and code in {"421", "451"} and view.sent and not any(one.command for one in later):
        return True  # all was sent, and the server ended what stood idle
    if not each.verb and code[:2] == "50" and any(accepted(one) and one.verb != "QUIT" for one in later):
        return True
    if each.verb not in KNOWN:  # a slip of the finger, or an extension that was tried
        return code != "421" and any(accepted(one) and one.verb != "QUIT" for one in later)
    match each.verb:
        case verb if verb in HELLOS:
            return any(one.verb in HELLOS | {"MAIL"} and accepted(one) for one in later)
        case verb if verb in LOGINS:
            return any(one.verb in LOGINS - {"USER"} and accepted(one) for one in later) or any(map(delivered, later))
        case verb if verb in UPGRADES:
            return any(accepted(one) and one.verb in {verb, "MAIL", "PASS", "AUTH", "STAT"} for one in later)
        case "RCPT":
            return any(one.verb == "RCPT" and _path(one) == _path(each) and accepted(one) for one in later)
        case "MAIL":
            return any(delivered(one) or (one.verb == "MAIL" and accepted(one)) for one in later)
        case "DATA" | "BDAT":
            return any(map(delivered, later))
        case "UIDL" | "TOP" | "LIST" | "STAT" | "XTND":
            return any(one.verb in FETCHES and accepted(one) for one in later)
        case _:
            return any(one.verb == each.verb and one.argument == each.argument and accepted(one) for one in later)


def _path(each: Exchange) -> str:
    return re.sub(r"^(?:FROM|TO):|[<>\s]", "", each.argument.split("> ")[0], flags=re.I).lower()
