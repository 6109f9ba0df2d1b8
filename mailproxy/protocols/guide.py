"""What a person who types a protocol by hand is told: its commands, what replies mean, what was probably meant.

The tables stand with the protocols, in `guide.py` of each package, with their sources.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from mailproxy.protocols.pop2 import guide as pop2
from mailproxy.protocols.pop3 import guide as pop3
from mailproxy.protocols.smtp import guide as smtp


class Command(NamedTuple):
    """A command: how it is written, what it does, an example, when it is allowed, and where that stands."""

    syntax: str
    meaning: str
    example: str
    phase: str
    source: str

    @property
    def verb(self) -> str:
        """Its first word."""
        return self.syntax.split(" ", 1)[0]


class Guide(NamedTuple):
    """All that is told of one protocol. A slip is a pattern over the whole line, and a text with its groups."""

    commands: tuple[Command, ...]
    replies: Mapping[str, str]
    slips: tuple[tuple[re.Pattern[str], str], ...]
    enhanced: Callable[[str], str]


def commands(protocol: str) -> tuple[Command, ...]:
    """The commands of a protocol, in the order in which a session uses them; none of a protocol not known."""
    guide = GUIDES.get(protocol)
    return guide.commands if guide else ()


def explain(protocol: str, code: str, enhanced: str = "") -> str:
    """A reply in plain words, empty where nothing is known of it.

    `code` and `enhanced` are those of `Reply`: `550` and `5.1.1`, `-ERR` and `IN-USE`, `#`.
    """
    if not (guide := GUIDES.get(protocol)):
        return ""
    basic = guide.replies.get(code.upper()) or (guide.replies.get(code[:1], "") if code.isdecimal() else "")
    told = ((code, basic), (enhanced, guide.enhanced(enhanced)))
    return "; ".join(f"{name}: {text}" for name, text in told if text)


def slip(protocol: str, line: str) -> str | None:
    """What was probably meant by a typed command line, where it is a slip that people make; else None.

    The text repeats nothing of the line but a verb, so no secret of it.
    """
    if CONTROL.search(line):
        return "the line holds a control character (an arrow key, a backspace?), which the server gets too"
    guide = GUIDES.get(protocol)
    for pattern, text in guide.slips if guide else ():
        if found := pattern.fullmatch(line):
            return text.format(*(group.upper() for group in found.groups("")), protocol=protocol.upper())
    return None


def _enhanced(status: str) -> str:
    """RFC 3463: class.subject.detail; the subject alone where the detail is not known."""
    match status.split(".", 1):
        case [kind, rest] if kind in smtp.CLASSES:
            return smtp.DETAILS.get(rest) or smtp.SUBJECTS.get(rest.split(".")[0], "")
        case _:
            return ""


def _response(code: str) -> str:
    return pop3.RESPONSES.get(code.upper(), "")


def _guide(
    rows: tuple[smtp.Row, ...],
    replies: Mapping[str, str],
    slips: tuple[tuple[str, str], ...],
    enhanced: Callable[[str], str] = lambda _: "",
) -> Guide:
    patterns = tuple((re.compile(pattern, re.IGNORECASE), text) for pattern, text in slips)
    return Guide(tuple(Command(*row) for row in rows), replies, patterns, enhanced)


CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

GUIDES: Final = {
    "smtp": _guide(smtp.COMMANDS, smtp.REPLIES | smtp.CLASSES, smtp.SMTP_SLIPS, _enhanced),
    "lmtp": _guide(smtp.LMTP_COMMANDS, smtp.REPLIES | smtp.CLASSES, smtp.LMTP_SLIPS, _enhanced),
    "pop3": _guide(pop3.COMMANDS, pop3.REPLIES, pop3.SLIPS, _response),
    "pop2": _guide(pop2.COMMANDS, pop2.REPLIES, pop2.SLIPS),
}
