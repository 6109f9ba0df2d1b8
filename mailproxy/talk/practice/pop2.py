"""A POP2 server (RFC 937). Whatever is out of place earns a line that begins with `-`, and the end."""

from enum import StrEnum

from mailproxy.talk.practice.accounts import DOMAIN, Account
from mailproxy.talk.practice.conversation import Send, Talk
from mailproxy.talk.practice.office import Letter, Mailbox, PostOffice
from mailproxy.talk.practice.server import Server, is_number
from mailproxy.talk.practice.unread import Unread

DEFAULT_MAILBOX = "INBOX"


class State(StrEnum):
    """What the server waits for."""

    AUTH = "HELO or QUIT"
    MBOX = "READ, FOLD or QUIT"
    ITEM = "RETR, READ, FOLD or QUIT"
    NEXT = "ACKS, ACKD or NACK"
    DONE = "nothing"


class Pop2Server(Server):
    """One connection: the mailbox that is open, and the number of the current message."""

    def __init__(self, unread: Unread, office: PostOffice) -> None:
        super().__init__(unread, office)
        self.state = State.AUTH
        self.account: Account | None = None
        self.mailbox: Mailbox | None = None
        self.letters: list[Letter] = []
        self.marked: set[int] = set()
        self.current = 1

    def run(self) -> Talk[None]:
        """The whole conversation. However it ends, the mailbox is unlocked."""
        try:
            yield from self.say(f"+ POP2 {DOMAIN} mailproxy practice server\r\n".encode())
            while self.state is not State.DONE:
                line = yield from self.unread.line()
                yield from self.say((yield from self.answer(line or b"")))
        finally:
            if self.mailbox:
                self.mailbox.locked = False

    def answer(self, line: bytes) -> Talk[bytes]:
        """The answer to a command: a line, but for RETR, which earns the message and nothing else."""
        verb, _, argument = line.decode("utf-8", "surrogateescape").partition(" ")
        if (self.state, verb.upper(), argument) == (State.ITEM, "RETR", "") and self.letter():
            return (yield from self.retr())
        return self.command(verb.upper(), argument).encode() + b"\r\n"

    def command(self, verb: str, argument: str) -> str:
        """The answer to any command but a RETR that has something to fetch."""
        match self.state, verb, argument.split():
            case State.AUTH, "HELO", [user, _, *_]:
                return self.helo(user, argument.split(" ", 1)[1])
            case ((State.MBOX | State.ITEM), "FOLD", [mailbox]):
                return self.fold(mailbox)
            case ((State.MBOX | State.ITEM), "READ", []):
                return self.read()
            case ((State.MBOX | State.ITEM), "READ", [number]) if is_number(number):
                self.current = int(number)
                return self.read()
            case State.NEXT, ("ACKS" | "ACKD" | "NACK"), []:
                return self.acknowledge(verb)
            case ((State.AUTH | State.MBOX | State.ITEM), "QUIT", []):
                self.expunge()
                return self.end(f"+ {DOMAIN} closes the connection")
            case State.ITEM, "RETR", []:
                return self.end("- There is no message to fetch")
            case _:
                return self.end(f"- That is out of place: what can come here is {self.state}")

    def end(self, line: str) -> str:
        """Say this and no more."""
        self.state = State.DONE
        return line

    def helo(self, user: str, password: str) -> str:
        """HELO: log in, and open the default mailbox."""
        account = self.office.login(user, lambda known: known == password)
        if not account:
            return self.end("- User name or password is wrong")
        self.heed(account)
        if account.login:
            return self.end(f"- {account.login}")
        mailbox = self.office.mailboxes[account.name]
        if mailbox.locked:
            return self.end("- The mailbox is locked by another session")
        mailbox.locked = True
        self.account, self.mailbox = account, mailbox
        return self.fold(DEFAULT_MAILBOX)

    def fold(self, name: str) -> str:
        """FOLD: delete what is to be deleted, and open another mailbox. Those that do not exist are empty."""
        self.expunge()
        there = self.mailbox if name.upper() == DEFAULT_MAILBOX else None
        self.letters = list(there.letters) if there else []
        self.marked, self.current, self.state = set(), 1, State.MBOX
        return f"#{len(self.letters)} messages"

    def letter(self) -> Letter | None:
        """The current message; None where there is none (any more)."""
        there = 0 < self.current <= len(self.letters) and self.current not in self.marked
        return self.letters[self.current - 1] if there else None

    def read(self) -> str:
        """READ: how long the current message is."""
        self.state = State.ITEM
        letter = self.letter()
        if not letter or not self.account:
            return f"=0 There is no message {self.current}"
        return f"={len(letter.octets) + self.account.excess} octets in message {self.current}"

    def retr(self) -> Talk[bytes]:
        """RETR: the message, or half of it where the account breaks off there."""
        letter = self.letter()
        assert letter
        assert self.account
        self.state = State.NEXT
        if self.account.breaks:
            yield Send(letter.octets[: len(letter.octets) // 2])
            yield from self.break_off(self.account)
        return letter.octets

    def acknowledge(self, verb: str) -> str:
        """ACKS keeps the message, ACKD marks it, and both go on to the next; NACK stays on it."""
        if verb == "ACKD":
            self.marked.add(self.current)
        if verb != "NACK":
            self.current += 1
        return self.read()

    def expunge(self) -> None:
        """Delete the messages that are marked."""
        if self.mailbox:
            self.mailbox.remove(self.letters[number - 1].uid for number in self.marked)
