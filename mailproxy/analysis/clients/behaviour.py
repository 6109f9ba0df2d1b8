"""What a mail program makes of something on the wire, and whether that was there."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Evidence
from mailproxy.model.octets import Mark, Note
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams

NONE: Final[frozenset[Flag]] = frozenset()
NOTHING: Final = Exchange(0, "", "", None, 0)
_OFFERS: Final = frozenset({"EHLO", "CAPA"})


class When(NamedTuple):
    """What must hold of one exchange; what is empty or None asks nothing. All texts are patterns of `re`.

    `verb` (none: nothing was asked), `argument` and `code` (none: no reply came) must match whole; `code` and `octets`
    are those of the reply that decided. `text` is searched in what it says, without regard to case, the lines joined by
    LF; `octets` in it as it went over the wire; `content` in the content. `replies` is how many there are. `flags` are
    its own, `then` is one of the exchange behind it; with `last` there is none. Of the session, `offered` is searched
    in what EHLO or CAPA was told, `never` is a verb that was not said, `note` is how a note of trouble begins.
    """

    verb: str | None = None
    argument: str = ""
    code: str | None = None
    text: str = ""
    octets: bytes = b""
    content: bytes = b""
    replies: int | None = None
    flags: frozenset[Flag] = NONE
    then: Flag | None = None
    last: bool = False
    offered: str = ""
    never: str = ""
    note: str = ""


class Behaviour(NamedTuple):
    """Something that a mail program makes of its server's words.

    `version` is the program's with which it was seen. `shows` is what its user reads, as in `pattern`, and empty where
    the program says nothing at all. `means` tells in plain words what happened, `remedy` what to do.
    """

    id: str
    version: str
    protocol: str
    when: When
    shows: str
    means: str
    remedy: str


def happened(behaviour: Behaviour, recording: Recording) -> tuple[Evidence, ...]:
    """What proves that it was there, the first command and reply of the kind and the note; nothing where it was not."""
    session, when = recording.session, behaviour.when
    if session.protocol != behaviour.protocol:
        return ()
    noted = _noted(when.note, recording)
    steps = sorted(recording.exchanges, key=lambda each: each.number) or [NOTHING]
    streams = Streams(recording.entries)
    if noted is None or not _holds(when, steps, streams):
        return ()
    for index, each in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        if _is(when, each, following) and _says(when, each, streams):
            return (*_spans(each), *noted)
    return ()


@lru_cache(512)
def pattern(shows: str) -> re.Pattern[str]:
    """What a dialog's text must match: `{code}` stands for three digits, other names in braces for anything, a
    blank for any white space."""
    *parts, last = (part for part in re.split(r"(\{\w+\})", " ".join(shows.split())) if part)
    whole = "".join(map(_part, parts)) + _part(last).replace(".*?", ".*")  # a name at the end takes all that is left
    return re.compile(whole, re.DOTALL | re.IGNORECASE)


def _part(part: str) -> str:
    if part == "{code}":
        return "(?P<code>[0-9]{3})"
    if part.startswith("{"):
        return f"(?P<{part[1:-1]}>.*?)"
    return re.escape(part).replace(r"\ ", r"\s+")


def _noted(begins: str, recording: Recording) -> tuple[Evidence, ...] | None:
    """The note that is wanted; None where there is none."""
    if not begins:
        return ()
    for place, entry in enumerate(recording.entries):
        if isinstance(entry, Note) and entry.mark is Mark.TROUBLE and re.match(begins, entry.text):
            return (Evidence(note=place),)
    return None


def _holds(when: When, steps: Sequence[Exchange], streams: Streams) -> bool:
    """What is asked of the whole session."""
    if when.never and any(re.fullmatch(when.never, each.verb) for each in steps):
        return False
    return not when.offered or any(
        re.search(when.offered, _offers(each, streams), re.IGNORECASE | re.MULTILINE)
        for each in steps
        if each.verb in _OFFERS
    )


def _offers(each: Exchange, streams: Streams) -> str:
    listed = streams.octets(each.content.span).decode("utf-8", "replace") if each.content else ""
    return f"{each.reply.text if each.reply else ''}\n{listed}"


def _is(when: When, each: Exchange, following: Exchange | None) -> bool:
    code = each.reply.code if each.reply else ""
    return (
        (when.verb is None or bool(re.fullmatch(when.verb, each.verb)))
        and (not when.argument or bool(re.fullmatch(when.argument, each.argument)))
        and (when.code is None or bool(re.fullmatch(when.code, code)))
        and (when.replies is None or when.replies == len(each.replies))
        and when.flags <= each.flags
        and (when.then is None or (following is not None and when.then in following.flags))
        and not (when.last and following)
    )


def _says(when: When, each: Exchange, streams: Streams) -> bool:
    reply, content = each.reply, each.content
    if when.text and not (reply and re.search(when.text, reply.text, re.IGNORECASE | re.MULTILINE)):
        return False
    if when.octets and not (reply and re.search(when.octets, streams.octets(reply.span))):
        return False
    return not when.content or bool(content and re.search(when.content, streams.octets(content.span)))


def _spans(each: Exchange) -> Iterator[Evidence]:
    if each.command:
        yield Evidence(each.command)
    if each.reply:
        yield Evidence(each.reply.span)
