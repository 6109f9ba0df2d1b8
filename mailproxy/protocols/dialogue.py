"""The dialogue of one session, heard from between its peers.

Each protocol reads both sides with a generator a side that looks like the protocol's RFC: it waits for a
line, a count of octets, the end of a content, or for the other side to decide what comes next. Whatever
arrives, in whatever pieces, the generators are run until both are short of octets. They raise on nothing
that a peer can say.

**Turns.** A command opens a `Turn`. Turns are answered in order. While one waits (WAITING) the next reply
is its; where a reply asks the client to go on (354, 334, `+ `) it is the client's move (CLIENT) until the
client has made it; a reply that ends it makes it DONE, and the exchange is told.

**Undecided octets.** A client that does not wait may send what is content if the server says 354, and
commands if it does not. Such octets are settled line by line as if they were commands, secrets masked, and
pushed back when the reply has come.

**What is noted.** Frames are made of what the inboxes settle, in recorded form, in the order of arrival: so
the same dialogue, fed with frames that were recorded or with the lines of a transcript, hears the same.
"""

import re
from collections.abc import Generator
from typing import ClassVar, Final

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Flag, Reply
from mailproxy.model.mask import mark
from mailproxy.model.octets import Mark, Note, Side, Span
from mailproxy.protocols import secrets
from mailproxy.protocols.contents import Contents
from mailproxy.protocols.turn import Keep, Line, Move, Steps, Turn, Upgrade, line_flags, text

