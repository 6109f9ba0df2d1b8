"""What an SMTP server says where nobody recorded it (RFC 5321 section 4.2): in the recorded server's manner."""

import re
from collections import Counter
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.protocols import challenges
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.smtp.announced import announced
from mailproxy.protocols.smtp.reader import VERBS
from mailproxy.protocols.smtp.sequence import Sequence

SIGN: Final = b"334 "
GO_ON: Final = b"354 End data with <CR><LF>.<CR><LF>\r\n"
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\s*")
_PLAIN: Final = re.compile(r"[A-Za-z][\w ,.]{0,30}")
_OK: Final = re.compile(r"ok|okay|fine|done|success", re.I)
_DOMAIN: Final = re.compile(r"[\w.-]+\.[\w-]+|localhost")
_SIZE: Final = re.compile(r"\sSIZE=(\d{1,19})(?!\S)", re.I)
_SIMPLE: Final = frozenset({"MAIL", "RCPT", "RSET", "NOOP"})
_STATUS: Final = {"MAIL": "2.1.0", "RCPT": "2.1.5"}


class SmtpUnderstudy:
    """Says enhanced status codes (RFC 2034) and `Ok` as the recorded server does; knows where the session stands."""

    def __init__(self, record: Record) -> None:
        replies = [reply for exchange in record.exchanges for reply in exchange.replies]
        keywords = announced(record.exchanges)
        self._exchanges = record.exchanges
        self._tls = record.tls or "STARTTLS" in keywords
        self._logs_in = "AUTH" in keywords
        self._limit = _limit(record, keywords.get("SIZE", ""))
        self._lmtp = any(exchange.verb == "LHLO" and _granted(exchange) for exchange in record.exchanges)
        logins = [exchange.argument for exchange in record.exchanges if exchange.verb == "AUTH" and exchange.replies]
        self._mechanisms = set(map(challenges.mechanism, logins))
        self._enhanced = any(reply.enhanced for reply in replies) or not replies
        self._ok = _wording(record)
        self._domain = _domain(record)
        self._sequence = Sequence()
        self._told = _out_of_place(record)

    def greeting(self) -> bytes | None:
        """It is ready (section 4.2.3)."""
        return f"220 {self._domain} ESMTP\r\n".encode()

    def overrules(self, verb: str, argument: str) -> Improvised | None:
        """A message that is larger than it takes (RFC 1870 section 6.1) or that goes to nobody; TLS within TLS."""
        match verb:
            case "MAIL" if self._limit and (found := _SIZE.search(argument)) and int(found[1]) > self._limit:
                return Improvised((self._say("552", "5.3.4", "Message size exceeds fixed limit"),))
            case "DATA" | "BDAT" if self._sequence.unwanted:
                return self.misplaced(verb, argument)
            case "STARTTLS" if self._sequence.secure:
                return self.misplaced(verb, argument)
            case _:
                return None

    def misplaced(self, verb: str, argument: str) -> Improvised | None:
        """As the order of commands wants it, where the record does not tell what the server wants."""
        found = None if verb in self._told else self._sequence.misplaced(verb)
        return Improvised((self._say(*found),)) if found else None

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """Grant what is harmless and what a message needs; refuse what is unknown as this server does."""
        match verb:
            case "AUTH":
                return self._login(argument)
            case "DATA":
                return Improvised((GO_ON, self._say("250", "2.0.0", self._ok)))
            case "QUIT":
                return Improvised((self._say("221", "2.0.0", "Bye"),), closes=True)
            case _:
                return Improvised((self._reply(verb, argument),))

    def ending(self, exchange: Exchange) -> bytes | None:
        """It sends no messages."""
        return None

    def cancelled(self) -> bytes | None:
        """RFC 4954 section 4: 501."""
        return self._say("501", "5.7.0", "Authentication is cancelled")

    def heard(self, exchange: Exchange) -> None:
        """Learn where the session stands."""
        self._sequence.heard(exchange)

    def secured(self) -> None:
        """Learn that the session begins anew."""
        self._sequence.secured()

    def _reply(self, verb: str, argument: str) -> bytes:
        match verb:
            case "MAIL" | "RCPT" | "RSET" | "NOOP":
                return self._say("250", _STATUS.get(verb, "2.0.0"), self._ok)
            case "EHLO" | "HELO" if self._lmtp:  # RFC 2033 section 4.1
                return self._say("500", "5.5.1", "This is LMTP: say LHLO")
            case "EHLO" | "HELO" | "LHLO":
                return f"250 {self._domain}\r\n".encode()
            case "BDAT":
                return self._say("250", "2.0.0", f"{argument.partition(' ')[0][:18]} octets received")
            case "VRFY":
                return self._say("252", "2.0.0", "Cannot verify, but will take a message")
            case "HELP":
                return self._say("214", "2.0.0", "See RFC 5321")
            case "STARTTLS" if self._tls:
                return self._say("220", "2.0.0", "Ready to start TLS")
            case _ if verb.encode() in VERBS:
                return self._say("502", "5.5.1", "Command not implemented")
            case _:
                return self._unknown()

    def _login(self, argument: str) -> Improvised | None:
        """Grant it where nothing is known of logins; where something is, that holds for all who can be asked."""
        put = challenges.challenges(argument, SIGN)
        if self._mechanisms and (put is not None or challenges.mechanism(argument) in self._mechanisms):
            return None
        if not (self._mechanisms or self._logs_in):
            return Improvised((self._say("503", "5.5.1", "Authentication is not enabled"),))
        if not argument:
            return Improvised((self._say("501", "5.5.4", "AUTH wants a mechanism"),))
        if put is None:
            return Improvised((self._say("504", "5.5.4", "Unrecognized authentication type"),))
        return Improvised((*put, self._say("235", "2.7.0", "Authentication successful")))

    def _unknown(self) -> bytes:
        for exchange in self._exchanges:
            if exchange.command and exchange.verb.encode() not in VERBS and _refused_as_unknown(exchange):
                assert exchange.reply
                return f"{exchange.reply.code} {exchange.reply.text}\r\n".encode("utf-8", "surrogateescape")
        return self._say("500", "5.5.2", "Command not recognized")

    def _say(self, code: str, enhanced: str, text: str) -> bytes:
        status = f"{enhanced} " if self._enhanced else ""
        return f"{code} {status}{text}\r\n".encode("utf-8", "surrogateescape")


