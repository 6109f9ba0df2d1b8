"""What differs between two contents: of messages their fields and their parts, of listings their lines.

A message is read by its fields and its MIME parts up to a bound; what is larger is told from others by its length and
its digest, and so is all that the caller did not want to have at hand.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Final

from mailproxy.analysis.differences.looking import Looked, evidence
from mailproxy.analysis.differences.message import Part, read
from mailproxy.model.difference import Difference, What
from mailproxy.model.escape import escape, escape_text
from mailproxy.model.exchange import Content, Exchange
from mailproxy.model.octets import Side, Span
from mailproxy.wire.dots import undouble

READ: Final = 1 << 20
"""Octets of a message that are read."""
HEAD: Final = 65_536
SHOWN: Final = 200
VOLATILE: Final = frozenset(
    {"date", "message-id", "received", "dkim-signature", "arc-seal", "arc-message-signature", "delivered-to"}
    | {"arc-authentication-results", "authentication-results", "return-path", "resent-date", "resent-message-id"}
    | {
        "x-received",
        "x-google-smtp-source",
        "x-gm-message-state",
        "x-spam-status",
        "x-uidl",
        "references",
        "in-reply-to",
    }
)
"""Fields that differ from message to message, whatever they say."""


def differences(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    """What differs in the contents of two exchanges."""
    mine, yours = one.content, other.content
    if mine is None or yours is None or one.verb in good.course.offers:
        return
    if mine.ended is not yours.ended:
        said = _size(mine), _size(yours)
        whose = "bad" if mine.ended else "good"
        yield _difference(bad, one, other, said, f"The content has no end in the {whose} session.")
    elif _wrong(mine) != _wrong(yours):
        told = "Another number of octets came than announced."
        yield _difference(bad, one, other, (_size(mine), _size(yours)), told, What.MANNER)
    if good.streams.missing(mine.span) or bad.streams.missing(yours.span):
        yield from _by_digest(good, bad, one, other, strict)
    elif _same(good, bad, mine.span, yours.span):
        return
    elif _is_message(good, one):
        found = list(_messages(good, bad, one, other, strict))
        yield from found
        if strict and not found:
            said = _size(mine), _size(yours)
            yield _difference(bad, one, other, said, "The message says the same, and is written otherwise.")
    else:
        yield from _listings(good, bad, one, other, strict)


def _difference(
    bad: Looked, one: Exchange, other: Exchange, said: tuple[str, str], told: str, what: What = What.CONTENT
) -> Difference:
    return Difference(what, bad.stage(other), other.verb, *said, told, evidence(one), evidence(other))


def _size(content: Content) -> str:
    announced = "" if content.announced is None else f", {content.announced} announced"
    return f"{content.span.length} octets{announced}{'' if content.ended else ', no end'}"


def _wrong(content: Content) -> bool:
    """Whether clearly fewer or more octets came than were announced; servers count line ends as they like."""
    if content.announced is None or not content.announced:
        return False
    return content.ended and not 0.9 < content.span.length / content.announced < 1.1


def _is_message(looked: Looked, exchange: Exchange) -> bool:
    content = exchange.content
    assert content
    return content.span.side is Side.CLIENT or exchange.verb in looked.course.messages


def _same(good: Looked, bad: Looked, mine: Span, yours: Span) -> bool:
    """Whether the octets are the same; they are never joined."""
    return mine.length == yours.length and all(map(eq, _pieces(good, mine), _pieces(bad, yours)))


def _digest(looked: Looked, span: Span) -> bytes:
    found = hashlib.sha256()
    for octets in _pieces(looked, span):
        found.update(octets)
    return found.digest()


def _pieces(looked: Looked, span: Span) -> Iterator[bytes]:
    """The octets of a span, some at a time."""
    side, start, end = span
    return (looked.streams.octets(Span(side, at, min(end, at + READ))) for at in range(start, end, READ))


def _by_digest(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    """Octets that are not all at hand: their digests, where somebody has them. What nobody kept is no difference."""
    assert one.content
    assert other.content
    mine, yours = one.content.span, other.content.span
    digests = _kept_digest(good, mine), _kept_digest(bad, yours)
    if mine.length != yours.length or (all(digests) and digests[0] != digests[1]):
        said = f"{mine.length} octets", f"{yours.length} octets"
        yield _difference(bad, one, other, said, "The messages differ.")
    elif not all(digests) and _is_message(good, one):
        heads = _head(good, one), _head(bad, other)
        if all(heads):
            yield from _fields(good, bad, one, other, read(heads[0]).fields, read(heads[1]).fields, strict)


def _kept_digest(looked: Looked, span: Span) -> bytes:
    """The digest of octets, at hand or not; empty where some of them are not in the record."""
    if not looked.streams.missing(span):
        return _digest(looked, span)
    return looked.digest(span) if looked.digest else b""


def _head(looked: Looked, exchange: Exchange) -> bytes:
    """The fields of a message of which the body was not kept; empty where they were not either."""
    head, end, _ = _message(looked, exchange, _wire(looked, exchange)).partition(b"\r\n\r\n")
    return head + end if end else b""


def _message(looked: Looked, exchange: Exchange, wire: bytes) -> bytes:
    """The message of an exchange, dots undoubled."""
    return wire if exchange.verb in looked.course.counted else undouble(wire)


def _wire(looked: Looked, exchange: Exchange) -> bytes:
    """The message of an exchange as it went over the wire, as far as it is read."""
    assert exchange.content
    span = exchange.content.span
    return looked.streams.octets(span._replace(end=min(span.end, span.start + READ)))


def _dots(bad: Looked, one: Exchange, other: Exchange, wires: tuple[bytes, bytes]) -> Iterator[Difference]:
    """Whether the first line that differs does so by a dot that one side doubled (RFC 5321 section 4.5.2)."""
    if not any(wire.startswith(b"..") or b"\r\n.." in wire for wire in wires):
        return
    lines = zip(*(wire.split(b"\r\n") for wire in wires), strict=False)
    mine, yours = next((pair for pair in lines if pair[0] != pair[1]), (b"", b""))
    if mine == b"." + yours != b"." or yours == b"." + mine != b".":
        said = escape(mine)[:SHOWN], escape(yours)[:SHOWN]
        if all(line.startswith(b".") for line in (mine, yours)):
            whose = "bad" if len(mine) > len(yours) else "good"
            told = f"A line that begins with a dot is not doubled in the {whose} session."
            yield _difference(bad, one, other, said, told, What.MANNER)


def _messages(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    wires = _wire(good, one), _wire(bad, other)
    yield from _dots(bad, one, other, wires)
    mine, yours = read(_message(good, one, wires[0])), read(_message(bad, other, wires[1]))
    yield from _fields(good, bad, one, other, mine.fields, yours.fields, strict)
    for here, there in _unlike(mine.parts, yours.parts):
        told = "A part of the message differs." if here and there else "A part of the message is missing on one side."
        yield _difference(bad, one, other, (str(here or ""), str(there or "")), told)


def _fields(
    good: Looked,
    bad: Looked,
    one: Exchange,
    other: Exchange,
    mine: Mapping[str, str],
    yours: Mapping[str, str],
    strict: bool,
) -> Iterator[Difference]:
    for name in {**mine, **yours}:
        if name in VOLATILE and not strict:
            here, there = name in mine, name in yours
            if here is not there and name in {"date", "message-id"}:
                said = ("there", "") if here else ("", "there")
                yield _difference(bad, one, other, said, f"The field {escape_text(name)} is on one side only.")
            continue
        values = mine.get(name, ""), yours.get(name, "")
        if values[0] != values[1] and (strict or not _alike(good, name, *values)):
            said = f"{name}: {values[0]}" if values[0] else "", f"{name}: {values[1]}" if values[1] else ""
            shown = escape_text(said[0])[:SHOWN], escape_text(said[1])[:SHOWN]
            what = What.CONTENT if values[0].isascii() is values[1].isascii() else What.MANNER
            beyond = "" if what is What.CONTENT else ": one holds octets beyond ASCII"
            yield _difference(bad, one, other, shown, f"The field {escape_text(name)} differs{beyond}.", what)


def _alike(looked: Looked, name: str, mine: str, yours: str) -> bool:
    if name == "content-type":
        return _without_boundary(mine) == _without_boundary(yours)
    return looked.course.plain(mine) == looked.course.plain(yours)


def _without_boundary(value: str) -> str:
    return ";".join(part for part in value.split(";") if not part.strip().lower().startswith("boundary="))


def _unlike(mine: Sequence[Part], yours: Sequence[Part]) -> Iterator[tuple[Part | None, Part | None]]:
    """Parts that have no like on the other side, side by side."""
    here, there = Counter(mine), Counter(yours)
    only = [each for each in mine if here[each] > there[each]], [each for each in yours if there[each] > here[each]]
    for place in range(max(map(len, only))):
        yield (only[0][place] if place < len(only[0]) else None, only[1][place] if place < len(only[1]) else None)


def _listings(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    mine, yours = (_lines(looked, each) for looked, each in ((good, one), (bad, other)))
    alike, likewise = (mine, yours) if strict else (_plain(good, one, mine), _plain(bad, other, yours))
    if alike == likewise:
        return
    said = (_told(mine, alike, likewise)[:SHOWN], _told(yours, likewise, alike)[:SHOWN])
    yield _difference(bad, one, other, said, f"What {other.verb} lists differs.")


def _told(lines: Sequence[str], compared: Sequence[str], beside: Sequence[str]) -> str:
    """How many lines there are, and of those that the other session has not the first, as it was said."""
    there = set(beside)
    only = [said for said, plain in zip(lines, compared, strict=True) if plain not in there]
    return f"{len(lines)} listed" + (f", {len(only)} only here: {only[0]}" if only else "")


def _lines(looked: Looked, exchange: Exchange) -> list[str]:
    assert exchange.content
    octets = looked.streams.octets(exchange.content.span)
    lines = octets.decode("utf-8", "surrogateescape").split("\r\n")
    return [escape_text(line) for line in lines if line not in {"", "."}]


def _plain(looked: Looked, exchange: Exchange, lines: Sequence[str]) -> list[str]:
    return [looked.course.line(exchange.verb, looked.renumbered(exchange.verb, line)) for line in lines]
