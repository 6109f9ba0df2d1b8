"""What a protocol says of the course of its sessions, so that two of them can be compared by meaning."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Stage
from mailproxy.model.octets import Span


class Volatile(NamedTuple):
    """What differs from session to session and means nothing: a pattern, and the name that stands for what it finds."""

    pattern: re.Pattern[str]
    name: str


def volatile(pattern: str, name: str) -> Volatile:
    """One by the text of its pattern, which minds no case."""
    return Volatile(re.compile(pattern, re.I), name)


_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
COMMON: Final = (
    volatile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),  # RFC 9562
    volatile(
        rf"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?\d{{1,2}}[ -](?:{_MONTHS})[ -]\d{{2,4}}(?:,? \d\d:\d\d(?::\d\d)?)?"
        r"(?: [AP]M)?(?: [+-]\d{4}| ?\([A-Z]{2,5}\)| [A-Z]{2,4}\b)*",
        "<date>",
    ),
    volatile(
        rf"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_MONTHS}) [ \d]\d \d\d:\d\d:\d\d"
        r"(?: [A-Z]{3,5})?(?: \d{4})?\b",
        "<date>",
    ),
    volatile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", "<date>"),
    volatile(r"\b\d\d:\d\d:\d\d\b", "<time>"),
    volatile(r"\[?IPv6:[0-9a-f:.]+\]?", "<address>"),
    volatile(r"(?<![\w.])\[?(?:\d{1,3}\.){3}\d{1,3}\]?(?::\d{1,5})?(?![\w.]*\w)", "<address>"),
    volatile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})+(?![\w:])", "<address>"),
    volatile(r"\bport \d{1,5}\b", "port <number>"),
    volatile(r"\b(pid|qp|session(?:[ -]?id)?)[ =:#]{1,2}\d+\b", r"\1 <number>"),
    volatile(r"(?<![\w.@-])[a-z][a-z-]*\d[\w-]*(?=(?:\.[a-z][a-z0-9-]*)+\b)", "<host>"),  # one of many: mx7, out-03
    volatile(r"<[^<>@\s]*\d{3,}[^<>@\s]*@[^<>\s]+>", "<id>"),
    volatile(r"\b\d+(?:\.\d+)? ?(?:ms|msecs?|s|secs?|seconds?)\b", "<time>"),
    volatile(r"\b[a-z0-9]{6}-[a-z0-9]{6,11}-[a-z0-9]{2,4}\b", "<id>"),  # Exim's
    volatile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{8,}(?:[-.=_][a-z0-9]+)*(?![\w@])(?!\.\w)", "<id>"),
    volatile(r"(?<=[=#])[\w.+/-]{6,}", "<id>"),
    volatile(r"\b\d{9,}\b", "<id>"),
)
"""Dates, addresses, ports, message ids, queue ids, durations: what servers of any protocol put into their texts."""


def by_argument(exchange: Exchange) -> str:
    """A command is about what stands behind its verb."""
    return exchange.argument


def by_verb(exchange: Exchange) -> str:
    """A verb is like no other."""
    return exchange.verb


def as_it_is(verb: str, line: str) -> str:
    """A line of a listing, in which nothing is volatile."""
    return line


Octets = Callable[[Span], bytes]
"""What was said, by its place."""


def no_things(exchanges: Sequence[Exchange], octets: Octets) -> Iterator[Mapping[str, str]]:
    """Nothing in a session goes by a number."""
    yield from ()


class Course(NamedTuple):
    """How sessions of a protocol go.

    `volatile` is looked for in replies, in this order, but for those that are `fixed`; `asked` in arguments, and `line`
    takes it out of a line of a listing. `about` tells what a command is about (a recipient, a message), where several
    of a verb stand in one phase; `kind` is one word for verbs that do for one another. The argument of `names` is what
    a host calls itself. `offers` are the verbs whose answer lists what the server can do, in any order.

    Some things go by a number that is another one in another session: the verbs `numbered` have it in front of their
    argument and of the lines they list. `things` yields what names them for good by these numbers, the surest first.

    The content of the verbs `messages` is a message, which is `counted` where its octets are, and has its dots doubled
    elsewhere. A client logs in by `logins`, begins TLS by `upgrades`, and goes by `doors`: offers, and the stage at
    which it needs them. It takes its leave by `leaves`, a server unasked by the code `leaving`.
    """

    volatile: tuple[Volatile, ...] = COMMON
    fixed: frozenset[str] = frozenset()
    asked: tuple[Volatile, ...] = ()
    line: Callable[[str, str], str] = as_it_is
    about: Callable[[Exchange], str] = by_argument
    kind: Callable[[Exchange], str] = by_verb
    names: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()
    things: Callable[[Sequence[Exchange], Octets], Iterator[Mapping[str, str]]] = no_things
    messages: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()
    upgrades: frozenset[str] = frozenset()
    doors: tuple[tuple[str, Stage], ...] = ()
    leaves: frozenset[str] = frozenset()
    leaving: str = ""

    def plain(self, text: str) -> str:
        """A reply's text with names in the place of what is volatile."""
        return text if text in self.fixed else _plain(self.volatile, text)

    def plain_argument(self, exchange: Exchange) -> str:
        """The same of a command's argument."""
        return "<name>" if exchange.verb in self.names else _plain(self.asked, exchange.argument)


@lru_cache(4096)
def _plain(volatile: tuple[Volatile, ...], text: str) -> str:
    for pattern, name in volatile:
        text = pattern.sub(name, text)
    return text


COURSE: Final = Course()
"""Nothing is known of the protocol."""
