"""An SMTP server (RFC 5321), which can be an LMTP server (RFC 2033) too.

Replies are text, their lines parted by CRLF; 221 and 421 end the connection.
"""

import re
from typing import Final

from mailproxy.talk.practice import sasl
from mailproxy.talk.practice.accounts import ALIASES, DOMAIN, Account
from mailproxy.talk.practice.conversation import Talk
from mailproxy.talk.practice.envelope import SIZE_LIMIT, Envelope, Recipient, path, refusal
from mailproxy.talk.practice.office import Posted, PostOffice
from mailproxy.talk.practice.server import Server
from mailproxy.talk.practice.unread import Unread

EXTENSIONS: Final = (
    "PIPELINING",
    f"SIZE {SIZE_LIMIT}",
    "8BITMIME",
    f"AUTH {' '.join(sasl.MECHANISMS)}",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "SMTPUTF8",
    "HELP",
)
COMMANDS: Final = "EHLO HELO MAIL RCPT DATA BDAT AUTH RSET VRFY EXPN NOOP HELP QUIT"
NO_ARGUMENT: Final = frozenset({"DATA", "RSET", "QUIT"})
NOT_OFFERED: Final = frozenset({"STARTTLS", "ETRN", "TURN", "SEND", "SOML", "SAML", "BURL", "XCLIENT", "XFORWARD"})


