"""A session as a diagnosis looks at it: its exchanges in order, and what held when each was said.

Records may be excerpts: what stands in a gap (`...`) is unknown, and nothing is concluded from its absence.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mailproxy.analysis import excerpt
from mailproxy.analysis.later import Later
from mailproxy.analysis.said import Message, Said, messages
from mailproxy.analysis.step import HELLOS, LOGINS, UPGRADES, accepted, complete, delivered, is_message, refused
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Stage
from mailproxy.model.octets import Frame, Kind, Mark, Note, Side, Span
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams

MECHANISM: Final = re.compile(r"AUTH[ =](.*)", re.I)
LOGIN_CODES: Final = frozenset({"AUTH", "IN-USE", "LOGIN-DELAY"})
LOGIN_WORDS: Final = re.compile(r"auth|log ?[io]n|password|credential|user", re.I)
TURNING_AWAY: Final = frozenset({"421", "521", "554"})
AUTH_CODES: Final = frozenset({"235", "334", "432", "534", "535", "538"})
"""Replies that AUTH alone gets (RFC 4954 section 6)."""
NAMED: Final = re.compile(
    r"\b(?:(?P<auth>auth\w*|log ?in|password)|(?P<mail>mail|sender)|(?P<rcpt>rcpt|recipients?)"
    r"|(?P<content>message|content|body|data)|(?P<hello>helo|ehlo))\b",
    re.I,
)
"""The steps that a gap tells of by name."""
RECIPIENT: Final = re.compile(r"[45]\.1\.1\b|recipient|user unknown|relay", re.I)
_SMTP_STAGES: Final = {
    "EHLO": Stage.HELLO, "HELO": Stage.HELLO, "LHLO": Stage.HELLO, "STARTTLS": Stage.TLS, "AUTH": Stage.AUTH,
    "MAIL": Stage.MAIL, "RCPT": Stage.RCPT, "DATA": Stage.DATA, "BDAT": Stage.CONTENT, "QUIT": Stage.QUIT,
}  # fmt: skip
_POP_STAGES: Final = {
    "STLS": Stage.TLS, "STARTTLS": Stage.TLS, "QUIT": Stage.UPDATE, "USER": Stage.AUTH, "PASS": Stage.AUTH,
    "APOP": Stage.AUTH, "RPOP": Stage.AUTH, "AUTH": Stage.AUTH, "HELO": Stage.AUTH,
}  # fmt: skip
_OF_MESSAGES: Final = frozenset({"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET", "LAST", "XTND"}) | {
    "READ", "FOLD", "ACKS", "ACKD", "NACK",
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """A recording, looked at. Indices are those of `steps`."""

    recording: Recording

    @property
    def protocol(self) -> str:
        """`smtp`, `lmtp`, `pop3`, `pop2`."""
        return self.recording.session.protocol

    @cached_property
    def smtp(self) -> bool:
        """Whether mail is sent."""
        return self.protocol in {"smtp", "lmtp"}

    @cached_property
    def steps(self) -> tuple[Exchange, ...]:
        """The exchanges, in the order of what was asked."""
        return excerpt.steps(self.recording)

    @cached_property
    def refusals(self) -> tuple[int, ...]:
        """The steps that were refused."""
        return self._places(refused)

    @cached_property
    def later(self) -> Later:
        """What was granted later than a step."""
        return Later(self.steps)

    @cached_property
    def notes(self) -> tuple[tuple[int, Note], ...]:
        """The notes, each with its place among the entries."""
        return tuple((at, entry) for at, entry in enumerate(self.recording.entries) if isinstance(entry, Note))

    @cached_property
    def troubles(self) -> tuple[tuple[int, str], ...]:
        """What is told of trouble, each with its place among the entries."""
        return tuple((at, note.text) for at, note in self.notes if note.mark is Mark.TROUBLE)

    def facts_of(self, beginning: str) -> bool:
        """Whether a fact begins like this."""
        return any(note.mark is Mark.FACT and note.text.startswith(beginning) for _, note in self.notes)

    def troubles_of(self, beginning: str) -> bool:
        """Whether trouble is told of that begins like this."""
        return any(text.startswith(beginning) for _, text in self.troubles)

    @cached_property
    def facts(self) -> str:
        """All facts, a line each."""
        return "\n".join(note.text for _, note in self.notes if note.mark is Mark.FACT)

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """What is told of what is missing."""
        return tuple(note.text for _, note in self.notes if note.mark is Mark.GAP)

    @cached_property
    def begins_with_gap(self) -> bool:
        """Whether the record begins in the middle of a session."""
        for entry in self.recording.entries:
            if isinstance(entry, Frame) and entry.length:
                return entry.side is Side.CLIENT and entry.kind is not Kind.OPAQUE and not self.greeting
            if isinstance(entry, Note) and entry.mark is Mark.GAP:
                return True
        return False

    @cached_property
    def ends_with_gap(self) -> bool:
        """Whether the record breaks off before the session ended."""
        for entry in reversed(self.recording.entries):
            if isinstance(entry, Frame) and entry.length:
                return False
            if isinstance(entry, Note) and entry.mark in {Mark.GAP, Mark.TROUBLE}:
                return entry.mark is Mark.GAP
        return False

    @cached_property
    def hidden(self) -> bool:
        """Whether anything was said that nobody could hear."""
        return any(isinstance(entry, Frame) and entry.kind is Kind.OPAQUE for entry in self.recording.entries)

    @cached_property
    def greeting(self) -> Exchange | None:
        """How the server welcomed the client."""
        return next((each for each in self.steps if Flag.GREETING in each.flags), None)

    @cached_property
    def secure_from(self) -> int | None:
        """Where in the client's stream TLS began; None where it never did."""
        for entry in self.recording.entries:
            if isinstance(entry, Frame) and entry.secure and entry.side is Side.CLIENT:
                return entry.start
        if any(isinstance(entry, Frame) and entry.secure for entry in self.recording.entries):
            return 0
        return None

    def secure(self, index: int) -> bool:
        """Whether a step was taken under TLS, as far as that is known."""
        command = self.steps[index].command
        return self.secure_from is not None and (command is None or command.start >= self.secure_from)

    @cached_property
    def login(self) -> int | None:
        """The step that logged the client in."""
        for index, each in enumerate(self.steps):
            if each.verb in LOGINS - {"USER"} and accepted(each):
                return index
            if self.protocol == "pop2" and each.verb == "HELO" and accepted(each):
                return index
        return None

    def logged_in(self, index: int) -> bool:
        """Whether the client was logged in when a step was taken, as far as that is known."""
        if self.login is not None:
            return self.login < index
        return bool(self._of_mailbox) and self._of_mailbox[0] <= index

    def hello(self, index: int) -> Exchange | None:
        """The last hello before a step that was accepted."""
        return self._last(self._hellos, index)

    def mail(self, index: int) -> Exchange | None:
        """The last MAIL before a step."""
        return self._last(self._mails, index)

    def capabilities(self, index: int) -> tuple[str, ...] | None:
        """What the server offered before a step, a line each; None where that is not known."""
        each = self._last(self._offers, index)
        upgrade = self._last(self._upgrades, index)
        if each is None or (self.smtp and upgrade and upgrade.number > each.number):  # RFC 3207 section 4.2
            return None
        if each.verb == "CAPA" and each.content:
            said = self.octets(each.content.span).decode("utf-8", "replace")
            return tuple(line.strip() for line in said.splitlines() if line.strip() not in {"", "."})
        assert each.reply
        lines = tuple(line.strip() for line in each.reply.text.split("\n")[1:])
        known = each.verb != "HELO" and "not shown" not in each.reply.text
        return lines if lines or known else None

    def mechanisms(self, index: int) -> frozenset[str] | None:
        """The mechanisms of login that were offered before a step; None where that is not known."""
        lines = self.capabilities(index)
        if lines is None:
            return None
        found: set[str] = set()
        for line in lines:
            if named := MECHANISM.fullmatch(line) or re.fullmatch(r"SASL (.*)", line, re.I):
                found.update(named[1].upper().split())
            elif line.upper() == "AUTH":
                found.add("")
        return frozenset(found)

    def offers(self, index: int, word: str) -> bool | None:
        """Whether a capability was offered before a step; None where that is not known."""
        lines = self.capabilities(index)
        return None if lines is None else any(line.upper().split()[:1] == [word] for line in lines)

    def octets(self, span: Span) -> bytes:
        """What was said there, as far as it was kept."""
        return self.streams.octets(span)

    @cached_property
    def streams(self) -> Streams:
        """What was said, as far as it was kept."""
        return Streams(self.recording.entries)

    @cached_property
    def said(self) -> Said:
        """What was said, found by its place."""
        return Said(self.recording.entries)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages that went over the wire whole; those of POP2, which end by their count, are left out."""
        return () if self.protocol == "pop2" else tuple(messages(self.said, self.steps))

    @cached_property
    def sent(self) -> int:
        """How many messages the server took."""
        return sum(1 for each in self.steps if is_message(each) and delivered(each))

    @cached_property
    def fetched(self) -> int:
        """How many messages the client fetched."""
        return sum(1 for each in self.steps if each.verb == "RETR" and accepted(each) and complete(each))

    @cached_property
    def deleted(self) -> int:
        """How many messages of the mailbox the client marked as deleted (RFC 1939 section 5)."""
        return sum(1 for each in self.steps if each.verb == "DELE" and accepted(each))

    @cached_property
    def quit(self) -> int | None:
        """The step in which the client took its leave."""
        return next((index for index, each in enumerate(self.steps) if each.verb == "QUIT"), None)

    def stage(self, index: int) -> Stage:
        """Where in the protocol a step belongs."""
        each = self.steps[index]
        if self.greets(each):
            return Stage.GREETING
        if self.smtp:
            return self._smtp_stage(index, each)
        if not each.verb and each.reply:
            about_login = each.reply.enhanced in LOGIN_CODES or LOGIN_WORDS.search(each.reply.text)
            return Stage.AUTH if about_login and not self.logged_in(index) else Stage.TRANSACTION
        found = _POP_STAGES.get(each.verb)
        if found and not (each.verb == "QUIT" and not self.logged_in(index)):
            return found
        return Stage.TRANSACTION if self.logged_in(index) or each.verb in _OF_MESSAGES else Stage.AUTH

    def greets(self, each: Exchange) -> bool:
        """Whether a step is the greeting: the first reply of an excerpt may be any, unless it says so by its code."""
        greeting = Flag.GREETING in each.flags
        return greeting and not (
            self.begins_with_gap and refused(each) and each.reply and each.reply.code not in TURNING_AWAY
        )

    def _smtp_stage(self, index: int, each: Exchange) -> Stage:
        if is_message(each) and (each.content or not each.verb):
            return Stage.CONTENT
        if found := _SMTP_STAGES.get(each.verb):
            return found
        if not each.verb and each.reply and (each.reply.code in AUTH_CODES or Flag.SECRET in each.flags):
            return Stage.AUTH
        if not each.verb and (told := self._told(each)):
            return told
        match self._last(self._turns, index):
            case Exchange(verb="RCPT" | "MAIL"):
                return Stage.RCPT
            case Exchange():
                return Stage.MAIL
        known = bool(self._begun) and self._begun[0] <= index
        return Stage.MAIL if self.begins_with_gap or known or not each.verb else Stage.HELLO

    def _told(self, each: Exchange) -> Stage | None:
        """The step that the gap just before a reply tells of: the last that it names."""
        last = self._gap_before(each.reply.span.start if each.reply else None)
        named = [found.lastgroup or "" for found in NAMED.finditer(re.sub(r"\(.*?\)", "", last))]
        if named:
            return Stage(named[-1])
        return Stage.RCPT if each.reply and RECIPIENT.search(each.reply.text) and not self._asked(each) else None

    def _asked(self, each: Exchange) -> bool:
        return bool(self._commands) and self.steps[self._commands[0]].number < each.number

    def _gap_before(self, start: int | None) -> str:
        """The gap that stands just before octets of the server, else the last of all; empty where none does."""
        ends, gaps = self._gaps
        return gaps[len(ends) if start is None else bisect_right(ends, start)]

    @cached_property
    def _gaps(self) -> tuple[list[int], list[str]]:
        """Where the server's frames end, and the gap just before each; one more for what comes behind them all."""
        ends: list[int] = []
        gaps: list[str] = []
        last = ""
        for entry in self.recording.entries:
            if isinstance(entry, Note):
                last = entry.text if entry.mark is Mark.GAP else last
                continue
            if entry.side is Side.SERVER:
                ends.append(entry.end)
                gaps.append(last)
            if entry.length and entry.kind is not Kind.CONTENT:
                last = ""
        return ends, [*gaps, last]

    def _last(self, places: Sequence[int], index: int) -> Exchange | None:
        """The last of these steps that is before one."""
        at = bisect_left(places, index)
        return self.steps[places[at - 1]] if at else None

    def _places(self, holds: Callable[[Exchange], bool]) -> tuple[int, ...]:
        return tuple(place for place, each in enumerate(self.steps) if holds(each))

    @cached_property
    def _commands(self) -> tuple[int, ...]:
        return self._places(lambda each: each.command is not None)

    @cached_property
    def _hellos(self) -> tuple[int, ...]:
        return self._places(lambda each: each.verb in HELLOS and accepted(each))

    @cached_property
    def _upgrades(self) -> tuple[int, ...]:
        return self._places(lambda each: each.verb in UPGRADES and accepted(each))

    @cached_property
    def _mails(self) -> tuple[int, ...]:
        return self._places(lambda each: each.verb == "MAIL")

    @cached_property
    def _offers(self) -> tuple[int, ...]:
        """The steps that told what the server offers."""
        return self._places(self._tells_offer)

    def _tells_offer(self, each: Exchange) -> bool:
        told = (self.smtp and each.verb in HELLOS) or (each.verb == "CAPA" and each.content is not None)
        return told and accepted(each)

    @cached_property
    def _of_mailbox(self) -> tuple[int, ...]:
        return self._places(lambda each: each.verb in {"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE"})

    @cached_property
    def _begun(self) -> tuple[int, ...]:
        """The steps that no client takes before its hello."""
        return self._places(lambda each: each.verb in HELLOS | {"MAIL", "RCPT", "DATA"})

    @cached_property
    def _turns(self) -> tuple[int, ...]:
        """The steps by which one knows where in a transaction those behind them are."""
        turns = {"DATA", "BDAT", "RSET", "RCPT", "MAIL"}
        return self._places(lambda each: each.verb in turns or (each.verb in HELLOS and accepted(each)))
