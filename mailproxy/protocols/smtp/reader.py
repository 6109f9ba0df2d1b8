"""How SMTP (RFC 5321) and LMTP (RFC 2033) read.

The client's side is a loop over commands; those that the server answers with 354 or 334 hand the move
back, BDAT (RFC 3030) is followed by its octets whatever the server says. The server's side is a loop over
replies, each given to the oldest turn that waits.
"""

import re
from collections.abc import Generator, Set
from typing import ClassVar, Final

from mailproxy.model.exchange import Flag, Reply
from mailproxy.model.octets import Kind, Side, Span
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import NO_FLAGS, SPEECH_LIMIT, Move, Steps, Turn, line_flags, text
from mailproxy.wire.inbox import Inbox

VERBS: Final = frozenset(
    b"HELO EHLO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH ETRN ATRN TURN XCLIENT "
    b"XFORWARD BURL SEND SOML SAML VERB ONEX XEXCH50 X-EXPS".split()
)
REPLY: Final = re.compile(rb"(\d{3})([ -]?)(.*)", re.S)
WHOLE: Final = re.compile(rb"([1-5]\d\d)(?:-[\t -~]*\r\n\1)*(?: [\t -~]*)?\r\n")
_SERVER: Final = Side.SERVER
ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
WRONG_PATH: Final = re.compile(r"MAIL TO:|RCPT FROM:", re.I)
GREETINGS: Final = frozenset({"220"})


