"""What differs between two exchanges that stand side by side: what was asked, how, and what was answered."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from mailproxy.analysis.differences import contents
from mailproxy.analysis.differences.looking import Looked, command, evidence, reply
from mailproxy.model.difference import Difference, What
from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Flag, Reply
from mailproxy.model.mask import MARK

MANNERS: Final = {
    Flag.EARLY: "the client did not wait for the server",
    Flag.UNPARSED: "it is no command or no reply of the protocol",
    Flag.MISPLACED: "FROM and TO are mixed up",
    Flag.NOT_MAIL: "it is no mail",
    Flag.BAD_LINE_END: "a line does not end in CRLF",
    Flag.LONG_LINE: "a line is over 512 octets long",
    Flag.EIGHT_BIT: "octets beyond ASCII are in it",
    Flag.NUL: "a NUL is in it",
    Flag.MIXED_CODES: "the lines of the reply differ in code",
    Flag.ODD_CODE: "the code is not the one that RFC 5321 asks for",
    Flag.ODD_END: "the message ends in another way than CRLF . CRLF",
    Flag.STRAY: "octets stand where TLS begins",
    Flag.SHORT: "fewer octets came than were announced",
}


def differences(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    """What differs, the command first."""
    answered = list(_answers(good, bad, one, other, strict))
    refused = any(each.what is What.REPLY for each in answered)
    yield from _asked(good, bad, one, other, strict or refused)
    yield from _manner(good, bad, one, other)
    yield from answered
    yield from contents.differences(good, bad, one, other, strict)


def unlike(what: What, bad: Looked, one: Exchange, other: Exchange, said: tuple[str, str], told: str) -> Difference:
    """A difference between two exchanges."""
    return Difference(what, bad.stage(other), other.verb, *said, told, evidence(one), evidence(other))


def _asked(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    course = good.course
    if one.verb == other.verb and one.argument == other.argument and not (one.extra or other.extra):
        return
    same = one.verb == other.verb and one.argument == other.argument
    if not same and not strict:
        mine, yours = good.meant(one), bad.meant(other)
        same = one.verb == other.verb and course.plain_argument(mine) == course.plain_argument(yours)
    shapes = (_shapes(good, one), _shapes(bad, other))
    alike = shapes[0] == shapes[1] or (not strict and _uncounted(shapes[0]) == _uncounted(shapes[1]))
    if not same and MARK.search(one.argument.encode("utf-8", "surrogateescape")):
        same = one.verb == other.verb and alike and _open(one) == _open(other)
    said = command(good, one), command(bad, other)
    if not same and not strict and one.verb == other.verb and _masked_once(one.argument, other.argument):
        return
    if not same:
        yield unlike(What.COMMAND, bad, one, other, said, f"{other.verb or 'What'} was said otherwise.")
    elif not alike and all(shapes):
        told = _CANCELLED if _CANCEL in {shape for found in shapes for shape in found} else _SECRET
        yield unlike(What.COMMAND, bad, one, other, (", ".join(shapes[0]), ", ".join(shapes[1])), told)


def _masked_once(one: str, other: str) -> bool:
    """Whether the same may stand on both sides, masked on one and as it was said on the other."""
    masks = [MARK.fullmatch(each.encode("utf-8", "surrogateescape")) is not None for each in (one, other)]
    return masks[0] is not masks[1]


_SECRET: Final = "The secret has another shape."
_COUNTED: Final = re.compile(r"^(<secret: [\w-]+), \d+ octets>$")
_CANCELLED: Final = "The login was cancelled in one of the sessions."
_CANCEL: Final = "*"
"""The response that cancels a SASL exchange (RFC 4954 section 4)."""


def _open(exchange: Exchange) -> str:
    """The argument without its secret."""
    return MARK.sub(b"", exchange.argument.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _shapes(looked: Looked, exchange: Exchange) -> tuple[str, ...]:
    """The shapes of the secrets of an exchange, where they are masked, and the word that cancels it."""
    spans = [*([exchange.command] if exchange.command else []), *exchange.extra]
    said = [looked.streams.octets(span) for span in spans]
    found = [mark for octets in said for mark in (MARK.findall(octets) or [octets.strip()] * (octets == b"*\r\n"))]
    return tuple(escape_text(mark.decode("utf-8", "replace")) for mark in found)


def _uncounted(shapes: tuple[str, ...]) -> list[str]:
    """Shapes without the length of a response of which only that is known: nonces and tokens come in any length."""
    return [_COUNTED.sub(r"\1>", shape) for shape in shapes]


def _manner(good: Looked, bad: Looked, one: Exchange, other: Exchange) -> Iterator[Difference]:
    for flag, told in MANNERS.items():
        here, there = flag in one.flags, flag in other.flags
        if here is not there:
            whose = "good" if here else "bad"
            said = (_odd(good, flag), "") if here else ("", _odd(bad, flag))
            yield unlike(What.MANNER, bad, one, other, said, f"In the {whose} session {told}.")


def _odd(looked: Looked, flag: Flag) -> str:
    """What is odd, in the words of the record where it has any."""
    dropped = (text for _, text in looked.view.troubles if text.startswith("dropped "))
    return next(dropped, flag.value) if flag is Flag.STRAY else flag.value


def _answers(good: Looked, bad: Looked, one: Exchange, other: Exchange, strict: bool) -> Iterator[Difference]:
    offers = one.verb in good.course.offers and other.verb in bad.course.offers
    if (one.reply is None) is not (other.reply is None):
        if not (good.missing_between(one, None) if one.reply is None else bad.missing_between(other, None)):
            yield _reply(good, bad, one, other, one.reply, other.reply)
        return
    pairs = list(zip_longest(one.replies, other.replies))
    if one.verb != other.verb or ((one.extra or other.extra) and len(one.replies) != len(other.replies)):
        pairs = [(one.reply, other.reply)]
    for mine, yours in pairs:
        if mine is None or yours is None:
            yield _reply(good, bad, one, other, mine, yours)
            return
        if mine.code != yours.code or (mine.enhanced != yours.enhanced and mine.enhanced and yours.enhanced):
            yield _reply(good, bad, one, other, mine, yours)
            return
        if offers and mine.positive:
            yield from _offers(good, bad, one, other, _lines(mine), _lines(yours))
            mine, yours = (each._replace(text=each.text.split("\n")[0]) for each in (mine, yours))
        if not _same_words(good, bad, one, other, mine, yours, strict):
            told = f"The answer to {other.verb} has other words." if other.verb else "The server has other words."
            yield unlike(What.WORDS, bad, one, other, (reply(good, mine), reply(bad, yours)), told)
    if one.content and other.content and offers:
        lines = (_listed(good, one), _listed(bad, other))
        yield from _offers(good, bad, one, other, *lines)


def _reply(
    good: Looked, bad: Looked, one: Exchange, other: Exchange, mine: Reply | None, yours: Reply | None
) -> Difference:
    what = f"{other.verb or 'The client'} was" if other.command else "The client was"
    told = (
        f"{what} answered {yours.code}, and {mine.code} in the good session."
        if mine and yours
        else (f"{what} not answered." if mine else f"{what} answered in the bad session only.")
    )
    said = reply(good, mine) or _silence(good, one), reply(bad, yours) or _silence(bad, other)
    return unlike(What.REPLY, bad, one, other, said, told)


def _silence(looked: Looked, exchange: Exchange) -> str:
    """How the session ended, where it did instead of an answer."""
    last = exchange is looked.steps[-1] and looked.view.troubles
    return escape_text(last[-1][1]) if last else ""


def _same_words(
    good: Looked, bad: Looked, one: Exchange, other: Exchange, mine: Reply, yours: Reply, strict: bool
) -> bool:
    if mine.text == yours.text:
        return True
    return not strict and _plain(good, one, mine) == _plain(bad, other, yours)


def _plain(looked: Looked, exchange: Exchange, found: Reply) -> list[str]:
    """The lines of a reply without what is volatile in them; an answer of one thing is like a line of their listing."""
    lines = found.text.split("\n")
    if exchange.argument and exchange.verb in looked.course.numbered:
        lines = [looked.course.line(exchange.verb, looked.renumbered(exchange.verb, line)) for line in lines]
    return [looked.plain(line) for line in lines]


def _lines(found: Reply) -> list[str]:
    return found.text.split("\n")[1:]


def _listed(looked: Looked, exchange: Exchange) -> list[str]:
    assert exchange.content
    octets = looked.streams.octets(exchange.content.span)
    return [line for line in octets.decode("utf-8", "surrogateescape").split("\r\n") if line not in {"", "."}]


def _offers(
    good: Looked, bad: Looked, one: Exchange, other: Exchange, mine: list[str], yours: list[str]
) -> Iterator[Difference]:
    """Capabilities, in whatever order: those that one of the two lacks, and those that are offered otherwise."""
    here, there = _offered(mine), _offered(yours)
    for name in [*here, *(each for each in there if each not in here)]:
        said = here.get(name, ""), there.get(name, "")
        if said[0] == said[1] or _words(said[0]) == _words(said[1]) != set():
            continue
        if not said[0]:
            told = f"{name} is offered in the bad session only."
        else:
            told = f"{name} is offered otherwise." if said[1] else f"{name} is not offered."
        yield unlike(What.OFFER, bad, one, other, (escape_text(said[0]), escape_text(said[1])), told)


def _offered(lines: list[str]) -> dict[str, str]:
    return {line.split()[0].upper(): line for line in lines if line.split()}


def _words(line: str) -> set[str]:
    return {word.upper() for word in line.split()[1:]}
