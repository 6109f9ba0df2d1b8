"""The exchanges of an excerpt, in order: what a reader cannot know of a session whose beginning is missing."""

from collections.abc import Sequence
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Frame, Mark, Note
from mailproxy.model.session import Recording

TURNING_AWAY: Final = frozenset({"521", "554"})
"""Refusals that may be greetings as well (RFC 5321 section 3.1, RFC 7504)."""


def steps(recording: Recording) -> tuple[Exchange, ...]:
    """The exchanges in the order of what was asked.

    Where the beginning is missing and the client speaks first, a refusal is an answer to it, though its code could
    greet: every reply then belongs to the command before the one that it was given to.
    """
    found = tuple(sorted(recording.exchanges, key=lambda each: each.number))
    if not found or Flag.GREETING not in found[0].flags or not _lacks_beginning(recording):
        return found
    first = found[0].reply
    asked = found[1:]
    if first is None or first.code not in TURNING_AWAY or not asked or Flag.EARLY not in asked[0].flags:
        return found
    return _moved_up(found[0], asked)


def _moved_up(greeting: Exchange, asked: Sequence[Exchange]) -> tuple[Exchange, ...]:
    mended: list[Exchange] = []
    replies = greeting.replies
    for index, each in enumerate(asked):
        if each.content or not replies:
            return (*mended, each._replace(replies=replies or each.replies), *asked[index + 1 :])
        mended.append(each._replace(replies=replies))
        replies = each.replies
    return tuple(mended)


def _lacks_beginning(recording: Recording) -> bool:
    for entry in recording.entries:
        if isinstance(entry, Note) and entry.mark is Mark.GAP:
            return True
        if isinstance(entry, Frame) and entry.length:
            return False
    return False
