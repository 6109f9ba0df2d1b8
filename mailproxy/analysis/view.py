"""A session as a diagnosis looks at it: its exchanges in order, and what held when each was said.

Records may be excerpts: what stands in a gap (`...`) is unknown, and nothing is concluded from its absence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mailproxy.analysis import excerpt
from mailproxy.analysis.said import Message, Said, messages
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Evidence, Stage
from mailproxy.model.octets import Frame, Kind, Mark, Note, Side, Span
from mailproxy.model.session import Recording

LOGINS: Final = frozenset({"AUTH", "USER", "PASS", "APOP", "RPOP"})
HELLOS: Final = frozenset({"EHLO", "HELO", "LHLO"})
UPGRADES: Final = frozenset({"STARTTLS", "STLS"})
FETCHES: Final = frozenset({"RETR", "TOP"})
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
    def notes(self) -> tuple[tuple[int, Note], ...]:
        """The notes, each with its place among the entries."""
        return tuple((at, entry) for at, entry in enumerate(self.recording.entries) if isinstance(entry, Note))

    @cached_property
    def troubles(self) -> tuple[tuple[int, str], ...]:
        """What is told of trouble, each with its place among the entries."""
        return tuple((at, note.text) for at, note in self.notes if note.mark is Mark.TROUBLE)

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
        return any(each.verb in {"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE"} for each in self.steps[: index + 1])

    def hello(self, index: int) -> Exchange | None:
        """The last hello before a step that was accepted."""
        for each in reversed(self.steps[:index]):
            if each.verb in HELLOS and accepted(each):
                return each
        return None

    def capabilities(self, index: int) -> tuple[str, ...] | None:
        """What the server offered before a step, a line each; None where that is not known."""
        for each in reversed(self.steps[:index]):
            if self.smtp and each.verb in {"EHLO", "LHLO", "HELO"} and accepted(each) and each.reply:
                lines = tuple(line.strip() for line in each.reply.text.split("\n")[1:])
                known = each.verb != "HELO" and "not shown" not in each.reply.text
                return lines if lines or known else None
            if each.verb == "CAPA" and accepted(each) and each.content:
                said = self.octets(each.content.span).decode("utf-8", "replace")
                return tuple(line.strip() for line in said.splitlines() if line.strip() not in {"", "."})
        return None

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
        found = [
            entry.octets[max(0, span.start - entry.start) : span.end - entry.start]
            for entry in self.recording.entries
            if isinstance(entry, Frame)
            and entry.side is span.side
            and entry.kind in {Kind.SPEECH, Kind.CONTENT}
            and entry.start < span.end
            and entry.end > span.start
        ]
        return b"".join(found)

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
        for before in reversed(self.steps[:index]):
            match before.verb:
                case "DATA" | "BDAT" | "RSET":
                    return Stage.MAIL
                case "RCPT":
                    return Stage.RCPT
                case "MAIL":
                    return Stage.RCPT
                case verb if verb in HELLOS and accepted(before):
                    return Stage.MAIL
        known = any(one.verb in HELLOS | {"MAIL", "RCPT", "DATA"} for one in self.steps[: index + 1])
        return Stage.MAIL if self.begins_with_gap or known or not each.verb else Stage.HELLO

    def _told(self, each: Exchange) -> Stage | None:
        """The step that the gap just before a reply tells of: the last that it names."""
        last = None
        for entry in self.recording.entries:
            if isinstance(entry, Note):
                last = entry.text if entry.mark is Mark.GAP else last
            elif each.reply and entry.side is Side.SERVER and entry.end > each.reply.span.start:
                break
            elif entry.length and entry.kind is not Kind.CONTENT:
                last = None
        named = [found.lastgroup or "" for found in NAMED.finditer(re.sub(r"\(.*?\)", "", last or ""))]
        if named:
            return Stage(named[-1])
        return Stage.RCPT if each.reply and RECIPIENT.search(each.reply.text) and not self._asked(each) else None

    def _asked(self, each: Exchange) -> bool:
        return any(one.command and one.number < each.number for one in self.steps)


def accepted(each: Exchange) -> bool:
    """Whether a step was granted, finally."""
    reply = each.reply
    return reply is not None and reply.positive and reply.code[:1] not in {"1", "3"} and reply.code != "+"


def refused(each: Exchange) -> bool:
    """Whether a step was refused."""
    reply = each.reply
    return reply is not None and not reply.positive and reply.code != ""


def is_message(each: Exchange) -> bool:
    """Whether a step carries a message, or the last part of one; of an excerpt, perhaps only its final dot."""
    return each.verb in {"DATA", "BDAT"} or (not each.verb and each.argument == ".")


def complete(each: Exchange) -> bool:
    """Whether the content of a step came to its end."""
    if not each.verb and each.argument == ".":
        return True
    return each.content is not None and (each.content.ended or Flag.ODD_END in each.flags)


def delivered(each: Exchange) -> bool:
    """Whether the server took the responsibility for a message."""
    if not each.verb:
        return each.argument == "." and accepted(each)
    last = each.verb == "DATA" or each.argument.upper().endswith("LAST")
    finals = each.replies if each.verb == "BDAT" else each.replies[1:]
    return last and each.content is not None and any(reply.positive for reply in finals)  # LMTP: one a recipient


def evidence(each: Exchange) -> tuple[Evidence, ...]:
    """The command and the reply that decided."""
    found = [Evidence(each.command)] if each.command else []
    return (*found, *([Evidence(each.reply.span)] if each.reply else []))


def said(each: Exchange) -> str:
    """The text of the reply that decided, in one line."""
    return " ".join(each.reply.text.split()) if each.reply else ""


def after(steps: Sequence[Exchange], index: int) -> Iterator[Exchange]:
    """The steps behind one."""
    yield from steps[index + 1 :]
