"""What a POP3 server says where nobody recorded it (RFC 1939): from its mailbox, in the recorded server's manner."""

from collections.abc import Callable, Iterable
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.protocols import challenges
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.pop3.mailbox import Mailbox, Message
from mailproxy.protocols.pop3.reader import VERBS
from mailproxy.protocols.pop3.sequence import BEHIND, LOGINS, Sequence

SIGN: Final = b"+ "
_OF_MESSAGES: Final = frozenset({"RETR", "DELE", "TOP", "LIST", "UIDL"})


class Pop3Understudy:
    """Knows the mailbox, how the recorded server refuses, and where the session stands."""

    def __init__(self, record: Record) -> None:
        self._exchanges = record.exchanges
        self._mailbox = Mailbox(record)
        self._tls = record.tls or any(exchange.verb == "STLS" and _granted(exchange) for exchange in record.exchanges)
        logins = [each for each in self._exchanges if each.verb in LOGINS and each.argument and each.replies]
        self._logins = {challenges.mechanism(each.argument) if each.verb == "AUTH" else each.verb for each in logins}
        self._codes = any(reply.enhanced for exchange in self._exchanges for reply in exchange.replies)
        self._highest = 0
        self._sequence = Sequence()
        self._told = _out_of_place(record)

    def greeting(self) -> bytes | None:
        """It is ready (section 4)."""
        return b"+OK POP3 server ready\r\n"

    def overrules(self, verb: str, argument: str) -> Improvised | None:
        """There is no TLS within TLS."""
        return self.misplaced(verb, argument) if verb == "STLS" and self._sequence.secure else None

    def misplaced(self, verb: str, argument: str) -> Improvised | None:
        """As the states of a session want it, where the record does not tell what the server wants."""
        why = "" if verb in self._told else self._sequence.misplaced(verb)
        return Improvised((f"-ERR {why}\r\n".encode(),)) if why else None

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """Tell of the mailbox as it is by now; grant what is harmless; refuse what is unknown as this server does."""
        match verb:
            case _ if verb in LOGINS:
                return self._login(verb, argument)
            case "QUIT":
                return Improvised((b"+OK Bye\r\n",), closes=True)
            case "RETR" if (found := self._mailbox.find(argument)) and self._mailbox.knows(found.number):
                return None
            case _ if verb in _OF_MESSAGES:
                return Improvised((self._of_messages(verb, argument),))
            case _:
                return Improvised((self._reply(verb),))

    def ending(self, exchange: Exchange) -> bytes | None:
        """What makes a message as long as it should be; the dot, whatever it is."""
        content = exchange.content
        return self._mailbox.ending(content, exchange.verb == "RETR") if content else None

    def cancelled(self) -> bytes | None:
        """RFC 5034 section 4: `-ERR`."""
        return b"-ERR Authentication is cancelled\r\n"

    def heard(self, exchange: Exchange) -> None:
        """Learn where the session stands, what is deleted and what was seen."""
        self._sequence.heard(exchange)
        if not _granted(exchange):
            return
        match exchange.verb:
            case "DELE" if found := self._mailbox.find(exchange.argument):
                self._mailbox.deleted.add(found.number)
            case "RETR" if found := self._mailbox.find(exchange.argument):
                self._highest = max(self._highest, found.number)
            case "RSET":
                self._mailbox.deleted.clear()
                self._highest = 0
            case _:
                pass

    def secured(self) -> None:
        """Learn that TLS has begun."""
        self._sequence.secured()

    def _reply(self, verb: str) -> bytes:
        match verb:
            case "STAT":
                messages = self._mailbox.messages()
                return _ok(f"{len(messages)} {_total(messages)}")
            case "LAST":
                return _ok(str(self._highest))
            case "USER" | "NOOP" | "RSET" | "UTF8":
                return _ok("")
            case "CAPA":
                return _listing("", self._capabilities())
            case "STLS" if self._tls:
                return _ok("Begin TLS negotiation now")
            case _:
                return self._refusal(lambda exchange: exchange.verb.encode() not in VERBS, "Unknown command")

    def _of_messages(self, verb: str, argument: str) -> bytes:
        if verb in {"LIST", "UIDL"} and not argument:
            messages = self._mailbox.messages()
            told = f"{len(messages)} messages ({_total(messages)} octets)"
            return _listing(told, (_row(verb, message) for message in messages))
        number, _, lines = argument.partition(" ")
        message = self._mailbox.find(number)
        if message is None:
            return self._refusal(lambda exchange: exchange.verb in _OF_MESSAGES, "No such message")
        match verb:
            case "LIST" | "UIDL":
                return _ok(_row(verb, message))
            case "DELE":
                return _ok("Marked to be deleted")
            case "TOP":
                wanted = int(lines) if lines.isascii() and lines.isdecimal() and len(lines) < 10 else 0
                return _ok("") + self._mailbox.top(message, wanted)
            case _:
                return _ok(f"{message.size} octets") + self._mailbox.content(message)

    def _login(self, verb: str, argument: str) -> Improvised | None:
        """Grant it where nothing is known of logins; where something is, that holds for all who can be asked."""
        put = (challenges.challenges(argument, SIGN) if argument else None) if verb == "AUTH" else ()
        if self._logins and (put is not None or challenges.mechanism(argument) in self._logins):
            return None
        return Improvised((b"-ERR Unknown mechanism\r\n",) if put is None else (*put, _ok("Logged in")))

    def _capabilities(self) -> list[str]:
        """RFC 2449 section 6."""
        found = ["TOP", "UIDL", "USER", "SASL PLAIN LOGIN"]
        return found + ["STLS"] * (self._tls and not self._sequence.secure) + ["RESP-CODES"] * self._codes

    def _refusal(self, alike: Callable[[Exchange], bool], text: str) -> bytes:
        """As this server has refused the like, else in our own words."""
        for exchange in self._exchanges:
            if exchange.command and Flag.SECRET not in exchange.flags and alike(exchange) and _refused(exchange):
                assert exchange.reply
                return f"-ERR {exchange.reply.text}\r\n".encode("utf-8", "surrogateescape")
        return f"-ERR {text}\r\n".encode()


def _out_of_place(record: Record) -> frozenset[str]:
    """The commands that came where they cannot come: each that needs a login, where one was granted without any."""
    sequence = Sequence()
    found: set[str] = set()
    for exchange in record.exchanges:
        if sequence.misplaced(exchange.verb):
            found |= BEHIND if exchange.verb in BEHIND and _granted(exchange) else {exchange.verb}
        sequence.heard(exchange)
    return frozenset(found)


def _granted(exchange: Exchange) -> bool:
    return exchange.reply is not None and exchange.reply.positive


def _refused(exchange: Exchange) -> bool:
    """Whether it was refused in words that do for others: no response code (RFC 2449 section 8), no secret, no verb."""
    reply = exchange.reply
    if reply is None or reply.code != "-ERR" or reply.enhanced:
        return False
    repeats = bool(exchange.verb) and exchange.verb in reply.text.upper()
    return "<secret: " not in reply.text and not repeats


def _row(verb: str, message: Message) -> str:
    return f"{message.number} {message.size if verb == 'LIST' else message.uid}"


def _total(messages: Iterable[Message]) -> int:
    return sum(message.size for message in messages)


def _ok(text: str) -> bytes:
    return f"+OK {text}".rstrip().encode("utf-8", "surrogateescape") + b"\r\n"


def _listing(text: str, rows: Iterable[str]) -> bytes:
    return _ok(text) + "".join(f"{row}\r\n" for row in rows).encode() + b".\r\n"