class SmtpDialogue(Dialogue):
    """Hears a session of SMTP."""

    known = VERBS
    upgrade = "STARTTLS"
    lmtp: ClassVar[bool] = False

    _accepted = 0  # recipients of the message at hand
    _chunks = False  # the message at hand comes in BDAT chunks, and some has come

    def hear_client(self) -> Steps:
        while True:
            turn = self.ask((yield from self.command_line()))
            match turn.verb:
                case "DATA":
                    yield from self._data(turn)
                case "BDAT":
                    yield from self._bdat(turn)
                case "AUTH":
                    yield from self.sasl(turn)
                case "STARTTLS":
                    yield from self.undecided(turn)
                case "MAIL" | "RCPT" if WRONG_PATH.match(f"{turn.verb} {turn.argument}"):
                    turn.flags.add(Flag.MISPLACED)

    def hear_server(self) -> Steps:
        while True:
            reply, flags = yield from self._reply()
            if reply.code:
                turn = self._addressed(reply)
                if flags:
                    turn.flags |= flags
                self._answer(turn, reply)
            if self.decided:
                yield

    # The client's side.

    def _data(self, turn: Turn) -> Steps:
        yield from self.undecided(turn)
        if turn.move is Move.CLIENT and turn.replies[-1].code != "354":
            yield from self._odd_start(turn)
        if turn.move is not Move.CLIENT:
            return
        self.new_message()
        yield from self.content(turn, self.client, Side.CLIENT, Kind.CONTENT)
        self._delivered(turn)

    def _odd_start(self, turn: Turn) -> Steps:
        """DATA was granted with another code than 354: what comes next shows whether content begins."""
        line = yield from self.command_line()
        self.client.push_back(line.octets)
        words = line.octets.split(None, 1)
        if turn.move is Move.CLIENT and words and words[0].upper() in self.known:
            self.end(turn)
        else:
            turn.flags.add(Flag.ODD_CODE)

    def _bdat(self, turn: Turn) -> Steps:
        """RFC 3030 section 2: exactly so many octets follow at once, granted or refused."""
        size, _, last = turn.argument.partition(" ")
        if not size.isascii() or not size.isdigit():
            turn.flags.add(Flag.UNPARSED)
            return
        if not self._chunks:
            self.new_message()
        self._chunks = last.strip().upper() != "LAST"
        if not self._chunks:
            self._expect(turn)
        yield from self.exactly(turn, self.client, Side.CLIENT, int(size[:18]))
        self.close_content(turn)

    def _delivered(self, turn: Turn) -> None:
        """The content has ended: the replies that tell what became of it are due."""
        if turn.move is Move.CLIENT:
            turn.move = Move.WAITING
            self._expect(turn)
        else:
            self.close_content(turn)

    def _expect(self, turn: Turn) -> None:
        """LMTP gives one reply for each accepted recipient (RFC 2033 section 4.2)."""
        turn.expected = max(1, self._accepted) if self.lmtp else 1
        self._accepted = 0

    def content_is_over(self, turn: Turn, inbox: Inbox) -> int:
        """The server has accepted the message."""
        over = turn.move is Move.DONE and turn.replies and turn.replies[-1].positive
        return len(inbox.buffer) if over and inbox is self.client else -1

    # The server's side.

    def _reply(self) -> Generator[None, None, tuple[Reply, Set[Flag]]]:
        """Wait for a reply of one or more lines (RFC 5321 section 4.2); one without code is no reply."""
        inbox = self.server
        while not inbox.buffer:
            yield
        if self.plain and (whole := WHOLE.match(inbox.buffer)) and whole.end() <= SPEECH_LIMIT:
            start = inbox.position
            octets = inbox.take(whole.end())
            said = "\n".join([each[4:] for each in octets[:-2].decode("ascii").split("\r\n")])
            return self._told(whole[1], said, Span(_SERVER, start, inbox.position)), NO_FLAGS
        line = yield from self.server_line()
        assert line is not None
        found = REPLY.match(line.said)
        if not found:
            self.unparsed(line.octets, line.span)
            return Reply("", "", "", line.span, self.at), set()
        span, code = line.span, found[1]
        flags = set(line_flags(line.octets))
        texts = [found[3]]
        while found is None or found[2] == b"-":
            line = yield from self.server_line(begun=True)
            if line is None:
                flags.add(Flag.UNFINISHED)
                break
            found = REPLY.match(line.said)
            if found and found[1] != code and self.pending and not self.greeted:
                # A greeting that never ends teases clients that do not wait: what comes now is the next reply.
                self.server.push_back(line.octets)
                flags.add(Flag.UNFINISHED)
                break
            flags |= line_flags(line.octets)
            span = Span(Side.SERVER, span.start, line.span.end)
            texts.append(found[3] if found else line.said)
            if found and found[1] != code:
                flags.add(Flag.MIXED_CODES)
                code = found[1]
            elif not found:
                flags.add(Flag.UNPARSED)
        if (found and not found[2] and found[3]) or code[:1] not in b"12345":
            flags.add(Flag.ODD_REPLY)
        said = text(b"\n".join(texts))
        return self._told(code, said, span), flags

    def _told(self, code: bytes, said: str, span: Span) -> Reply:
        enhanced = ENHANCED.match(said)
        return Reply(code.decode(), enhanced[1] if enhanced else "", said, span, self.at)

    def _addressed(self, reply: Reply) -> Turn:
        """The turn that a reply belongs to: the oldest that waits, the greeting's, or one of its own."""
        head = self.pending[0] if self.pending else None
        if not self.greeted:
            self.greeted = True
            if head is None or self.from_start or (reply.code in GREETINGS and head.verb != self.upgrade):
                return self.unasked(Flag.GREETING, reply.span)
        return head or self.unasked(Flag.UNASKED, reply.span)

    def _answer(self, turn: Turn, reply: Reply) -> None:
        match turn.verb, reply.code:
            case "DATA", code if turn.move is Move.WAITING and not turn.replies and code[:1] in {"2", "3"}:
                self.reply(turn, reply, goes_on=True)
            case "DATA", _ if not turn.replies:
                self.reply(turn, reply)
            case "AUTH", "334":
                self.reply(turn, reply, goes_on=True)
            case "RCPT", code:
                self._accepted += code.startswith("2")
                self.reply(turn, reply)
            case "MAIL" | "RSET" | "EHLO" | "HELO" | "LHLO", code:
                self._accepted = 0 if code.startswith("2") else self._accepted
                self.reply(turn, reply)
            case "STARTTLS", "220":
                self.granted(turn)
                self.reply(turn, reply)
            case _:
                self.reply(turn, reply)


class LmtpDialogue(SmtpDialogue):
    """Hears a session of LMTP."""

    lmtp = True
