"""What can be asked of one step of a session by itself."""

from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Evidence

LOGINS: Final = frozenset({"AUTH", "USER", "PASS", "APOP", "RPOP"})
HELLOS: Final = frozenset({"EHLO", "HELO", "LHLO"})
UPGRADES: Final = frozenset({"STARTTLS", "STLS"})
FETCHES: Final = frozenset({"RETR", "TOP"})


def accepted(each: Exchange) -> bool:
    """Whether a step was granted, finally."""
    reply = each.reply
    return reply is not None and reply.positive and reply.code[:1] not in {"1", "3"} and reply.code != "+"


def refused(each: Exchange) -> bool:
    """Whether a step was refused."""
    reply = each.reply
    return reply is not None and not reply.positive and reply.code != ""


def is_message(each: Exchange) -> bool:
    """Whether a step carries a message, or the last part of one; of an excerpt, perhaps only its final dot."""
    return each.verb in {"DATA", "BDAT"} or (not each.verb and each.argument == ".")


def complete(each: Exchange) -> bool:
    """Whether the content of a step came to its end."""
    if not each.verb and each.argument == ".":
        return True
    return each.content is not None and (each.content.ended or Flag.ODD_END in each.flags)


def delivered(each: Exchange) -> bool:
    """Whether the server took the responsibility for a message."""
    if not each.verb:
        return each.argument == "." and accepted(each)
    last = each.verb == "DATA" or each.argument.upper().endswith("LAST")
    finals = each.replies if each.verb == "BDAT" else each.replies[1:]
    return last and each.content is not None and any(reply.positive for reply in finals)  # LMTP: one a recipient


def evidence(each: Exchange) -> tuple[Evidence, ...]:
    """The command and the reply that decided."""
    found = [Evidence(each.command)] if each.command else []
    return (*found, *([Evidence(each.reply.span)] if each.reply else []))


def said(each: Exchange) -> str:
    """The text of the reply that decided, in one line."""
    return " ".join(each.reply.text.split()) if each.reply else ""
