"""What a recording tells of a client's habits: what it says in which order, and what it does not wait for."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Frame, Side, Span
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams

_FIELD: Final = re.compile(rb"^([!-9;-~]+):[ \t]*((?:.*(?:\r?\n[ \t]+)?)*)", re.MULTILINE)
_SENDS: Final = frozenset({"DATA", "BDAT"})
_LOOKED_AT: Final = 65536  # octets of a message


class Habits(NamedTuple):
    """What one client did in one session.

    `verbs` are upper case, in their order; `spelled` is how the first was written. `hello` is what it calls itself,
    `mail` the argument of its first MAIL. `login` is the mechanism of its first AUTH, and `initial` whether a response
    stood in that line (RFC 4954 section 4); `cancelled` are the mechanisms that it broke off. `ahead` are pairs of
    verbs, the second of which was said before the first was answered. `fields` are those of the first message that it
    sent, by their names in lower case (RFC 5322 section 2.2).
    """

    protocol: str
    verbs: tuple[str, ...] = ()
    spelled: str = ""
    hello: str = ""
    mail: str = ""
    login: str = ""
    initial: bool = False
    cancelled: tuple[str, ...] = ()
    ahead: frozenset[tuple[str, str]] = frozenset()
    fields: Mapping[str, str] = {}


def habits(recording: Recording) -> Habits:
    """The client's habits in a session."""
    streams = Streams(recording.entries)
    steps = sorted((each for each in recording.exchanges if each.command), key=lambda each: each.number)
    login = next((each for each in steps if each.verb == "AUTH"), None)
    mechanism, _, response = login.argument.partition(" ") if login else ("", "", "")
    return Habits(
        recording.session.protocol,
        tuple(each.verb for each in steps),
        _spelled(steps, streams),
        next((each.argument for each in steps if each.verb in {"EHLO", "HELO", "LHLO"}), ""),
        next((each.argument for each in steps if each.verb == "MAIL"), ""),
        mechanism.upper(),
        bool(response),
        tuple(_cancelled(steps, streams)),
        frozenset(_ahead(steps, recording)),
        _fields(steps, streams),
    )


def _spelled(steps: Sequence[Exchange], streams: Streams) -> str:
    if not steps or not steps[0].command:
        return ""
    return streams.octets(steps[0].command).decode("utf-8", "replace").split(" ")[0].strip()


def _cancelled(steps: Sequence[Exchange], streams: Streams) -> Iterator[str]:
    """RFC 4954 section 4, RFC 5034 section 4: a line with a star alone."""
    for each in steps:
        if each.verb == "AUTH" and any(streams.octets(span).strip() == b"*" for span in each.extra):
            yield each.argument.split(" ")[0].upper()


def _ahead(steps: Sequence[Exchange], recording: Recording) -> Iterator[tuple[str, str]]:
    places = {
        side: [
            (entry.start, entry.end, place)
            for place, entry in enumerate(recording.entries)
            if isinstance(entry, Frame) and entry.side is side and entry.length
        ]
        for side in Side
    }
    for first, second in pairwise(steps):
        reply = first.reply
        if reply and second.command and _place(second.command, places) < _place(reply.span, places):
            yield first.verb, second.verb


def _place(span: Span, places: Mapping[Side, Sequence[tuple[int, int, int]]]) -> int:
    """Where among the entries a span begins."""
    after = bisect_right(places[span.side], span.start, key=itemgetter(0))
    if not after:
        return -1
    _, end, place = places[span.side][after - 1]
    return place if span.start < end else -1


def _fields(steps: Sequence[Exchange], streams: Streams) -> dict[str, str]:
    for each in steps:
        if each.verb in _SENDS and each.content:
            span = each.content.span
            octets = streams.octets(span._replace(end=min(span.end, span.start + _LOOKED_AT)))
            head = re.split(rb"\r?\n\r?\n", octets, maxsplit=1)[0]
            found = {name.decode().lower(): _unfolded(value) for name, value in _FIELD.findall(head)}
            return found
    return {}


def _unfolded(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())
