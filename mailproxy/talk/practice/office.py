"""The post office: one store of mailboxes in memory, which all the servers share."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from mailproxy.talk.practice.accounts import ACCOUNTS, ALIASES, DOMAIN, Account
from mailproxy.talk.practice.letters import LETTERS

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Letter(NamedTuple):
    """A message as POP hands it out, every line of it ended by CRLF.

    `uid` is unique, also among those of other runs: a client that remembers what it fetched must not be misled.
    """

    uid: str
    octets: bytes


class Posted(NamedTuple):
    """A message for somebody elsewhere: it is kept here and goes nowhere."""

    recipient: str
    octets: bytes


@dataclass(slots=True)
class Mailbox:
    """The messages of one account, and whether a session holds them (RFC 1939 section 4)."""

    letters: list[Letter] = field(default_factory=list)
    locked: bool = False

    def remove(self, uids: Iterable[str]) -> None:
        """Delete the messages with these uids."""
        gone = set(uids)
        self.letters = [letter for letter in self.letters if letter.uid not in gone]


class PostOffice:
    """Accounts, their mailboxes, and what was sent elsewhere.

    `date` tells the date and time of delivery in the form of RFC 5322 section 3.3.
    """

    def __init__(
        self,
        accounts: Sequence[Account] = ACCOUNTS,
        date: Callable[[], str] = lambda: "Mon, 06 Jan 2025 12:00:00 +0000",
    ) -> None:
        self.accounts = {account.name: account for account in accounts}
        self.mailboxes = {account.name: Mailbox() for account in accounts}
        self.outgoing: list[Posted] = []
        self._date = date
        self._numbers = count(1)
        self._challenges = count(1)
        self._welcome: set[tuple[str, str]] = set()
        for account in accounts:
            for letter in LETTERS[: account.letters]:
                self._put(account, letter)

    def account(self, user: str) -> Account | None:
        """The account of a user name, which may be an address of this domain."""
        name, _, domain = user.lower().partition("@")
        return self.accounts.get(name) if domain in ("", DOMAIN) else None

    def login(self, user: str, proves: Callable[[str], bool]) -> Account | None:
        """The account, if it has a password and what the client showed proves to know it."""
        account = self.account(user)
        return account if account and account.password is not None and proves(account.password) else None

    def resolve(self, local: str) -> tuple[Account, ...]:
        """Who gets the mail for a local part: an account (with or without `+detail`), or those of an alias."""
        name = local.lower().partition("+")[0]
        names = ALIASES.get(name, (name,))
        return tuple(self.accounts[name] for name in names if name in self.accounts)

    def greets(self, account: Account, sender: str) -> bool:
        """Whether the sender was here before, if the account greylists; from now on it was."""
        met = (account.name, sender.lower()) in self._welcome
        self._welcome.add((account.name, sender.lower()))
        return met or not account.greylists

    def deliver(self, account: Account, sender: str, received: str, message: bytes) -> None:
        """Put a message into a mailbox with its trace (RFC 5321 section 4.4).

        `received` is the Received field's value up to the date.
        """
        trace = f"Return-Path: <{sender}>\r\nReceived: {received};\r\n\t{self._date()}\r\n"
        self._put(account, trace.encode("utf-8", "surrogateescape") + message)

    def challenge(self) -> str:
        """A challenge that was not given before, for APOP and CRAM-MD5 (RFC 1939 section 7, RFC 2195)."""
        return f"<{next(self._challenges)}.practice@{DOMAIN}>"

    def _put(self, account: Account, message: bytes) -> None:
        lines = _LINE_END.sub(b"\r\n", message)
        whole = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
        uid = hashlib.sha256(b"%d " % next(self._numbers) + whole).hexdigest()[:16]
        self.mailboxes[account.name].letters.append(Letter(uid, whole))