class SmtpServer(Server):
    """One connection: who greeted, who logged in, and the mail transaction that is open."""

    def __init__(self, unread: Unread, office: PostOffice, lmtp: bool = False) -> None:
        super().__init__(unread, office)
        self.lmtp = lmtp
        self.greeting = ""
        self.client = ""
        self.user: Account | None = None
        self.envelope: Envelope | None = None

    def run(self) -> Talk[None]:
        """The whole conversation."""
        yield from self.reply(f"220 {DOMAIN} {'LMTP' if self.lmtp else 'ESMTP'} mailproxy practice server")
        while True:
            line = yield from self.unread.line()
            reply = "500 5.5.6 The line is too long" if line is None else (yield from self.answer(line))
            yield from self.reply(reply)
            if reply.startswith(("221", "421")):
                return

    def reply(self, text: str) -> Talk[None]:
        """Send a reply."""
        yield from self.say(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def answer(self, line: bytes) -> Talk[str]:
        """The reply to a command (section 4.1)."""
        verb, _, argument = line.decode("utf-8", "surrogateescape").partition(" ")
        match verb.upper(), argument.strip():
            case verb, argument if argument and verb in NO_ARGUMENT:
                return f"501 5.5.4 {verb} takes no argument"
            case ("HELO" | "EHLO" | "LHLO") as verb, name:
                return self.hello(verb, name)
            case "AUTH", argument:
                return (yield from self.auth(argument))
            case "MAIL", argument:
                return self.mail(argument)
            case "RCPT", argument:
                return self.rcpt(argument)
            case "DATA", _:
                return (yield from self.data())
            case "BDAT", argument:
                return (yield from self.bdat(argument))
            case verb, argument:
                return self.aside(verb, argument)

    def aside(self, verb: str, argument: str) -> str:
        """The reply to a command that is no part of a transaction."""
        match verb:
            case "RSET":
                self.envelope = None
                return "250 2.0.0 The transaction is dropped"
            case "NOOP":
                return "250 2.0.0 Done, which was nothing"
            case "VRFY":
                return self.vrfy(argument)
            case "EXPN":
                return self.expn(argument)
            case "HELP":
                return _lines("214", f"2.0.0 {COMMANDS}", "2.0.0 See the table of accounts for who behaves badly")
            case "QUIT":
                return f"221 2.0.0 {DOMAIN} closes the connection"
            case _ if verb in NOT_OFFERED:
                return f"502 5.5.1 {verb} is not offered here"
            case _:
                return "500 5.5.1 That is no command of this protocol"

    def hello(self, verb: str, name: str) -> str:
        """HELO, EHLO (section 4.1.1.1) and LHLO (RFC 2033 section 4.1)."""
        if self.lmtp != (verb == "LHLO"):
            return f"500 5.5.1 Say {'LHLO: this is LMTP' if self.lmtp else 'EHLO: this is SMTP'}"
        if not name or " " in name or not name.isprintable():
            return f"501 5.5.4 {verb} takes the name of the client and nothing else"
        self.greeting, self.client, self.envelope = verb, name, None
        return f"250 {DOMAIN}" if verb == "HELO" else _lines("250", DOMAIN, *EXTENSIONS)

    def auth(self, argument: str) -> Talk[str]:
        """AUTH (RFC 4954 section 4)."""
        mechanism, _, initial = argument.partition(" ")
        if self.greeting in ("", "HELO"):
            return "503 5.5.1 Say EHLO first"
        if self.user or self.envelope:
            return "503 5.5.1 Not twice, and not within a transaction"
        if not mechanism:
            return "501 5.5.4 The form is AUTH mechanism, or AUTH mechanism response"
        if mechanism.upper() not in sasl.MECHANISMS:
            return "504 5.5.4 The mechanism is not known here"
        try:
            account = yield from sasl.authenticate(mechanism.upper(), initial.strip(), self.ask, self.office)
        except sasl.Cancelled:
            return "501 5.7.0 Authentication is cancelled"
        except sasl.Malformed:
            return "501 5.5.2 That is not what the mechanism asks for, in base64"
        return self.logged_in(account)

    def ask(self, challenge: bytes) -> Talk[bytes | None]:
        """Put a challenge and return what answers it."""
        yield from self.say(b"334 " + challenge + b"\r\n")
        return (yield from self.unread.line(sasl.RESPONSE_LIMIT))

    def logged_in(self, account: Account | None) -> str:
        """The reply to an exchange that proved this account's password, or none."""
        if not account:
            return "535 5.7.8 User name or password is wrong"
        self.heed(account)
        if not account.auth:
            self.user = account
        return account.auth or f"235 2.7.0 Welcome, {account.name}"

    def mail(self, argument: str) -> str:
        """MAIL (section 4.1.1.2)."""
        if not self.greeting:
            return f"503 5.5.1 Say {'LHLO' if self.lmtp else 'EHLO'} first"
        if self.envelope:
            return "503 5.5.1 A sender is given already; RSET drops the transaction"
        sender = path("FROM", argument)
        if sender is None:
            return "501 5.1.7 The form is MAIL FROM:<address>"
        if sender.parameters and self.greeting == "HELO":
            return "555 5.5.4 Parameters need EHLO"
        smtputf8 = "SMTPUTF8" in sender.parameters
        if not (smtputf8 or sender.address.isascii()):
            return "553 5.6.7 An address beyond ASCII needs SMTPUTF8"
        if refused := refusal(sender):
            return refused
        self.envelope = Envelope(sender.address, smtputf8)
        return "250 2.1.0 The sender is fine"

    def rcpt(self, argument: str) -> str:
        """RCPT (section 4.1.1.3)."""
        if not self.envelope or self.envelope.chunks:
            return "503 5.5.1 RCPT comes after MAIL and before the message"
        recipient = path("TO", argument)
        if recipient is None or not recipient.address:
            return "501 5.1.3 The form is RCPT TO:<address>"
        if recipient.parameters:
            return "555 5.5.4 RCPT takes no parameters here"
        if not (self.envelope.smtputf8 or recipient.address.isascii()):
            return "553 5.6.7 An address beyond ASCII needs SMTPUTF8"
        if recipient.here:
            return self.local(self.envelope, recipient.address, self.office.resolve(recipient.local))
        if not self.user:
            return f"554 5.7.1 <{recipient.address}>: relay access denied; log in first"
        self.envelope.recipients.append(Recipient(recipient.address, ()))
        return "250 2.1.5 The recipient is elsewhere: the message will be kept and not sent"

    def local(self, envelope: Envelope, address: str, accounts: tuple[Account, ...]) -> str:
        """The reply to a recipient of this domain."""
        if not accounts:
            return f"550 5.1.1 <{address}>: no such user here"
        for account in accounts:
            self.heed(account)
            if account.rcpt:
                return account.rcpt
            if not self.office.greets(account, envelope.sender):
                return f"451 4.7.1 <{address}>: greylisted, try again later"
        envelope.recipients.append(Recipient(address, accounts))
        return "250 2.1.5 The recipient is fine"

    def data(self) -> Talk[str]:
        """DATA (section 4.1.1.4)."""
        envelope = self.envelope
        if not envelope or not envelope.recipients or envelope.chunks:
            return "503 5.5.1 DATA comes after a RCPT that was granted, and not after BDAT"
        yield from self.reply("354 Go on; end with a dot on a line of its own")
        message = yield from self.unread.content(SIZE_LIMIT)
        return (yield from self.finish(envelope, message))

    def bdat(self, argument: str) -> Talk[str]:
        """BDAT (RFC 3030 section 2): its octets come, whatever the reply will be."""
        found = re.fullmatch(r"([0-9]{1,18})( +LAST)?", argument, re.IGNORECASE)
        if not found:
            return "501 5.5.4 The form is BDAT length, or BDAT length LAST"
        length, envelope = int(found[1]), self.envelope
        if not envelope or not envelope.recipients:
            yield from self.unread.skip(length)
            return "503 5.5.1 BDAT comes after a RCPT that was granted"
        if length + sum(map(len, envelope.chunks)) > SIZE_LIMIT:
            yield from self.unread.skip(length)
            self.envelope = None
            return _TOO_LARGE
        envelope.chunks.append((yield from self.unread.exactly(length)))
        if not found[2]:
            return f"250 2.0.0 {length} octets are here"
        return (yield from self.finish(envelope, b"".join(envelope.chunks)))

    def finish(self, envelope: Envelope, message: bytes | None) -> Talk[str]:
        """Deliver a message, which is None where it was too large, and reply: in LMTP once for each recipient."""
        self.envelope = None
        for account in (account for recipient in envelope.recipients for account in recipient.accounts):
            yield from self.break_off(account)
        refusals = [_refusal(recipient, message) for recipient in envelope.recipients]
        if not self.lmtp and any(refusals):
            return next(filter(None, refusals))
        replies = [
            refused or self.deliver(envelope.sender, recipient, message or b"")
            for recipient, refused in zip(envelope.recipients, refusals, strict=True)
        ]
        return "\r\n".join(replies if self.lmtp else replies[:1])

    def deliver(self, sender: str, recipient: Recipient, message: bytes) -> str:
        """Put the message where the recipient finds it."""
        if not recipient.accounts:
            self.office.outgoing.append(Posted(recipient.address, message))
            return "250 2.0.0 The message is kept here and goes nowhere"
        protocol = "LMTP" if self.lmtp else "SMTP" if self.greeting == "HELO" else "ESMTP"
        received = f"from {self.client} by {DOMAIN}\r\n\twith {protocol}{'A' * (self.user is not None)}"
        for account in recipient.accounts:
            self.office.deliver(account, sender, received, message)
        return f"250 2.0.0 Delivered to {', '.join(account.name for account in recipient.accounts)}"

    def vrfy(self, argument: str) -> str:
        """VRFY (section 4.1.1.6)."""
        match self.office.resolve(_local(argument)):
            case []:
                return "550 5.1.1 No such user here"
            case [account] if account.rcpt:
                return account.rcpt
            case [account]:
                return f"250 2.1.5 <{account.name}@{DOMAIN}>"
            case _:
                return "252 2.1.5 That is a list; EXPN shows who is on it"

    def expn(self, argument: str) -> str:
        """EXPN (section 4.1.1.7)."""
        if _local(argument).lower() not in ALIASES:
            return "550 5.1.1 No such list here"
        members = self.office.resolve(_local(argument))
        return _lines("250", *(f"2.1.5 <{account.name}@{DOMAIN}>" for account in members))


_TOO_LARGE: Final = f"552 5.3.4 The message is over the limit of {SIZE_LIMIT} octets"


def _refusal(recipient: Recipient, message: bytes | None) -> str:
    if message is None:
        return _TOO_LARGE
    return next((account.content for account in recipient.accounts if account.content), "")


def _local(argument: str) -> str:
    return argument.strip("<> ").removesuffix(f"@{DOMAIN}")


def _lines(code: str, *lines: str) -> str:
    """A reply of several lines (section 4.2.1)."""
    return "\r\n".join([*(f"{code}-{line}" for line in lines[:-1]), f"{code} {lines[-1]}"])
