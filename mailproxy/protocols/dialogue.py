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
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Set
from enum import Enum, StrEnum
from typing import ClassVar, Final, NamedTuple

from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.mask import mark
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.protocols import secrets
from mailproxy.protocols.secrets import Secret
from mailproxy.wire import dots, telnet
from mailproxy.wire.hello import Handshake
from mailproxy.wire.inbox import LINE_LIMIT, Inbox

Steps = Generator[None, None, None]
TLS_RECORDS: Final = frozenset({0x14, 0x15, 0x16, 0x17})
LOGINS: Final = frozenset({"AUTH", "USER", "PASS", "APOP", "RPOP"})
HARMLESS: Final = frozenset(verb + end for verb in secrets.OPEN_VERBS for end in (b" ", b"\r"))
NO_FLAGS: Final[frozenset[Flag]] = frozenset()
_CLIENT: Final = Side.CLIENT
_SERVER: Final = Side.SERVER
LOOK_BACK: Final = 65_536
SPEECH_LIMIT: Final = 512
USER: Final = re.compile(r", user ([^,<> ]+)(?:[,>]|$)")
BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
BLANK_AT_MOST: Final = 4
EMPTY_HEADERS: Final = re.compile(rb"\r?\n")


class Keep(StrEnum):
    """How much of a message is recorded."""

    FULL = "full"
    HEADERS = "headers"
    NONE = "none"


class Terms(NamedTuple):
    """What the owner of a recording wants kept in it."""

    secrets: bool = False
    content: Keep = Keep.FULL


MASKED: Final = Terms()
"""What holds where nobody says otherwise."""


class Move(Enum):
    """Whose move a turn is."""

    WAITING = 0
    CLIENT = 1
    DONE = 2


class Heard(NamedTuple):
    """What came of some octets: what to note, what to hand to the other peer, what to answer at once."""

    entries: list[Entry]
    forward: bytes
    answer: bytes = b""


class Line(NamedTuple):
    """A line in recorded form, its line end included, and where it stands."""

    octets: bytes
    span: Span
    masked: bool

    @property
    def said(self) -> bytes:
        """The line without its line end."""
        return secrets.body(self.octets)


class Turn:
    """An exchange that is still going on."""

    __slots__ = (
        "announced", "argument", "at", "command", "content", "expected", "extra", "flags", "move", "number", "open",
        "replies", "verb",
    )  # fmt: skip

    def __init__(self, number: int, verb: str, argument: str, command: Span | None, at: int) -> None:
        self.number = number
        self.verb = verb
        self.argument = argument
        self.command = command
        self.at = at
        self.replies: list[Reply] = []
        self.content: Content | None = None
        self.extra: list[Span] = []
        self.flags: set[Flag] = set()
        self.move = Move.WAITING
        self.expected = 1  # final replies that are still to come
        self.open = False  # its content has begun and not ended
        self.announced: int | None = None

    def exchange(self) -> Exchange:
        """What it has come to."""
        return Exchange(
            self.number, self.verb, self.argument, self.command, self.at,
            tuple(self.replies), self.content, tuple(self.extra), frozenset(self.flags),
        )  # fmt: skip


