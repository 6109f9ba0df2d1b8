"""A relay between two connections that are secured in different ways: mailproxy speaks for one peer with the other.

**Towards the server** it asks for TLS on its own, before the client hears the greeting, and hides the server's offer
of TLS from the client, which stays as it is. **Towards the client** it offers TLS in the server's name and grants it
itself. What it says is recorded as its own; what the server offered is recorded as it came, with a note that it was
changed on its way.

Only answers to EHLO or CAPA are held until they are whole; the client's commands are held, each until its line is
whole, only while mailproxy waits for STARTTLS among them. What is held when somebody leaves goes on, or is recorded.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Entry, Frame, Mark, Note, Origin, Side
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Heard
from mailproxy.protocols.upgrade import Upgrading
from mailproxy.talk.actions import Action, Listen, Record, Send
from mailproxy.talk.relay import Relay, handed, sent
from mailproxy.talk.ways import Insecure, Ways

LINE_LIMIT: Final = 65_536
LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")


class Step(Enum):
    """How far mailproxy has come with its own wish for TLS."""

    GREETING = 0
    HELLO = 1
    STARTTLS = 2
    HANDSHAKE = 3
    DONE = 4


class Bridge(Relay):
    """The party between peers of which one is spoken for. `own_name` is what mailproxy calls itself to the server."""

    __slots__ = ("_answer", "_changed", "_greeting", "_lines", "_own_name", "_step", "_upgrading")

    def __init__(self, dialogue: Dialogue, ways: Ways, upgrading: Upgrading, own_name: str) -> None:
        super().__init__(dialogue, ways)
        self._upgrading = upgrading
        self._own_name = own_name
        self._step = Step.GREETING if ways.server is Security.STARTTLS else Step.DONE
        dialogue.apart = self._step is not Step.DONE
        self._greeting = b""  # what the server said that the client hears once TLS with the server has begun
        self._answer = b""  # of the server's answer to EHLO or CAPA, so far
        self._lines = b""  # what the client said and nobody has looked at yet
        self._changed = False

    def received(self, side: Side, octets: bytes, at: int) -> Heard:
        """A peer has said something."""
        if side is Side.CLIENT:
            return self._client_said(octets, at)
        if self._step is Step.DONE:
            return self._server_said(octets, at)
        self.due = True
        heard = super().received(side, octets, at)
        if self._step is Step.GREETING:
            self._greeting += octets
        elif self._step is Step.HELLO:
            self._answer += octets
        return Heard(heard.entries, b"")

    def proceed(self, at: int) -> list[Action]:
        """Do what follows from what was received."""
        if self._slipped:
            return super().proceed(at)
        self.due = False
        self.dialogue.upgrade_turn = None
        if self._step is not Step.DONE:
            return self._step_on(at)
        if self._offering:
            return self._look_at_lines(at)
        return []

    def ended(self, side: Side, at: int, notified: bool | None = None) -> list[Action]:
        """A peer has ended its stream."""
        if self._step is not Step.DONE:
            return self._left_early(side, at, notified)
        held: list[Action] = []
        if lines := self._taken():
            held += handed(Side.CLIENT, Relay.received(self, Side.CLIENT, lines, at))
            held.append(Listen(Side.CLIENT, True))
        if side is Side.SERVER:
            answer, self._answer = self._answer, b""
            held += sent(Side.CLIENT, answer)
        return [*held, *super().ended(side, at, notified)]

    def _left_early(self, side: Side, at: int, notified: bool | None) -> list[Action]:
        if side is Side.CLIENT:
            return [*super().ended(side, at, notified), *self._conclude([], None, at)]
        actions = self.insecure(side, Insecure("closed before the handshake", by=side), at)
        return self._with_greeting(actions)

    def secured(self, side: Side, facts: TlsFacts, at: int) -> list[Action]:
        """TLS with a peer has begun."""
        actions = super().secured(side, facts, at)
        if side is Side.SERVER and self._step is Step.HANDSHAKE and not self.over:
            self._step = Step.DONE
            self.dialogue.apart = False
            greeting, self._greeting = self._greeting, b""
            actions.append(Send(Side.CLIENT, greeting))
        return actions

    def _secure_from_start(self) -> list[Action]:
        return [] if self._step is Step.GREETING else super()._secure_from_start()

    @property
    def _client_waits(self) -> bool:
        return self.ways.client is Security.TLS

    # Towards the server.

    def _step_on(self, at: int) -> list[Action]:
        if len(self._greeting) + len(self._answer) > LINE_LIMIT:
            return self._no_tls("it says too much before", at)
        for done in self.dialogue.exchanges:
            if actions := self._step_from(done, at):
                return actions
        return []

    def _step_from(self, done: Exchange, at: int) -> list[Action]:
        match self._step, done:
            case Step.GREETING, Exchange(flags=flags) if Flag.GREETING in flags:
                if done.reply is None or not done.reply.positive:
                    return self._unwelcome(at)
                self._step = Step.HELLO
                note = Note(Mark.FACT, f"mailproxy asks the server for TLS, with {self._upgrading.verb}", at)
                return [Record([note]), *self._say(self._upgrading.hello(self._own_name), at)]
            case Step.HELLO, Exchange(verb=verb) if verb in self._upgrading.asks:
                if not self._upgrading.offered(self._answer):
                    return self._no_tls(f"it offers no {self._upgrading.verb}", at)
                self._step, self._answer = Step.STARTTLS, b""
                return self._say(self._upgrading.verb.encode() + b"\r\n", at)
            case Step.STARTTLS, Exchange(verb=self._upgrading.verb, reply=reply):
                if reply is None or not reply.positive:
                    return self._no_tls(f"it refuses {self._upgrading.verb}", at)
                self._step = Step.HANDSHAKE
                return [self._start_tls(Side.SERVER)]
            case _:
                return []

    def _say(self, octets: bytes, at: int) -> list[Action]:
        """Say something to the server in the client's place, and as our own."""
        wary, self._wary = self._wary, False  # that is for the client's own first octet
        heard = Relay.received(self, Side.CLIENT, octets, at)
        self._wary = wary
        return [Record(own(heard.entries, Side.CLIENT)), Send(Side.SERVER, octets)]

    def _unwelcome(self, at: int) -> list[Action]:
        """The greeting is a refusal, which the client is to read."""
        return self._with_greeting(self._no_tls("it was not asked, for the server turns everybody away", at))

    def _with_greeting(self, actions: list[Action]) -> list[Action]:
        """Hand the client what the server has greeted with, before all is over, if it can read that."""
        if self.ways.client is not Security.TLS:
            actions[-1:-1] = sent(Side.CLIENT, self._greeting)
        return actions

    def _no_tls(self, why: str, at: int) -> list[Action]:
        return self.insecure(Side.SERVER, Insecure(why), at)

    # Towards the client.

    @property
    def _offering(self) -> bool:
        """Whether mailproxy offers TLS; not to anybody who leaves, nor for a server that does."""
        return self.ways.client is Security.STARTTLS and Side.CLIENT not in self._secure and not self.endings

    @property
    def _changing(self) -> bool:
        """Whether what a server says of TLS is changed on its way."""
        return self._offering or self.ways.client is Security.NONE

    @property
    def _asking(self) -> bool:
        """Whether what the server says next answers a question for what it can do."""
        pending = self.dialogue.pending
        return bool(pending) and self.dialogue.greeted and pending[0].verb in self._upgrading.asks

    def _server_said(self, octets: bytes, at: int) -> Heard:
        if self._lines:
            self.due = True
        asked = self._answer or any(turn.verb in self._upgrading.asks for turn in self.dialogue.pending)
        if not (asked and self._changing):
            return super().received(Side.SERVER, octets, at)
        return _together(self._server_said_line(line, at) for line in LINES.findall(octets))

    def _server_said_line(self, line: bytes, at: int) -> Heard:
        asking = bool(self._answer) or self._asking
        heard = super().received(Side.SERVER, line, at)
        if not asking:
            return heard
        self._answer += line
        if self._asking and len(self._answer) <= LINE_LIMIT:
            return Heard(heard.entries, b"", heard.answer)
        answer, self._answer = self._answer, b""
        return self._changed_answer(answer, heard, at)

    def _changed_answer(self, answer: bytes, heard: Heard, at: int) -> Heard:
        offering = self._offering
        changed = self._upgrading.offer(answer) if offering else self._upgrading.hide(answer)
        if changed != answer and not self._changed:
            self._changed = True
            what = "offers the client" if offering else "hides from the client that the server offers"
            heard.entries.append(Note(Mark.FACT, f"mailproxy {what} {self._upgrading.verb}", at))
        return Heard(heard.entries, changed, heard.answer)

    def _client_said(self, octets: bytes, at: int) -> Heard:
        if not self._offering:
            return super().received(Side.CLIENT, octets, at)
        self._lines += octets
        return _together(Relay.received(self, Side.CLIENT, line, at) for line in self._passing())

    def _passing(self) -> Iterator[bytes]:
        """What is not held: whole lines up to a wish for TLS, and all that is no command."""
        start = 0
        while line := self._next_line(start):
            if self._is_wish(line):
                self.due = True
                break
            start += len(line)
            yield line
        self._lines = self._lines[start:]

    def _next_line(self, start: int = 0) -> bytes:
        lines = self._lines
        end = lines.find(b"\n", start, start + LINE_LIMIT) + 1
        whole = end or not self.dialogue.commanding or len(lines) - start >= LINE_LIMIT
        return lines[start : end or start + LINE_LIMIT] if whole else b""

    def _is_wish(self, line: bytes) -> bool:
        """Whether a line asks for TLS; what looks so within TLS that nobody takes apart does not."""
        commanding = self.dialogue.commanding and not self.dialogue.hidden
        return commanding and line.strip().upper() == self._upgrading.verb.encode()

    def _taken(self) -> bytes:
        """What the client said and nobody has looked at."""
        lines, self._lines = self._lines, b""
        return lines

    def _look_at_lines(self, at: int) -> list[Action]:
        """Grant the client's wish for TLS, once all that it said before has been answered."""
        actions = handed(Side.CLIENT, self._client_said(b"", at))
        self.due = False
        if not self._is_wish(self._next_line()):
            return actions
        if self.dialogue.pending or not self.dialogue.greeted:
            return [*actions, Listen(Side.CLIENT, False)]
        self.dialogue.apart = True
        wish = Relay.received(self, Side.CLIENT, self._taken(), at)
        granted = Relay.received(self, Side.SERVER, self._upgrading.granted, at)
        self.due, self.dialogue.upgrade_turn, self.dialogue.apart = False, None, False
        return [
            *actions,
            Record([*wish.entries, *_in_clear(own(granted.entries, Side.SERVER))]),
            Send(Side.CLIENT, self._upgrading.granted),
            self._start_tls(Side.CLIENT),
        ]

    def _secured_both(self, side: Side) -> list[Action]:
        if side is Side.SERVER and self.ways.client is Security.TLS:
            return [self._start_tls(Side.CLIENT)]
        return [Listen(Side.CLIENT, True)]

    def _conclude(
        self,
        entries: list[Entry],
        reset: Side | None,
        at: int,
        before: list[Action] | None = None,
        last: list[Action] | None = None,
    ) -> list[Action]:
        before = before or []
        if lines := self._taken():
            before.append(Record(Relay.received(self, Side.CLIENT, lines, at).entries))
        return super()._conclude(entries, reset, at, before, last)


def _together(each: Iterable[Heard]) -> Heard:
    """What came of octets one after the other."""
    entries: list[Entry] = []
    forward = bytearray()
    answer = bytearray()
    for heard in each:
        entries += heard.entries
        forward += heard.forward
        answer += heard.answer
    return Heard(entries, bytes(forward), bytes(answer))


def _in_clear(entries: list[Entry]) -> list[Entry]:
    """What the client was told in clear, whatever the server's connection is under."""
    return [entry._replace(secure=False) if isinstance(entry, Frame) else entry for entry in entries]


def own(entries: list[Entry], side: Side) -> list[Entry]:
    """What was said in a peer's place, as mailproxy's own."""
    return [
        entry._replace(origin=Origin.PROXY) if isinstance(entry, Frame) and entry.side is side else entry
        for entry in entries
    ]
