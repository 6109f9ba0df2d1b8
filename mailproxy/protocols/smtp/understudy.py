"""What an SMTP server says where nobody recorded it (RFC 5321 section 4.2): in the recorded server's manner."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.protocols import challenges
from mailproxy.protocols.answering import Improvised, Record
from mailproxy.protocols.smtp.reader import VERBS

SIGN: Final = b"334 "
GO_ON: Final = b"354 End data with <CR><LF>.<CR><LF>\r\n"
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\s*")
_PLAIN: Final = re.compile(r"[A-Za-z][\w ,.]{0,30}")
_DOMAIN: Final = re.compile(r"[\w.-]+\.[\w-]+|localhost")
_SIMPLE: Final = frozenset({"MAIL", "RCPT", "RSET", "NOOP"})
_STATUS: Final = {"MAIL": "2.1.0", "RCPT": "2.1.5"}


class SmtpUnderstudy:
    """Says enhanced status codes (RFC 2034) and `Ok` as the recorded server does."""

    def __init__(self, record: Record) -> None:
        replies = [reply for exchange in record.exchanges for reply in exchange.replies]
        self._exchanges = record.exchanges
        self._tls = record.tls or _offers(record, "STARTTLS")
        self._logs_in = _offers(record, "AUTH")
        logins = [exchange.argument for exchange in record.exchanges if exchange.verb == "AUTH" and exchange.replies]
        self._mechanisms = set(map(challenges.mechanism, logins))
        self._enhanced = any(reply.enhanced for reply in replies) or not replies
        self._ok = _wording(record)
        self._domain = _domain(record)
        self._granted = self._refused = False  # whether a recipient was

    def greeting(self) -> bytes | None:
        """It is ready (section 4.2.3)."""
        return f"220 {self._domain} ESMTP\r\n".encode()

    def answer(self, verb: str, argument: str) -> Improvised | None:
        """Grant what is harmless and what a message needs; refuse what is unknown as this server does."""
        match verb:
            case "AUTH":
                return self._login(argument)
            case "DATA" | "BDAT" if self._unwanted:
                return Improvised((self._say("554", "5.5.1", "No valid recipients"),))
            case "DATA":
                return Improvised((GO_ON, self._say("250", "2.0.0", self._ok)))
            case "QUIT":
                return Improvised((self._say("221", "2.0.0", "Bye"),), closes=True)
            case _:
                return Improvised((self._reply(verb, argument),))

    def cancelled(self) -> bytes | None:
        """RFC 4954 section 4: 501."""
        return self._say("501", "5.7.0", "Authentication is cancelled")

    def heard(self, exchange: Exchange) -> None:
        """Learn whether all recipients were refused: then no message is wanted (RFC 5321 section 3.3)."""
        granted = exchange.reply is not None and exchange.reply.positive
        match exchange.verb:
            case "RCPT" if granted:
                self._granted = True
            case "RCPT":
                self._refused = True
            case "MAIL" | "RSET" | "EHLO" | "HELO" | "LHLO" if granted:
                self._granted = self._refused = False
            case _:
                pass

    @property
    def _unwanted(self) -> bool:
        return self._refused and not self._granted

    def _reply(self, verb: str, argument: str) -> bytes:
        match verb:
            case "MAIL" | "RCPT" | "RSET" | "NOOP":
                return self._say("250", _STATUS.get(verb, "2.0.0"), self._ok)
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


def _refused_as_unknown(exchange: Exchange) -> bool:
    reply = exchange.reply
    if reply is None or reply.code not in {"500", "502"} or Flag.SECRET in exchange.flags:
        return False
    return "\n" not in reply.text and "<secret: " not in reply.text


def _wording(record: Record) -> str:
    """How the server says that something is fine."""
    for exchange in record.exchanges:
        for reply in exchange.replies[-1:]:
            said = _ENHANCED.sub("", reply.text, count=1)
            if exchange.verb in _SIMPLE and reply.code == "250" and _PLAIN.fullmatch(said):
                return said
    return "Ok"


def _domain(record: Record) -> str:
    """What the server calls itself."""
    for exchange in record.exchanges:
        if exchange.replies and (Flag.GREETING in exchange.flags or exchange.verb in {"EHLO", "HELO", "LHLO"}):
            name = exchange.replies[0].text.split(None, 1)[:1]
            if name and _DOMAIN.fullmatch(name[0]):
                return name[0]
    return "recorded.invalid"


def _offers(record: Record, keyword: str) -> bool:
    """Whether EHLO was answered with this keyword."""
    return any(
        line.upper().replace("=", " ").split(" ")[0] == keyword
        for exchange in record.exchanges
        if exchange.verb in {"EHLO", "LHLO"}
        for reply in exchange.replies[:1]
        for line in reply.text.split("\n")[1:]
    )
