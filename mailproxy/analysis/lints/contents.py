"""Messages that are made in another way than the RFCs want: their lines, their octets, their headers."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.lint import Found, Lint, times
from mailproxy.analysis.said import Message
from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence
from mailproxy.model.octets import Span

BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
LONG: Final = re.compile(rb"(?<![^\r\n])[^\r\n]{999,}")
WANTED: Final = ("From", "Date", "Message-ID")
BLANK: Final = re.compile(rb"\r?\n\r?\n")
TRACES: Final = 20  # places that are shown at most


def _found(name: str, pattern: re.Pattern[bytes], view: View, tells: str) -> Iterator[Found]:
    places = [place for message in view.messages for place in _places(message, pattern)]
    if places:
        count = times(len(places), name)
        yield Found(tells.format(count=count[0].upper() + count[1:]), tuple(map(Evidence, places[:TRACES])))


def _places(message: Message, pattern: re.Pattern[bytes]) -> Iterator[Span]:
    side, start, _ = message.span
    for found in pattern.finditer(message.octets):
        yield Span(side, start + found.start(), start + found.end())


def bare(view: View) -> Iterator[Found]:
    """A line that ends in LF or in CR alone."""
    yield from _found("line", BARE, view, "{count} of a message ended in a bare LF or CR (RFC 5321 section 2.3.8).")


def long(view: View) -> Iterator[Found]:
    """A line of more than 998 octets."""
    yield from _found("line", LONG, view, "{count} of a message had more than 998 octets (RFC 5321 section 4.5.3.1.6).")


def nul(view: View) -> Iterator[Found]:
    """An octet of zero."""
    yield from _found("NUL", re.compile(rb"\0"), view, "{count} stood in a message (RFC 5322 section 4).")


def eight_bit(view: View) -> Iterator[Found]:
    """Octets above 127 that were not announced (RFC 6152), in a message that is sent."""
    for message in view.messages if view.smtp else ():
        if message.octets.isascii():
            continue
        mail = view.mail(message.place)
        told = mail.argument.upper() if mail else "8BITMIME"
        if "8BITMIME" in told or "BINARYMIME" in told:
            continue
        offered = view.offers(message.place, "8BITMIME")
        why = "the server does not offer 8BITMIME" if offered is False else "MAIL did not say BODY=8BITMIME"
        yield Found(f"A message holds octets above 127, and {why} (RFC 6152).", (Evidence(message.span),))


def headers(view: View) -> Iterator[Found]:
    """Headers that a message must or should have (RFC 5322 section 3.6)."""
    for message in view.messages if view.smtp and not view.gaps else ():
        if message.exchange.verb != "DATA":
            continue
        head = b"\r\n" + BLANK.split(message.octets, maxsplit=1)[0].lower()
        missing = [name for name in WANTED if b"\n" + name.lower().encode() + b":" not in head]
        if missing:
            names = " and ".join([", ".join(missing[:-1]), missing[-1]] if missing[1:] else missing)
            yield Found(
                f"A message was sent without {names} (RFC 5322 section 3.6).",
                (Evidence(Span(message.span.side, message.span.start, message.span.start + len(head) - 2)),),
            )


def size(view: View) -> Iterator[Found]:
    """A message that is larger than MAIL announced (RFC 1870 section 6.1)."""
    for message in view.messages if view.smtp else ():
        mail = view.mail(message.place)
        said = re.search(r"\bSIZE=(\d{1,18})\b", mail.argument, re.I) if mail else None
        if mail and said and message.exchange.verb == "DATA" and message.size > int(said[1]):
            yield Found(
                f"MAIL announced {said[1]} octets, and the message had {message.size} (RFC 1870).",
                (Evidence(mail.command), Evidence(message.span)),
            )


LINTS: Final = (
    Lint("bare-line-end", "lines of a message that end in a bare LF or CR", bare),
    Lint("long-line", "lines of a message over 998 octets", long),
    Lint("nul", "a NUL in a message", nul),
    Lint("8-bit", "octets above 127 in a message that 8BITMIME did not announce", eight_bit),
    Lint("missing-header", "a message sent without From, Date or Message-ID", headers),
    Lint("size-exceeded", "a message larger than SIZE announced", size),
)
