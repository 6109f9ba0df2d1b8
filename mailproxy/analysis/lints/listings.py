"""POP3's arithmetic: what STAT, LIST, UIDL and the announcements say, against one another and against what came."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.analysis.lint import Found, Lint, times
from mailproxy.analysis.step import accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Evidence

PAIR: Final = re.compile(r"\s*([0-9]{1,18})\s+([0-9]{1,18})")
SHOWN: Final = 10


class Listing(NamedTuple):
    """A listing: what asked for it, and the number and the word of each of its lines."""

    asked: Exchange
    lines: tuple[tuple[int, str], ...]


def number(text: str) -> int | None:
    """A decimal number of a listing; None where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _stat(view: View) -> tuple[Exchange, int, int] | None:
    """STAT, and how many messages of how many octets it tells of."""
    for each in _before_deletion(view):
        found = PAIR.match(each.reply.text) if each.verb == "STAT" and accepted(each) and each.reply else None
        if found:
            return each, int(found[1]), int(found[2])
    return None


def listing(view: View, verb: str) -> Listing | None:
    """The whole listing that a verb brought, as long as nothing was deleted."""
    for each in _before_deletion(view):
        if each.verb != verb or each.argument.strip() or not each.content or not each.content.ended:
            continue
        octets = view.said.octets(each.content.span)
        if octets is None or view.said.torn(each.content.span):
            return None
        rows = [line.split(None, 1) for line in octets.decode("utf-8", "replace").split("\r\n")]
        numbered = [(number(row[0]), row[1].strip()) for row in rows if len(row) == 2]
        return Listing(each, tuple((n, word) for n, word in numbered if n is not None))
    return None


def _before_deletion(view: View) -> Iterator[Exchange]:
    for each in view.steps if view.protocol == "pop3" else ():
        if each.verb == "DELE" and accepted(each):
            return
        yield each


def counts(view: View) -> Iterator[Found]:
    """STAT against LIST and UIDL (RFC 1939 sections 5 and 7)."""
    stat = _stat(view)
    if stat is None:
        return
    asked, count, octets = stat
    for verb in ("LIST", "UIDL"):
        found = listing(view, verb)
        if found and len(found.lines) != count:
            yield Found(
                f"STAT tells of {times(count, 'message')}, and {verb} of {len(found.lines)}.",
                (*evidence(asked), *evidence(found.asked)),
            )
        elif found and verb == "LIST":
            total = sum(number(size) or 0 for _, size in found.lines)
            if total != octets:
                yield Found(
                    f"STAT tells of {octets} octets, and the sizes of LIST make {total}.",
                    (*evidence(asked), *evidence(found.asked)),
                )


def sizes(view: View) -> Iterator[Found]:
    """What was announced, against what came: by LIST, and by the reply to RETR."""
    if view.protocol != "pop3":
        return
    found = listing(view, "LIST")
    listed = {n: number(size) for n, size in (found.lines if found else ())}
    wrong = []
    for message in view.messages:
        each = message.exchange
        promised = {listed.get(number(each.argument.strip()) or 0), each.content.announced if each.content else None}
        other = [size for size in promised - {message.size} if size is not None]
        if each.verb == "RETR" and other:
            wrong.append((message, max(other)))
    if wrong:
        message, said = wrong[0]
        more = f", and {times(len(wrong) - 1, 'other')} like it" if wrong[1:] else ""
        yield Found(
            f"Message {message.exchange.argument.strip()} was announced with {said} octets and has "
            f"{message.size}{more}.",
            tuple(proof for each, _ in wrong[:SHOWN] for proof in evidence(each.exchange)),
        )


def doubles(view: View) -> Iterator[Found]:
    """Two messages with one identifier (RFC 1939 section 7)."""
    found = listing(view, "UIDL")
    if found is None:
        return
    names = [name for _, name in found.lines]
    double = len(names) - len(set(names))
    if double:
        yield Found(
            f"{times(double, 'message')} of UIDL had an identifier that another has: the client may leave them out.",
            (*evidence(found.asked), *([Evidence(found.asked.content.span)] if found.asked.content else [])),
        )


LINTS: Final = (
    Lint("count-differs", "STAT against LIST and UIDL", counts),
    Lint("size-differs", "announced sizes against the messages that came", sizes),
    Lint("uid-doubled", "two messages with one identifier", doubles),
)