def _granted(exchange: Exchange) -> bool:
    return exchange.reply is not None and exchange.reply.positive


def _out_of_place(record: Record) -> frozenset[str]:
    """The commands of the record that came where they cannot come, whatever they were answered."""
    sequence = Sequence()
    found = set()
    for exchange in record.exchanges:
        if sequence.misplaced(exchange.verb):
            found.add(exchange.verb)
        sequence.heard(exchange)
    return frozenset(found)


def _refused_as_unknown(exchange: Exchange) -> bool:
    """Whether it was refused in words that do for others: they repeat neither a secret nor the command."""
    reply = exchange.reply
    if reply is None or reply.code not in {"500", "502"} or Flag.SECRET in exchange.flags:
        return False
    repeats = bool(exchange.verb) and exchange.verb in reply.text.upper()
    return "\n" not in reply.text and "<secret: " not in reply.text and not repeats


def _wording(record: Record) -> str:
    """How the server says that something is fine, of whatever it is: in words of no meaning, or to two verbs."""
    said: dict[str, set[str]] = {}
    for exchange in record.exchanges:
        for reply in exchange.replies[-1:]:
            words = _ENHANCED.sub("", reply.text, count=1)
            if exchange.verb in _SIMPLE and reply.code == "250" and _PLAIN.fullmatch(words):
                said.setdefault(words, set()).add(exchange.verb)
    counted = Counter({words: len(verbs) for words, verbs in said.items() if len(verbs) > 1 or _OK.fullmatch(words)})
    return counted.most_common(1)[0][0] if counted else "Ok"


def _domain(record: Record) -> str:
    """What the server calls itself."""
    for exchange in record.exchanges:
        if exchange.replies and (Flag.GREETING in exchange.flags or exchange.verb in {"EHLO", "HELO", "LHLO"}):
            name = exchange.replies[0].text.split(None, 1)[:1]
            if name and _DOMAIN.fullmatch(name[0]):
                return name[0]
    return "recorded.invalid"


def _limit(record: Record, announced: str) -> int:
    """As many octets as a message may have, as announced (RFC 1870 section 4) and kept to; 0 where that is unknown."""
    limit = int(announced) if announced.isascii() and announced.isdecimal() and len(announced) < 20 else 0
    asked = (_SIZE.search(exchange.argument) for exchange in record.exchanges if exchange.verb == "MAIL")
    return 0 if any(found and int(found[1]) > limit for found in asked) else limit