LOGINS: Final = frozenset({"AUTH", "USER", "PASS", "APOP", "RPOP"})
STRAY_SHOWN: Final = 256
VERB: Final = re.compile(r"[A-Za-z0-9-]{1,20}")
NOT_MAIL: Final = frozenset({"GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "PROXY", "SSH-2"})


def command(line: Line) -> tuple[str, str]:
    """The verb of a command line in upper case and its argument; no verb where the line begins with none."""
    said = text(line.said).strip(" \t")
    verb, _, argument = said.partition(" ")
    if not VERB.fullmatch(verb):
        return "", said
    return verb.upper(), argument.strip(" \t")


class Dialogue(Contents):
    """Hears both sides of a session and tells exchanges and frames.

    `known` are the verbs of the protocol in upper case; `exchanges` are those that have ended since the
    caller last cleared the list.
    """

    upgrade: ClassVar[str] = ""

    def ask(self, line: Line) -> Turn:
        """Open the turn of a command."""
        verb, argument = command(line)
        turn = self._turn(verb, argument, line.span)
        if self.suspicious and verb not in LOGINS and verb.encode() in self.known:
            self.suspicious = False
        if not self.greeted:
            turn.flags.add(Flag.EARLY)
        if line.masked or b"<secret: " in line.octets:
            turn.flags.add(Flag.SECRET)
        turn.flags.update(line_flags(line.octets))
        if not verb:
            turn.flags.add(Flag.UNPARSED)
        elif verb in NOT_MAIL:
            turn.flags.add(Flag.NOT_MAIL)
        elif verb == "QUIT":
            self.quit = True
        self.pending.append(turn)
        return turn

    def reply(self, turn: Turn, reply: Reply, goes_on: bool = False) -> None:
        """Give a turn its next reply; `goes_on` where it hands the move to the client."""
        turn.replies.append(reply)
        if goes_on:
            turn.move = Move.CLIENT
        else:
            turn.expected -= 1
            if turn.expected <= 0:
                self.end(turn)
        self.decided = self.waiting

    def end(self, turn: Turn) -> None:
        """End a turn; it is told once its content has ended too."""
        turn.move = Move.DONE
        if self.pending and self.pending[0] is turn:
            self.pending.popleft()
        elif turn in self.pending:
            self.pending.remove(turn)
        if not turn.open:
            self._tell(turn)

    def unasked(self, flag: Flag, span: Span) -> Turn:
        """Open a turn that no command began, at the front."""
        turn = self._turn("", "", None)
        if flag is Flag.GREETING:
            turn.number, self._count = 0, turn.number
        turn.flags.add(flag)
        self.pending.appendleft(turn)
        return turn

    def unparsed(self, octets: bytes, span: Span) -> None:
        """Tell octets of the server that are no reply."""
        turn = self._turn("", "", None)
        turn.flags.add(Flag.UNPARSED)
        turn.flags |= line_flags(octets)
        turn.replies.append(Reply("", "", text(secrets.body(octets)), span, self.at))
        self._tell(turn)

    def granted(self, turn: Turn) -> None:
        """Hear that both sides begin TLS behind what was read so far.

        Octets that stand there in clear are the hole of CVE-2011-0411: where TLS is taken apart they go nowhere.
        """
        if self.server.buffer:
            turn.flags.add(Flag.STRAY)
        if not self.apart:
            self._may_be_tls = dict.fromkeys(Side, True)
            return
        if behind := self.released():
            turn.flags.add(Flag.STRAY)
            self._notes.append(self.stray(Side.CLIENT, behind))
        if behind := self.server.cut():
            self._dropped = len(behind)
            self._notes.append(self.stray(Side.SERVER, behind))
        self.upgrade_turn = Upgrade.GRANTED

    def stray(self, side: Side, octets: bytes) -> Note:
        """Tell of octets that stood where TLS was to begin; what may be a secret is not repeated."""
        said = secrets.shown(octets, self.known, self.open_helo) if side is Side.CLIENT else octets
        for secret in self.secrets:
            said = said.replace(secret, mark("repeated by the server"))
        where = f"{len(octets)} octet{'s' * (len(octets) != 1)} of the {side} behind {self.upgrade}"
        return Note(Mark.TROUBLE, f"dropped {where}: {escape(said[:STRAY_SHOWN])}", self.at)

    def stray_noted(self) -> None:
        """Flag the wish for TLS behind which octets went nowhere: the one that nobody has answered, or the last one."""
        for turn in self.pending:
            if turn.verb == self.upgrade:
                turn.flags.add(Flag.STRAY)
                return
        for index in range(len(self.exchanges) - 1, -1, -1):
            exchange = self.exchanges[index]
            if exchange.verb == self.upgrade:
                self.exchanges[index] = exchange._replace(flags=exchange.flags | {Flag.STRAY})
                return

    def upgrading(self, turn: Turn) -> Steps:
        """Read nothing behind a wish for TLS before the server has answered it."""
        self._behind = self.client.cut()
        self.upgrade_turn = Upgrade.ASKED
        self.waiting = True
        while self._awaited(turn):
            yield
        self.waiting = False
        if self._behind is not None and not self._over:
            self.upgrade_turn = Upgrade.REFUSED

    def sasl(self, turn: Turn) -> Steps:
        """Read an AUTH exchange (RFC 4954 section 4, RFC 5034 section 4): until it ends, nothing the client sends is
        a command, and all of it is secret."""
        self.suspicious = True
        mechanism, _, initial = turn.argument.partition(" ")
        name = mechanism.upper() if mechanism.upper() in secrets.MECHANISMS else "SASL"
        step = 1 if initial else 0
        while True:
            yield from self.undecided(turn)
            if turn.move is not Move.CLIENT:
                return
            line = yield from self.sasl_line(turn, name, step)
            if line is None:
                return
            turn.extra.append(line.span)
            turn.flags.update(line_flags(line.octets))
            if line.masked:
                turn.flags.add(Flag.SECRET)
            turn.move = Move.WAITING
            step += 1

    def sasl_line(self, turn: Turn, mechanism: str, step: int) -> Generator[None, None, Line | None]:
        """Wait for a client's response; None where the server ended the exchange before it was whole."""
        reading = self.client.line()
        self.waiting = True
        while turn.move is Move.CLIENT and not self._over:
            try:
                next(reading)
            except StopIteration as stop:
                self.waiting = False
                line = self.client.buffer[: stop.value]
                return self._conceal(stop.value, secrets.response(line, mechanism, step))
            yield
        self.waiting = False
        return None

    def undecided(self, turn: Turn) -> Steps:
        """Wait until the server has answered; octets that come meanwhile are settled as commands."""
        if self.apart and turn.verb == self.upgrade and not self.client.gone_on:
            yield from self.upgrading(turn)
            return
        taken: list[bytes] = []
        content = turn.verb == "DATA" and self.terms.content is not Keep.FULL
        reading = self.command_line()
        self.waiting = True
        while self._awaited(turn):
            if self.client.buffer:
                turn.flags.add(Flag.STRAY if turn.verb == self.upgrade else Flag.EARLY)
            if self.client.buffer and not content:
                try:
                    next(reading)
                except StopIteration as stop:
                    taken.append(stop.value.octets)
                    self._suspect(stop.value)
                    reading = self.command_line()
                    continue
            yield
        self.waiting = False
        if taken:
            self.client.push_back(b"".join(taken))

    def _suspect(self, line: Line) -> None:
        """Behind AUTH, words that are no verbs may be responses; what is read before its time is masked like them."""
        verb, argument = command(line)
        if verb == "AUTH" and argument.partition(" ")[0].upper() in secrets.MECHANISMS:
            self.suspicious = True
        elif verb.encode() in self.known:
            self.suspicious = False

    def _awaited(self, turn: Turn) -> bool:
        """Whether the server may still answer. One that has ended will grant no TLS."""
        ended = turn.verb == self.upgrade and self.server.closed
        return turn.move is Move.WAITING and not self._over and not ended
