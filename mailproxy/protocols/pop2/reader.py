"""How POP2 reads (RFC 937): a line asks, a line answers, but RETR, which is answered by counted octets."""

import re
from typing import Final

from mailproxy.model.exchange import Flag, Reply
from mailproxy.model.octets import Kind, Side
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Line, Steps, Turn, line_flags, text

VERBS: Final = frozenset(b"HELO FOLD READ RETR ACKS ACKD NACK QUIT".split())
SIGN: Final = re.compile(rb"([+\-#=])\s*(.*)", re.S)
NUMBER: Final = re.compile(r"\d{1,15}")


class Pop2Dialogue(Dialogue):
    """Hears a session of POP2. `=c` announces the octets that the next RETR is answered with, unless the folder is
    changed before it."""

    known = VERBS
    open_helo = False

    _announced: int | None = None

    def hear_client(self) -> Steps:
        while True:
            turn = self.ask((yield from self.command_line()))
            if turn.verb == "HELO":
                self.user = turn.argument.split(" ")[0] or self.user

    def hear_server(self) -> Steps:
        while True:
            yield from self.server_octets()
            if self.greeted and self.pending and self.pending[0].verb == "RETR" and self._announced is not None:
                yield from self._message(self.pending[0], self._announced)
                continue
            line = yield from self.server_line()
            assert line is not None
            found = SIGN.match(line.said)
            if not found:
                self.unparsed(line.octets, line.span)
                continue
            self._answer(line, found)
            if self.decided:
                yield

    def _message(self, turn: Turn, size: int) -> Steps:
        self._announced = None
        self.new_message()
        yield from self.exactly(turn, self.server, Side.SERVER, size, Kind.CONTENT)
        self.end(turn)

    def _answer(self, line: Line, found: re.Match[bytes]) -> None:
        code, said = text(found[1]), text(found[2])
        reply = Reply(code, "", said, line.span, self.at)
        number = NUMBER.match(said)
        if code in {"=", "#"}:
            self._announced = int(number[0]) if number and code == "=" else None
        turn = self._addressed(reply)
        turn.flags.update(line_flags(line.octets))
        if code in {"#", "="} and not number:
            turn.flags.add(Flag.ODD_REPLY)
        self.reply(turn, reply)

    def _addressed(self, reply: Reply) -> Turn:
        head = self.pending[0] if self.pending else None
        if not self.greeted:
            self.greeted = True
            if head is None or self.from_start or (reply.code in {"+", "-"} and head.verb == "HELO"):
                return self.unasked(Flag.GREETING, reply.span)
        return head or self.unasked(Flag.UNASKED, reply.span)
