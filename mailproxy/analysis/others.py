"""Whose it is, and who else it may be: the latter with a reason, in one sentence each."""

from collections.abc import Iterable
from typing import Final

from mailproxy.model.finding import Blame, Other

CONFIG: Final = Blame.CLIENT_CONFIG
PROGRAM: Final = Blame.CLIENT_PROGRAM
CREDENTIALS: Final = Blame.CREDENTIALS
POLICY: Final = Blame.SERVER_POLICY
FAULT: Final = Blame.SERVER_FAULT
NETWORK: Final = Blame.NETWORK
MAILBOX: Final = Blame.MAILBOX
UNKNOWN: Final = Blame.UNKNOWN
WHY: Final = {
    Blame.CLIENT_CONFIG: "A setting of the mail program may not fit this server.",
    Blame.CLIENT_PROGRAM: "The mail program may do it wrong by itself.",
    Blame.CREDENTIALS: "The user name or the password may be wrong after all.",
    Blame.SERVER_POLICY: "The server may mean to refuse this.",
    Blame.SERVER_FAULT: "The server may be wrong or out of order.",
    Blame.NETWORK: "Something on the way between may have cut or changed it.",
    Blame.MAILBOX: "The mailbox may be unknown, full or locked.",
    Blame.UNKNOWN: "What was recorded does not settle it.",
}


def others(blames: Iterable[Blame]) -> tuple[Other, ...]:
    """Two of these at most, each with the common reason."""
    return tuple(Other(blame, WHY[blame]) for blame in list(blames)[:2])
