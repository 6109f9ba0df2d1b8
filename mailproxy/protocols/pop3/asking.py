"""The client's part of POP3 (RFC 1939), as it is played again."""

import hashlib
import re
from typing import Final

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.protocols import challenges
from mailproxy.protocols.asking import (
    MASKED,
    Account,
    Asking,
    Cue,
    Leave,
    Recorded,
    login,
    masked,
    offers,
    said,
)
from mailproxy.protocols.outcome import HARMLESS
from mailproxy.protocols.pop3.numbers import Uids, plain, renumbered
from mailproxy.protocols.turn import text

_STAMP: Final = re.compile(r"<[^<>@\s]+@[^<>\s]*>")
_NUMBERED: Final = frozenset({"RETR", "TOP", "DELE", "LIST", "UIDL"})
RSET: Final = b"RSET\r\n"
QUIT: Final = b"QUIT\r\n"


class Pop3Prompter:
    """Deletes nothing without leave, and finds messages by their unique ids where their numbers have changed."""

    def __init__(self, recorded: Recorded, leave: Leave, account: Account | None) -> None:
        self._leave = leave
        self._account = account
        self._users = {user(each.verb, each.argument) for each in recorded.exchanges}
        self._then = _known(recorded)
        self._now = Uids()
        self._stamp = ""
        self._offered: frozenset[str] | None = None
        self._deleted = 0  # messages that would go with QUIT
        self._unsafe = False  # RSET was refused

    def greeted(self, greeting: Reply) -> None:
        """The greeting may hold a stamp for APOP."""
        found = _STAMP.search(greeting.text)
        self._stamp = found[0] if found else ""

    def cue(self, exchange: Exchange, line: bytes) -> Cue:
        """Logins are made anew, numbers are translated, and messages that are to be deleted are kept."""
        if line.upper().split(None, 1)[:1] == [b"DELE"] and exchange.verb != "DELE":
            self._deleted += 1  # a tab behind the verb: some servers take it
        match exchange.verb:
            case "USER" | "PASS" | "RPOP" | "APOP":
                return self._login(exchange, line)
            case "AUTH" if exchange.argument:
                return login(line, challenges.mechanism(exchange.argument), self._offered)
            case "XTND" if exchange.argument.upper().startswith("XMIT") and not self._leave.deliver:
                return Cue(remark="XTND XMIT is left out: nothing is delivered", body=False)
            case "QUIT" if self._deleted and not self._leave.delete:
                return Cue((RSET, line), f"RSET is said before QUIT: nothing is deleted, of {self._deleted} DELE")
            case verb if verb in _NUMBERED and exchange.argument:
                return self._numbered(exchange, line)
            case _:
                return Cue((line,))

    def heard(self, recorded: Exchange | None, now: Exchange, listing: bytes) -> None:
        """Learn numbers, offers, and which messages are to be deleted."""
        self._now.hear(now, listing, whole=not self._deleted)
        granted = now.reply is not None and now.reply.positive
        match now.verb:
            case "CAPA" if granted:
                self._offered = offers(text(listing).split("\n"), "SASL")
            case "RSET":
                self._deleted = 0 if granted else self._deleted
                self._unsafe = not granted

    def farewell(self) -> tuple[bytes, ...]:
        """QUIT would delete: RSET goes before it."""
        if self._deleted and not self._leave.delete:
            return () if self._unsafe else (RSET, QUIT)
        return (QUIT,)

    def _login(self, exchange: Exchange, line: bytes) -> Cue:
        account = self._account
        if account is None or not exchange.argument:
            return Cue(impossible=MASKED) if masked(line) else Cue((line,))
        named = user(exchange.verb, exchange.argument)
        # Who tries several names, and whose are not to be changed, tries them again.
        name = named if account.user in self._users else account.user
        match exchange.verb:
            case "USER":
                return Cue((said(line, name),))
            case "APOP" if not self._stamp:
                return Cue(impossible="the greeting of this server has no stamp for APOP")
            case "APOP":
                digest = hashlib.md5((self._stamp + account.password).encode(), usedforsecurity=False).hexdigest()
                return Cue((said(line, name, digest),))
            case _:
                return Cue((said(line, account.password),))

    def _numbered(self, exchange: Exchange, line: bytes) -> Cue:
        number, *rest = exchange.argument.split()
        now = renumbered(number, self._then, self._now)
        if now is None:
            return Cue(remark=f"{exchange.verb} {number} is left out: that message is gone")
        self._deleted += exchange.verb == "DELE"
        if plain(now) == plain(number):
            return Cue((line,))
        return Cue((said(line, now, *rest),), f"{exchange.verb} {number}: message {plain(number)} is number {now} now")


def _known(recorded: Recorded) -> Uids:
    """What the recorded client had learnt of the mailbox."""
    known = Uids()
    for exchange in recorded.exchanges:
        if exchange.verb == "UIDL":
            known.hear(exchange, recorded.streams.octets(exchange.content.span) if exchange.content else b"")
    return known


def user(verb: str, argument: str) -> str:
    """USER and APOP name the user."""
    return argument.split(" ")[0] if verb in {"USER", "APOP"} else ""


ASKING: Final = Asking(Pop3Prompter, HARMLESS, frozenset({"UIDL", "CAPA"}), user, "pop")
