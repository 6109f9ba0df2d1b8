"""How POP3 reads (RFC 1939; CAPA and response codes: RFC 2449; AUTH: RFC 5034; LANG, UTF8: RFC 6856).

A reply is one line; behind some of the positive ones a listing or a message follows up to its dot. A body
that never ends is the commonest failure of POP3 servers: where the client has gone on, as much has come as
was announced and the server begins to speak anew with a status word, it is taken to have ended there.
"""

import re
from typing import Final

from mailproxy.model.exchange import Flag, Reply
from mailproxy.model.octets import Kind, Side
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Line, Move, Steps, Turn, line_flags, text
from mailproxy.wire.inbox import Inbox

VERBS: Final = frozenset(
    b"USER PASS APOP AUTH STAT LIST RETR DELE NOOP RSET QUIT TOP UIDL CAPA STLS UTF8 LANG LAST RPOP XTND XTLS "
    b"XSENDER HELP IMPL XAUTH".split()
)
STATUS: Final = re.compile(rb"(\+OK|-ERR)(?![A-Za-z])[ \t]*(.*)|(\+)(?: (.*)|)$", re.I | re.S)
ODD_STATUS: Final = re.compile(rb"([+-][A-Za-z]*)[ \t]*(.*)", re.S)
CODE: Final = re.compile(rb"\[([A-Za-z0-9/_.-]+)[^]]*\]")
OCTETS: Final = re.compile(rb"(\d{1,15})\s+(?:octets|bytes)", re.I)
ALWAYS_LONG: Final = frozenset({"RETR", "TOP", "CAPA", "XTND"})
LONG_ALONE: Final = frozenset({"LIST", "UIDL", "LANG", "AUTH"})
MESSAGES: Final = frozenset({"RETR", "TOP"})


class Pop3Dialogue(Dialogue):
    """Hears a session of POP3."""

    known = VERBS
    upgrade = "STLS"

    _gone_on = -1  # where the server's stream stood when the client spoke last

    def hear_client(self) -> Steps:
        while True:
            line = yield from self.command_line()
            self._gone_on = self.server.position + len(self.server.buffer)
            turn = self.ask(line)
            match turn.verb:
                case "USER" | "APOP":
                    self.suspicious = True
                    self.user = turn.argument.split(" ")[0] or self.user
                case "AUTH" if turn.argument:
                    yield from self.sasl(turn)
                case "STLS":
                    yield from self.undecided(turn)
                case "XTND" if turn.argument.upper().startswith("XMIT"):
                    yield from self._xmit(turn)

    def hear_server(self) -> Steps:
        while True:
            line = yield from self.server_line()
            assert line is not None
            reply = self._status(line)
            if reply is None:
                self.unparsed(line.octets, line.span)
                continue
            turn = self._addressed(reply)
            turn.flags.update(line_flags(line.octets))
            if not STATUS.match(line.said):
                turn.flags.add(Flag.ODD_REPLY)
            if reply.code == "+OK" and is_long(turn.verb, turn.argument):
                yield from self._listing(turn, reply)
            else:
                self._answer(turn, reply)
            if self.decided:
                yield

    # The client's side.

    def _xmit(self, turn: Turn) -> Steps:
        """XTND XMIT: the client sends a message as in SMTP, once it was told +OK."""
        yield from self.undecided(turn)
        if turn.move is Move.CLIENT:
            self.new_message()
            yield from self.content(turn, self.client, Side.CLIENT, Kind.CONTENT)
            turn.move = Move.WAITING

    # The server's side.

    def _status(self, line: Line) -> Reply | None:
        found = STATUS.match(line.said)
        if found and found[3]:
            return Reply("+", "", text(found[4] or b""), line.span, self.at)
        found = found or ODD_STATUS.match(line.said)
        if not found:
            return None
        said = found[2] or b""
        code = CODE.match(said)
        return Reply(text(found[1]).upper(), text(code[1]).upper() if code else "", text(said), line.span, self.at)

    def _addressed(self, reply: Reply) -> Turn:
        head = self.pending[0] if self.pending else None
        if not self.greeted:
            self.greeted = True
            if head is None or self.from_start:
                return self.unasked(Flag.GREETING, reply.span)
        return head or self.unasked(Flag.UNASKED, reply.span)

    def _listing(self, turn: Turn, reply: Reply) -> Steps:
        announced = OCTETS.search(reply.text.encode("utf-8", "surrogateescape"))
        message = turn.verb in MESSAGES
        turn.announced = int(announced[1]) if announced and message else None
        turn.replies.append(reply)
        self.new_message()
        yield from self.content(turn, self.server, Side.SERVER, Kind.CONTENT if message else Kind.SPEECH)
        self.end(turn)

    def _answer(self, turn: Turn, reply: Reply) -> None:
        match turn.verb, reply.code:
            case "AUTH", "+":
                self.reply(turn, reply, goes_on=True)
            case "XTND", "+OK" if not turn.replies:
                self.reply(turn, reply, goes_on=True)
            case "STLS", "+OK":
                self.granted(turn)
                self.reply(turn, reply)
            case "PASS" | "APOP" | "RPOP", "+OK":
                self.suspicious = False
                self.reply(turn, reply)
            case _:
                self.reply(turn, reply)

    def content_is_over(self, turn: Turn, inbox: Inbox) -> int:
        """The client has gone on and the server speaks anew, all that was announced having come."""
        at = self._gone_on - inbox.position
        if inbox is not self.server or len(self.pending) < 2 or not 0 <= at < len(inbox.buffer):
            return -1
        anew = STATUS.match(inbox.buffer, at)
        if not anew or not anew[1] or inbox.buffer[at - 1 : at] not in {b"\n", b""}:
            return -1
        come = self._gone_on - turn.replies[-1].span.end
        return at if come >= (turn.announced or 0) else -1


def is_long(verb: str, argument: str) -> bool:
    """Whether a positive reply is followed by lines up to a dot (RFC 1939 section 3, RFC 2449 section 5)."""
    if verb == "XTND":
        return not argument.upper().startswith("XMIT")
    return verb in ALWAYS_LONG or (verb in LONG_ALONE and not argument)
