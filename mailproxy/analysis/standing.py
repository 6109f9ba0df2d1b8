"""Which refusals stand: those that nothing made good, and that were not asked for by the way."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailproxy.analysis.later import ASKED, DELIVERED, WENT_ON, command
from mailproxy.analysis.step import FETCHES, HELLOS, LOGINS, UPGRADES
from mailproxy.analysis.view import View
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


def standing(view: View) -> Iterator[int]:
    """The steps that were refused, and nothing made that good."""
    return (index for index in view.refusals if not _made_good(view, index, view.steps[index]))


def foremost(view: View) -> tuple[int, ...]:
    """The first refusal that stands, alone: what comes later follows from it, so no rule needs to look at that."""
    return tuple(islice(standing(view), 1))


def _made_good(view: View, index: int, each: Exchange) -> bool:
    later = view.later
    code = each.reply.code if each.reply else ""
    if each.verb in BY_THE_WAY:
        return (code != "421" or view.sent > 0) and not (each.verb == "QUIT" and view.deleted)
    if not each.verb and code in {"421", "451"} and view.sent and not later.than(index, ASKED):
        return True  # all was sent, and the server ended what stood idle
    if not each.verb and code[:2] == "50" and later.than(index, WENT_ON):
        return True
    if each.verb not in KNOWN:  # a slip of the finger, or an extension that was tried
        return code != "421" and later.than(index, WENT_ON)
    match each.verb:
        case verb if verb in HELLOS:
            return later.than(index, *HELLOS, "MAIL")
        case verb if verb in LOGINS:
            return later.than(index, *LOGINS - {"USER"}, DELIVERED)
        case verb if verb in UPGRADES:
            return later.than(index, verb, "MAIL", "PASS", "AUTH", "STAT")
        case "MAIL":
            return later.than(index, "MAIL", DELIVERED)
        case "DATA" | "BDAT":
            return later.than(index, DELIVERED)
        case "UIDL" | "TOP" | "LIST" | "STAT" | "XTND":
            return later.than(index, *FETCHES)
        case _:
            return later.than(index, command(each))
