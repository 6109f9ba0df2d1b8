"""Rules that change a reply on its way.

`s/550 .*/250 2.1.5 Ok/` changes what a pattern finds, with any delimiter and the flags `i` (in any case) and `g` (each
time); `RCPT s/…/…/` only in replies to RCPT. `RCPT 2 550 5.1.1 no such user` is the whole reply to the second RCPT.
The greeting is the reply to GREETING. `\\n` begins a new line of a reply.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.turn import text

GREETING: Final = "GREETING"
_VERB: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s+(.+)", re.S)
_NUMBERED: Final = re.compile(r"([0-9]{1,9})\s+((?:[0-9]{3}(?![^\s-])|[-+=#]).*)", re.S)
_BEGUN: Final = re.compile(r"s([^\sA-Za-z0-9\\])")
_FLAGS: Final = frozenset("ig")


class EditError(ValueError):
    """A rule that cannot be read: one line that says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One rule. `verb` is empty where it holds for every reply, `number` 0 where it holds for each of a verb.

    `pattern` None stands for the whole reply.
    """

    verb: str
    number: int
    pattern: re.Pattern[str] | None
    replacement: str
    count: int

    def concerns(self, verb: str, number: int) -> bool:
        """Whether it is about the reply to the `number`-th command of this verb, counted from 1."""
        return self.verb in {"", verb} and self.number in {0, number}

    def change(self, reply: str) -> str:
        """The reply, its lines joined by LF, as the rule wants it."""
        if self.pattern is None:
            return self.replacement
        return self.pattern.sub(self.replacement, reply, count=self.count)


def parse(rule: str) -> Edit:
    """A rule as it is written; raises EditError."""
    if substitution := _substitution("", rule.strip()):
        return substitution
    if not (found := _VERB.fullmatch(rule.strip())):
        raise EditError(f"no rule: {rule!r}; write s/REGEX/TEXT/, RCPT s/REGEX/TEXT/ or RCPT 2 550 no such user")
    verb, rest = found[1].upper(), found[2]
    if substitution := _substitution(verb, rest):
        return substitution
    if not (numbered := _NUMBERED.fullmatch(rest)) or not int(numbered[1]):
        raise EditError(f"no rule: {rule!r}; write which {verb} it is, and the reply: {verb} 1 …")
    return Edit(verb, int(numbered[1]), None, numbered[2].replace("\\n", "\n"), 0)


def edited(edits: Sequence[Edit], verb: str, number: int, reply: bytes) -> bytes:
    """The octets of a reply as the rules want them, one rule after the other; as they are where none finds anything."""
    concerned = [edit for edit in edits if edit.concerns(verb, number)]
    if not concerned:
        return reply
    was = text(reply).removesuffix("\n").removesuffix("\r").replace("\r\n", "\n")
    said = was
    for edit in concerned:
        said = edit.change(said)
    if said == was:
        return reply
    return said.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n"


def _substitution(verb: str, rule: str) -> Edit | None:
    if not (begun := _BEGUN.match(rule)):
        return None
    parts = _split(rule[2:], begun[1])
    if len(parts) != 3:
        raise EditError(f"no rule: {rule!r}; write s{begun[1]}REGEX{begun[1]}TEXT{begun[1]}")
    written, replacement, flags = parts
    if not set(flags) <= _FLAGS:
        raise EditError(f"no rule: {rule!r}; the flags are i (in any case) and g (each time)")
    try:
        pattern = re.compile(written, re.IGNORECASE if "i" in flags else 0)
        pattern.sub(replacement, "")
        re.compile(f"{written}|").sub(replacement, "")  # it matches, so groups that are not there are found out
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise EditError(f"no rule: {rule!r}; {error}") from None
    return Edit(verb, 0, pattern, replacement, 0 if "g" in flags else 1)


def _split(rule: str, delimiter: str) -> list[str]:
    """The parts between delimiters; one behind a backslash is none."""
    parts = [""]
    at = 0
    while at < len(rule):
        if rule[at] == "\\" and at + 1 < len(rule):
            parts[-1] += delimiter if rule[at + 1] == delimiter else rule[at : at + 2]
            at += 2
            continue
        if rule[at] == delimiter:
            parts.append("")
        else:
            parts[-1] += rule[at]
        at += 1
    return parts