class Dialogue(ABC):
    """Hears both sides of a session and tells exchanges and frames.

    `known` are the verbs of the protocol in upper case; `exchanges` are those that have ended since the
    caller last cleared the list.
    """

    known: ClassVar[frozenset[bytes]] = frozenset()
    open_helo: ClassVar[bool] = True
    upgrade: ClassVar[str] = ""

    def __init__(self, terms: Terms = MASKED) -> None:
        self.terms = terms
        self.exchanges: list[Exchange] = []
        self.pending: deque[Turn] = deque()
        self.client = Inbox()
        self.server = Inbox()
        self.at = 0
        self.greeted = False
        self.from_start = True  # what is heard begins with the connection, so the first reply is the greeting
        self.quit = False
        self.user = ""
        self.keep = terms.content  # of the message at hand
        self.suspicious = False  # an unknown word may be a secret typed in the wrong place
        self.secrets: set[bytes] = set()
        self._count = 1  # 0 is the greeting, whenever it comes
        self._over = False
        self.waiting = False  # the client's reader waits for the server to decide
        self.decided = False
        self._held = b""
        self._commanding = True
        self._runs_on = False
        self._may_be_tls = {Side.CLIENT: True, Side.SERVER: False}
        self._handshake: Handshake | None = None
        self._notes: list[Note] = []
        self._opaque_sides: set[Side] = set()
        self._client_steps = self._whole(self.hear_client(), Side.CLIENT)
        self._server_steps = self._whole(self.hear_server(), Side.SERVER)
        next(self._client_steps)
        next(self._server_steps)

    # What a protocol says of itself.

    @abstractmethod
    def hear_client(self) -> Steps:
        """Read the client's side."""

    @abstractmethod
    def hear_server(self) -> Steps:
        """Read the server's side."""

    # What the relay and the readers of recordings call.

    def feed(self, side: Side, octets: bytes, at: int) -> Heard:
        """Hear what a peer said `at` so many microseconds."""
        self.at = at
        if side is not _CLIENT:
            self.server.feed(octets)
            next(self._server_steps)
            if self.decided:
                self._settle_decision()
        elif self._held or b"\xff" in octets:
            return self._feed_telnet(octets)
        else:
            self.client.feed(octets)
            next(self._client_steps)
        return Heard(self._entries(side), octets)

    def feed_gap(self, side: Side, length: int, kind: Kind, at: int) -> None:
        """Count octets of content that were omitted from a record, or octets that were opaque."""
        self.at = at
        inbox = self._inbox(side)
        if kind is Kind.OPAQUE:
            self.close(side, at)
            inbox.closed = False
            inbox.skip(length, kind)
            return
        inbox.gap = True
        while length > 0:
            self.feed(side, b"x" * min(length, LINE_LIMIT), at)
            length -= LINE_LIMIT
        inbox.gap = False

    def close(self, side: Side, at: int) -> Heard:
        """Hear that a peer has ended its stream: what was broken off is read as far as it goes."""
        self.at = at
        self._inbox(side).closed = True
        if side is Side.SERVER:
            next(self._server_steps)
            self._settle_decision()
            return Heard(self._entries(side), b"")
        held, self._held = self._held, b""
        self._feed_client(held)
        return Heard(self._entries(side), held)

    def finish(self, at: int) -> list[Entry]:
        """Hear that the session is over: turns that earned no reply are told as they stand."""
        entries = self.close(Side.CLIENT, at).entries
        entries += self.close(Side.SERVER, at).entries
        self._over = True
        next(self._client_steps)
        entries += self._entries(Side.CLIENT)
        while self.pending:
            turn = self.pending.popleft()
            if turn.open:
                turn.flags.add(Flag.UNFINISHED)
            turn.open = False
            self._tell(turn)
        self._client_steps.close()
        self._server_steps.close()
        return entries

    # Turns.

    def ask(self, line: Line, verb: str, argument: str) -> Turn:
        """Open the turn of a command."""
        turn = self._turn(verb, argument, line.span)
        if self.suspicious and verb not in LOGINS and verb.encode("utf-8", "surrogateescape") in self.known:
            self.suspicious = False
        if not self.greeted:
            turn.flags.add(Flag.EARLY)
        if line.masked or b"<secret: " in line.octets:
            turn.flags.add(Flag.SECRET)
        turn.flags.update(line_flags(line.octets))
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

    # What the readers are written in.

    def command_line(self) -> Generator[None, None, Line]:
        """Wait for a command line of the client, its secrets masked."""
        inbox = self.client
        while not inbox.buffer:
            yield
        if self._may_be_tls[_CLIENT]:
            yield from self._opaque(_CLIENT)
        if end := inbox.buffer.find(b"\n", 0, LINE_LIMIT) + 1:
            return self._settle_line(end)
        reading = inbox.line()
        while True:
            try:
                next(reading)
            except StopIteration as stop:
                return self._settle_line(stop.value)
            self._settle_start()
            yield

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

    def undecided(self, turn: Turn) -> Steps:
        """Wait until the server has answered; octets that come meanwhile are settled as commands."""
        taken: list[bytes] = []
        content = turn.verb == "DATA" and self.terms.content is not Keep.FULL
        reading = self.command_line()
        self.waiting = True
        while turn.move is Move.WAITING and not self._over:
            if self.client.buffer:
                turn.flags.add(Flag.STRAY if turn.verb == self.upgrade else Flag.EARLY)
            if self.client.buffer and not content:
                try:
                    next(reading)
                except StopIteration as stop:
                    taken.append(stop.value.octets)
                    reading = self.command_line()
                    continue
            yield
        self.waiting = False
        if taken:
            self.client.push_back(b"".join(taken))

    def content(self, turn: Turn, inbox: Inbox, side: Side, kind: Kind) -> Steps:
        """Read a content up to its dot; the turn's content tells where it stood and whether its end was seen."""
        start = inbox.position
        recent: deque[bytes] = deque()
        held = 0
        first = True
        turn.open = True
        self.waiting = side is Side.CLIENT
        self._commanding = side is Side.SERVER
        while True:
            end = dots.find_end(inbox.buffer, first)
            if end >= 0:
                self._keep(inbox, end, kind, first)
                turn.content = Content(Span(side, start, inbox.position), True, turn.announced)
                break
            if inbox.closed or self._over:
                self._keep(inbox, len(inbox.buffer), kind, first)
                turn.content = Content(Span(side, start, inbox.position), False, turn.announced)
                turn.flags.add(Flag.UNFINISHED)
                break
            if (over := self.content_is_over(turn, inbox)) >= 0:
                self._resynchronise(turn, inbox, b"".join(recent), Span(side, start, over), kind)
                break
            body = len(inbox.buffer) - dots.TAIL
            if body > 0:
                taken = self._keep(inbox, body, kind, first)
                recent.append(taken)
                held += len(taken)
                while held - len(recent[0]) > LOOK_BACK:
                    held -= len(recent.popleft())
                first = False
            if self._keeping(kind) is Keep.FULL:
                inbox.settle(len(inbox.buffer), kind)
            yield
        self.waiting = False
        self._commanding = True
        turn.open = False

    def content_is_over(self, turn: Turn, inbox: Inbox) -> int:
        """Up to which index of the buffer the content goes, where the server acts as if it had ended; else -1."""
        return -1

    def exactly(self, turn: Turn, inbox: Inbox, side: Side, count: int, kind: Kind = Kind.CONTENT) -> Steps:
        """Read exactly `count` octets of content."""
        start = inbox.position
        left = count
        turn.open = True
        self._commanding = side is Side.SERVER
        while left:
            have = len(inbox.buffer)
            hold = BLANK_AT_MOST - 1 if self._keeping(kind) is Keep.HEADERS and have < left and not inbox.closed else 0
            if have > hold:
                left -= len(self._keep(inbox, min(left, have - hold), kind, left == count))
            elif inbox.closed or self._over:
                turn.flags.add(Flag.SHORT)
                break
            else:
                yield
        turn.content = Content(Span(side, start, inbox.position), not left, count)
        self._commanding = True
        turn.open = False

    def close_content(self, turn: Turn) -> None:
        """Tell a turn whose replies had all come before its content ended."""
        if turn.move is Move.DONE:
            self._tell(turn)

    def new_message(self) -> None:
        """Hear that the next content begins a message."""
        self.keep = self.terms.content

    def granted(self) -> None:
        """Hear that both sides begin TLS behind what was read so far."""
        self._may_be_tls = dict.fromkeys(Side, True)

    @property
    def plain(self) -> bool:
        """Whether the server's next octets can be read as they stand: no TLS may begin, no secret is to be masked."""
        return not (self.secrets or self._may_be_tls[_SERVER])

    def server_octets(self) -> Steps:
        """Wait until the server has said something that is not TLS."""
        while not self.server.buffer:
            yield
        if self._may_be_tls[Side.SERVER]:
            yield from self._opaque(Side.SERVER)

    def server_line(self, begun: bool = False) -> Generator[None, None, Line | None]:
        """Wait for a line of the server, with the secrets that it repeats masked.

        Where a reply has `begun`, None says that the server ended before the line.
        """
        inbox = self.server
        while not inbox.buffer:
            if begun and inbox.closed:
                return None
            yield
        if self._may_be_tls[_SERVER]:
            yield from self._opaque(_SERVER)
        length = inbox.buffer.find(b"\n", 0, LINE_LIMIT) + 1
        if not length:
            reading = inbox.line()
            while not length:
                try:
                    next(reading)
                except StopIteration as stop:
                    length = stop.value
                    break
                if not self.secrets:
                    inbox.settle(len(inbox.buffer))
                yield
        if self.secrets and not self.terms.secrets:
            length = self._conceal_echoes(length)
        start = inbox.position
        octets = inbox.take(length)
        return Line(octets, Span(_SERVER, start, inbox.position), False)

    # Inside.

    def _whole(self, steps: Steps, side: Side) -> Steps:
        """A protocol's reader; should it fail, the octets go on and are counted, and the record says so."""
        try:
            yield from steps
        except Exception as failure:  # a bug of ours must not end a session
            what = f"mailproxy could not read on ({type(failure).__name__}); octets of the {side} are only counted"
            self._notes.append(Note(Mark.TROUBLE, what, self.at))
        inbox = self._inbox(side)
        while True:
            inbox.omit(len(inbox.buffer), Kind.OPAQUE)
            yield

    def _settle_decision(self) -> None:
        """The client's reader waited for what the server said: run it, and the server's again, until neither waits."""
        while self.decided:
            self.decided = False
            next(self._client_steps)
            next(self._server_steps)

    def _opaque(self, side: Side) -> Steps:
        """Where TLS begins, read it for ever; the handshake tells what it shows in clear."""
        inbox = self._inbox(side)
        self._may_be_tls[side] = False
        if inbox.buffer[0] not in TLS_RECORDS or inbox.gap:
            return
        self._may_be_tls[side.other] = not self._opaque_sides
        self._opaque_sides.add(side)
        self._handshake = self._handshake or Handshake()
        while True:
            yield from inbox.some()
            octets = inbox.omit(len(inbox.buffer), Kind.OPAQUE)
            for fact in self._handshake.hear(side, octets):
                self._notes.append(Note(Mark.TROUBLE if fact.trouble else Mark.FACT, fact.text, self.at))
            yield

    def _inbox(self, side: Side) -> Inbox:
        return self.client if side is Side.CLIENT else self.server

    def _turn(self, verb: str, argument: str, command: Span | None) -> Turn:
        turn = Turn(self._count, verb, argument, command, self.at)
        self._count += 1
        return turn

    def _tell(self, turn: Turn) -> None:
        self.exchanges.append(turn.exchange())

    def _entries(self, side: Side) -> list[Entry]:
        at = self.at
        inbox, other = (self.client, self.server) if side is _CLIENT else (self.server, self.client)
        entries: list[Entry] = [
            Frame(side, octets, at, start, wire, kind) for kind, start, octets, wire in inbox.pieces()
        ]
        if other.unread:
            side = side.other
            entries += [Frame(side, octets, at, start, wire, kind) for kind, start, octets, wire in other.pieces()]
        if self._notes:
            entries += self._notes
            self._notes = []
        return entries

    def _feed_client(self, octets: bytes) -> None:
        self.client.feed(octets)
        next(self._client_steps)

    def _feed_telnet(self, octets: bytes) -> Heard:
        """Hear octets that 0xFF is among: data in a content, perhaps a telnet command where commands are read."""
        rest, self._held = self._held + octets, b""
        forward = bytearray()
        answer = bytearray()
        entries: list[Entry] = []
        while rest:
            length = self._dataward(rest)
            if length:
                self._feed_client(rest[:length])
                forward += rest[:length]
                rest = rest[length:]
                continue
            match telnet.parse(rest):
                case telnet.Short():
                    self._held, rest = rest, b""
                case telnet.Telnet(length=length, answer=owed):
                    entries += self._entries(Side.CLIENT)
                    entries += self._negotiated(rest[:length], owed)
                    answer += owed
                    rest = rest[length:]
                case None:
                    length = 2 if rest[:2] == b"\xff\xff" else 1
                    self._feed_client(rest[:length])
                    forward += rest[:length]
                    rest = rest[length:]
        entries += self._entries(Side.CLIENT)
        return Heard(entries, bytes(forward), bytes(answer))

    def _dataward(self, octets: bytes) -> int:
        """How many of the octets can be heard before a telnet command may begin; 0 where one may begin here."""
        if Side.CLIENT in self._opaque_sides:
            return len(octets)
        if self._commanding:
            found = octets.find(telnet.IAC)
            return found if found >= 0 else len(octets)
        line = octets.find(b"\n") + 1
        if not line or line == len(octets):
            return len(octets)
        if octets.startswith((b".\r\n", b"\n")) or b"\xff" not in octets[line:]:
            return line
        end = octets.find(dots.END)
        return end + len(dots.END) if end >= 0 else line

    def _negotiated(self, command: bytes, owed: bytes) -> list[Entry]:
        place = self.client.position + self.client.settled
        entries: list[Entry] = [Frame(Side.CLIENT, command, self.at, place, len(command), Kind.TELNET)]
        if owed:
            place = self.server.position + self.server.settled
            entries.append(Frame(Side.SERVER, owed, self.at, place, len(owed), Kind.TELNET, Origin.PROXY))
        return entries

    def _settle_start(self) -> None:
        """Settle of a line that is not whole what cannot be part of a secret."""
        inbox = self.client
        if self._runs_on or self.suspicious or not inbox.buffer:
            return
        if self.terms.secrets:
            inbox.settle(len(inbox.buffer))
            return
        start = secrets.secret_start(inbox.buffer, self.known, self.open_helo)
        inbox.settle(len(inbox.buffer) if start is None else min(start, len(inbox.buffer)))

    def _settle_line(self, length: int) -> Line:
        """Settle a command line, its secret masked."""
        line = self.client.buffer[:length]
        if line[:5].upper() in HARMLESS and not self._runs_on:
            return self._conceal(length, None)
        runs_on = self._runs_on
        secret = secrets.whole(line) if runs_on else secrets.find(line, self.known, self.open_helo)
        if secret is None and self.suspicious and not self._is_known(line):
            secret = secrets.whole(line)
        self._runs_on = (runs_on or secret is not None) and not line.endswith(b"\n") and length >= LINE_LIMIT
        return self._conceal(length, secret)

    def _conceal(self, length: int, secret: Secret | None) -> Line:
        inbox = self.client
        start = inbox.position
        masked = False
        if secret and not self.terms.secrets:
            found = inbox.buffer[secret.start : secret.end]
            named = USER.search(found.decode("utf-8", "replace") if secrets.is_marked(found) else secret.shape)
            self.user = named[1] if named else self.user
            if not secrets.is_marked(found):
                self.secrets |= secrets.echoes(found)
                put = mark(secret.shape)
                inbox.conceal(max(secret.start, inbox.settled), secret.end, put)
                length += len(put) - len(found)
            masked = True
        octets = inbox.take(length)
        return Line(octets, Span(_CLIENT, start, inbox.position), masked or secret is not None)

    def _conceal_echoes(self, length: int) -> int:
        inbox = self.server
        put = mark("repeated by the server")
        longest_first = sorted(self.secrets, key=len, reverse=True)
        pattern = re.compile(b"|".join(map(re.escape, longest_first)))
        while found := pattern.search(inbox.buffer, inbox.settled, length):
            inbox.conceal(found.start(), found.end(), put)
            length += len(put) - len(found[0])
        return length

    def _is_known(self, line: bytes) -> bool:
        words = line.split(None, 1)
        return not words or words[0].upper() in self.known

    def _keeping(self, kind: Kind) -> Keep:
        return self.keep if kind is Kind.CONTENT else Keep.FULL

    def _keep(self, inbox: Inbox, length: int, kind: Kind, first: bool) -> bytes:
        """Take up to `length` octets of a content, and keep of them what the terms say."""
        keep = self._keeping(kind)
        if keep is Keep.FULL or inbox.gap:
            return inbox.take(length, kind)
        if keep is Keep.HEADERS:
            blank = (EMPTY_HEADERS.match(inbox.buffer) if first else None) or BLANK_LINE.search(inbox.buffer)
            if not blank or blank.end() > length:
                return inbox.take((blank and min(length, blank.start())) or length, kind)
            self.keep = Keep.NONE
            head = inbox.take(blank.end(), kind)
            return head + self._keep(inbox, length - len(head), kind, False)
        octets = inbox.buffer[:length]
        tail = len(dots.END) if octets.endswith(dots.END) else 3 * (first and octets == b".\r\n")
        if length > tail:
            inbox.omit(min(length, max(length - tail, inbox.settled)))
            inbox.take(tail, kind)
            return octets
        return inbox.take(length, kind)

    def _resynchronise(self, turn: Turn, inbox: Inbox, before: bytes, span: Span, kind: Kind) -> None:
        """End a content where the server has ended it: at the first look-alike of an end, else at what has come."""
        turn.flags.add(Flag.ODD_END)
        octets = before + self._keep(inbox, span.end, kind, not before)
        if span.side is Side.CLIENT and self._keeping(kind) is Keep.FULL:
            alike = dots.find_alike(octets, inbox.position - len(octets) == span.start)
            if alike >= 0:
                inbox.push_back(octets[alike:])
        turn.content = Content(Span(span.side, span.start, inbox.position), False, turn.announced)


def text(octets: bytes) -> str:
    """What was said, as text: UTF-8, and octets that are not are kept as surrogates."""
    return octets.decode("utf-8", "surrogateescape")


def line_flags(octets: bytes) -> Set[Flag]:
    """What is odd in a line of speech."""
    if octets.isascii() and octets.endswith(b"\r\n") and len(octets) <= SPEECH_LIMIT and b"\0" not in octets:
        return NO_FLAGS
    flags: set[Flag] = set()
    if not octets.endswith(b"\r\n"):
        flags.add(Flag.BAD_LINE_END if octets.endswith(b"\n") else Flag.UNFINISHED)
    if len(octets) > SPEECH_LIMIT:
        flags.add(Flag.LONG_LINE)
    if not octets.isascii():
        flags.add(Flag.EIGHT_BIT)
    if b"\0" in octets:
        flags.add(Flag.NUL)
    return flags
