"""A POP3 server (RFC 1939), with LAST as RFC 1460 had it.

An answer is all that goes over the wire for a command, without the last CRLF.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

from mailproxy.talk.practice import sasl
from mailproxy.talk.practice.accounts import DOMAIN, Account
from mailproxy.talk.practice.conversation import Send, Talk
from mailproxy.talk.practice.office import Letter, Mailbox, PostOffice
from mailproxy.talk.practice.server import Server, is_number
from mailproxy.talk.practice.unread import Unread

CAPABILITIES: Final = (
    b"TOP",
    b"USER",
    b"SASL " + " ".join(sasl.MECHANISMS).encode(),
    b"RESP-CODES",
    b"AUTH-RESP-CODE",
    b"PIPELINING",
    b"UIDL",
    b"EXPIRE NEVER",
    b"IMPLEMENTATION mailproxy-practice",
)
WRONG: Final = b"-ERR [AUTH] User name or password is wrong"
FIRST_LOG_IN: Final = b"-ERR Log in first"
ALREADY_IN: Final = b"-ERR You are logged in already"
NO_SUCH_MESSAGE: Final = b"-ERR No such message"


class Pop3Server(Server):
    """One connection: who logged in, and the mailbox as it was then. `marked` are the numbers to delete."""

    def __init__(self, unread: Unread, office: PostOffice) -> None:
        super().__init__(unread, office)
        self.challenge = office.challenge()
        self.user = ""
        self.account: Account | None = None
        self.mailbox: Mailbox | None = None
        self.letters: list[Letter] = []
        self.marked: set[int] = set()
        self.last = 0

    def run(self) -> Talk[None]:
        """The whole conversation. However it ends, the mailbox is unlocked."""
        try:
            yield from self.say(f"+OK {DOMAIN} POP3 mailproxy practice server {self.challenge}\r\n".encode())
            done = False
            while not done:
                done = yield from self.turn()
        finally:
            if self.mailbox:
                self.mailbox.locked = False

    def turn(self) -> Talk[bool]:
        """One command and its answer; whether it was the last."""
        line = yield from self.unread.line()
        if line is None:
            yield from self.say(b"-ERR The line is too long\r\n")
            return False
        verb, _, argument = line.decode("utf-8", "surrogateescape").partition(" ")
        yield from self.say((yield from self.answer(verb.upper(), argument)) + b"\r\n")
        return verb.upper() == "QUIT"

    def answer(self, verb: str, argument: str) -> Talk[bytes]:
        """The answer to a command that any state takes (RFC 1939 section 5), else the state's."""
        match verb:
            case "CAPA":
                return _listing(b"+OK Capabilities follow", CAPABILITIES)
            case "QUIT":
                return self.quit()
            case "AUTH":
                return ALREADY_IN if self.mailbox else (yield from self.auth(argument))
            case "USER" | "PASS" | "APOP":
                return ALREADY_IN if self.mailbox else self.authorization(verb, argument)
            case "RETR" if self.mailbox:
                return (yield from self.retr(argument))
            case _:
                return self.transaction(verb, argument.split())

    def authorization(self, verb: str, argument: str) -> bytes:
        """The AUTHORIZATION state (section 4)."""
        match verb, argument.split():
            case "USER", [user]:
                self.user = user
                return b"+OK And the password?"
            case "PASS", _ if self.user:
                user, self.user = self.user, ""
                return self.enter(self.office.login(user, lambda known: known == argument))
            case "APOP", [user, digest]:
                return self.enter(self.office.login(user, lambda known: self.digest(known) == digest.lower()))
            case "PASS", _:
                return b"-ERR USER comes first"
            case _:
                return b"-ERR The form is USER name, PASS password, or APOP name digest"

    def digest(self, password: str) -> str:
        """What APOP asks for (section 7), in hexadecimal."""
        return hashlib.md5((self.challenge + password).encode(), usedforsecurity=False).hexdigest()

    def auth(self, argument: str) -> Talk[bytes]:
        """AUTH (RFC 5034); without an argument it lists the mechanisms, as old servers did."""
        mechanism, _, initial = argument.strip().partition(" ")
        if not mechanism:
            return _listing(b"+OK Mechanisms follow", (name.encode() for name in sasl.MECHANISMS))
        if mechanism.upper() not in sasl.MECHANISMS:
            return b"-ERR The mechanism is not known here"
        try:
            return self.enter((yield from sasl.authenticate(mechanism.upper(), initial, self.ask, self.office)))
        except sasl.Cancelled:
            return b"-ERR Authentication is cancelled"
        except sasl.Malformed:
            return b"-ERR That is not what the mechanism asks for, in base64"

    def ask(self, challenge: bytes) -> Talk[bytes | None]:
        """Put a challenge and return what answers it."""
        yield from self.say(b"+ " + challenge + b"\r\n")
        return (yield from self.unread.line(sasl.RESPONSE_LIMIT))

    def enter(self, account: Account | None) -> bytes:
        """Open and lock the mailbox of the account whose password was proved, if any was."""
        if not account:
            return WRONG
        self.heed(account)
        if account.login:
            return f"-ERR {account.login}".encode()
        mailbox = self.office.mailboxes[account.name]
        if mailbox.locked:
            return b"-ERR [IN-USE] The mailbox is locked by another session"
        mailbox.locked = True
        self.account, self.mailbox, self.letters = account, mailbox, list(mailbox.letters)
        return b"+OK Welcome, %s: %d messages" % (account.name.encode(), len(self.letters))

    def transaction(self, verb: str, arguments: list[str]) -> bytes:
        """The TRANSACTION state (section 5), RETR apart."""
        match verb, arguments:
            case (("STAT" | "LIST" | "UIDL" | "TOP" | "RETR" | "DELE" | "RSET" | "NOOP" | "LAST"), _) if (
                not self.mailbox
            ):
                return FIRST_LOG_IN
            case "STAT", []:
                return b"+OK %d %d" % (len(self.kept()), sum(map(self.size, self.kept())))
            case "LIST", _:
                return self.scan(arguments, lambda number: b"%d" % self.size(number))
            case "UIDL", _:
                return self.scan(arguments, lambda number: self.letters[number - 1].uid.encode())
            case "TOP", [number, lines] if is_number(lines):
                return self.top(number, int(lines))
            case "DELE", [number]:
                return self.dele(number)
            case "RSET", []:
                self.marked, self.last = set(), 0
                return b"+OK Nothing will be deleted"
            case "NOOP", []:
                return b"+OK"
            case "LAST", []:
                return b"+OK %d" % self.last
            case (("STAT" | "TOP" | "RETR" | "DELE" | "RSET" | "NOOP" | "LAST"), _):
                return f"-ERR Those are not the arguments of {verb}".encode()
            case _:
                return b"-ERR That is no command of this protocol"

    def kept(self) -> list[int]:
        """The numbers of the messages that are not to be deleted."""
        return [number for number in range(1, len(self.letters) + 1) if number not in self.marked]

    def size(self, number: int) -> int:
        """How many octets are announced for a message."""
        return len(self.letters[number - 1].octets) + (self.account.excess if self.account else 0)

    def number(self, argument: str) -> int | None:
        """The number of a message that is not to be deleted."""
        number = int(argument) if is_number(argument) else 0
        return number if number in self.kept() else None

    def scan(self, arguments: list[str], what: Callable[[int], bytes]) -> bytes:
        """LIST and UIDL: a line for each message, or one for one."""
        if not arguments:
            return _listing(b"+OK", (b"%d %s" % (number, what(number)) for number in self.kept()))
        number = self.number(arguments[0]) if len(arguments) == 1 else None
        return b"+OK %d %s" % (number, what(number)) if number else NO_SUCH_MESSAGE

    def retr(self, argument: str) -> Talk[bytes]:
        """RETR: the answer, or half of it where the account breaks off there."""
        number = self.number(argument.strip())
        if not number or not self.account:
            return NO_SUCH_MESSAGE
        self.last = max(self.last, number)
        message = self.letters[number - 1].octets
        answer = _listing(b"+OK %d octets" % self.size(number), message.removesuffix(b"\r\n").split(b"\r\n"))
        if self.account.breaks:
            yield Send(answer[: len(answer) // 2])
            yield from self.break_off(self.account)
        return answer

    def top(self, argument: str, lines: int) -> bytes:
        """TOP: the header, the blank line, and so many lines of the body."""
        number = self.number(argument)
        if not number:
            return NO_SUCH_MESSAGE
        header, blank, body = self.letters[number - 1].octets.partition(b"\r\n\r\n")
        shown = body.removesuffix(b"\r\n").split(b"\r\n")[:lines] if body else []
        return _listing(b"+OK", [*header.removesuffix(b"\r\n").split(b"\r\n"), *([b""] if blank else []), *shown])

    def dele(self, argument: str) -> bytes:
        """DELE: mark it, for QUIT to delete."""
        number = self.number(argument)
        if not number:
            return NO_SUCH_MESSAGE
        self.marked.add(number)
        self.last = max(self.last, number)
        return b"+OK Message %d will be deleted" % number

    def quit(self) -> bytes:
        """QUIT: the UPDATE state (section 6), where messages are deleted."""
        if self.mailbox:
            self.mailbox.remove(self.letters[number - 1].uid for number in self.marked)
        return b"+OK %s closes the connection" % DOMAIN.encode()


def _listing(status: bytes, lines: Iterable[bytes]) -> bytes:
    """An answer of several lines, dots doubled, and the dot that ends it (section 3)."""
    return b"\r\n".join([status, *(b"." + line if line.startswith(b".") else line for line in lines), b"."])
