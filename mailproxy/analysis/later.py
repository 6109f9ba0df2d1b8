"""What came later in a session, found by where it was last: so whether a refusal was made good is asked in no time."""

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from mailproxy.analysis.step import accepted, delivered
from mailproxy.model.exchange import Exchange

ASKED: Final = "asked"
DELIVERED: Final = "delivered"
WENT_ON: Final = "went on"
"""Things besides verbs: that anything was asked, that a message was taken, that anything but QUIT was granted."""


class Later:
    """Where each thing was last: a verb that was granted, a verb with what it was about, and those above."""

    def __init__(self, steps: Iterable[Exchange]) -> None:
        self._last: dict[Hashable, int] = {thing: place for place, each in enumerate(steps) for thing in _things(each)}

    def than(self, index: int, *things: Hashable) -> bool:
        """Whether any of these things came later than a step."""
        return any(self._last.get(thing, -1) > index for thing in things)


def command(each: Exchange) -> tuple[str, str]:
    """A verb with what it is about: that of RCPT is its path, in one case of letters."""
    if each.verb != "RCPT":
        return each.verb, each.argument
    return each.verb, re.sub(r"^(?:FROM|TO):|[<>\s]", "", each.argument.split("> ")[0], flags=re.I).lower()


def _takes_leave(each: Exchange) -> bool:
    """Whether a server takes its leave unasked, or what it was asked is not in the record."""
    return not each.verb and each.reply is not None and each.reply.code == "221"


def _things(each: Exchange) -> Iterator[Hashable]:
    if each.command:
        yield ASKED
    if delivered(each):
        yield DELIVERED
    if accepted(each) and not _takes_leave(each):
        yield each.verb
        yield command(each)
        if each.verb != "QUIT":
            yield WENT_ON
