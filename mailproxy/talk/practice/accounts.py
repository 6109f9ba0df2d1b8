"""The accounts of the practice server, and how each of them behaves.

A new one is a line in `ACCOUNTS`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DOMAIN: Final = "example.org"
PASSWORD: Final = "practice"


class Break(StrEnum):
    """How a connection is spoilt: after a message was sent, or in the middle of one being fetched."""

    CLOSE = "close"
    RESET = "reset"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Account:
    """A user, and where the server departs from serving this user well.

    `rcpt`, `content` and `auth` are SMTP replies to RCPT, to a message for it, and to AUTH with the right
    password; 421 ends the connection. `login` is what stands behind POP3's `-ERR`. `pause` is in seconds,
    before each reply once the account was named. `excess` is by how many octets its messages' sizes are
    overstated. `letters` is how many messages wait at the start. No password opens an account without one.
    """

    name: str
    does: str
    password: str | None = PASSWORD
    letters: int = 1
    rcpt: str = ""
    content: str = ""
    auth: str = ""
    login: str = ""
    greylists: bool = False
    pause: float = 0.0
    breaks: Break | None = None
    excess: int = 0


ACCOUNTS: Final = (
    Account("alice", "all is well; three messages wait", letters=3),
    Account("bob", "all is well; the mailbox is empty", letters=0),
    Account("wrong", "no password is accepted (535 5.7.8, -ERR [AUTH])", password=None),
    Account(
        "full",
        "the mailbox is full for now (452 4.2.2, -ERR [SYS/TEMP])",
        rcpt="452 4.2.2 The mailbox is full, try again later",
        login="[SYS/TEMP] The mailbox is over its quota, try again later",
    ),
    Account(
        "overfull",
        "the mailbox is full for good (552 5.2.2, -ERR [SYS/PERM])",
        rcpt="552 5.2.2 The mailbox is over its quota",
        login="[SYS/PERM] The mailbox is over its quota",
    ),
    Account(
        "grey",
        "greylisting: each sender is put off the first time (451 4.7.1) and welcome from then on",
        greylists=True,
    ),
    Account("slow", "three seconds pass before each reply", pause=3.0),
    Account(
        "drop",
        "the connection is closed after a message is sent, and in the middle of RETR",
        breaks=Break.CLOSE,
    ),
    Account("reset", "the same, with a reset (RST)", breaks=Break.RESET),
    Account("silent", "no word more after a message is sent, and from the middle of RETR", breaks=Break.SILENCE),
    Account(
        "busy",
        "somebody else is always in the mailbox (450 4.2.1, -ERR [IN-USE])",
        rcpt="450 4.2.1 The mailbox is in use, try again later",
        auth="454 4.7.0 Temporary authentication failure",
        login="[IN-USE] The mailbox is locked by another session",
    ),
    Account(
        "often",
        "mail was fetched a moment ago, and may not be so soon again (450 4.2.1, -ERR [LOGIN-DELAY])",
        rcpt="450 4.2.1 The user receives mail at too high a rate, try again later",
        login="[LOGIN-DELAY] The minimum time between logins is 900 seconds",
    ),
    Account(
        "away",
        "the service shuts down in front of you (421 4.3.2, -ERR [SYS/TEMP])",
        rcpt="421 4.3.2 The service is shutting down",
        auth="421 4.3.2 The service is shutting down",
        login="[SYS/TEMP] The service is shutting down",
    ),
    Account(
        "spam", "messages are refused for their content (554 5.7.1)", content="554 5.7.1 The message looks like spam"
    ),
    Account("miscount", "sizes are announced 100 octets too large (STAT, LIST, =n)", excess=100),
    Account(
        "nobody",
        "there is no such user (550 5.1.1, -ERR [AUTH])",
        password=None,
        letters=0,
        rcpt=f"550 5.1.1 <nobody@{DOMAIN}>: no such user here",
    ),
)

ALIASES: Final = {"postmaster": ("alice",), "staff": ("alice", "bob")}
