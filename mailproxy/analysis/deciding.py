"""Which difference matters: the first that leads to the other outcome.

The verdict on the bad session tells where its failure showed. A difference in a row that the verdict's evidence touches
led there, or is what it led to; of those before, only some can have: a login or TLS that was left out before a refusal,
and the offer that is missing. Within a row a cause stands before its effect, where it is one: that a recipient is
another says less than that it was refused.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from mailproxy.analysis.step import refused
from mailproxy.model.difference import Comparison, Difference, Row, What
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Blame, Outcome, Stage, Verdict
from mailproxy.model.octets import Span
from mailproxy.protocols import named

PLAIN: Final = frozenset({What.WORDS, What.TIME, What.RETRIED})
ODD_SECRET: Final = re.compile(r"blank at|line end|empty|not base64|fields for")
PATH: Final = re.compile(r"<[^<>]*>")
VALUE: Final = re.compile(r" \S+=\S*")
WEIGHT: Final = (
    What.REPLY, What.MANNER, What.CONTENT, What.TLS, What.ENDING, What.MISSING, What.ADDITIONAL, What.COMMAND,
    What.OFFER, What.RETRIED, What.WORDS, What.TIME,
)  # fmt: skip
"""What says most where both sessions came to the same."""
NO_END: Final = "no end"
ODD: Final = "\\x"
"""How an octet is shown that no command holds."""
CANCEL: Final = "*"
SLIPS: Final = 3
"""So many refusals in a row are the reason when a server leaves after them."""


def deciding(found: Comparison) -> Difference | None:
    """The one that matters; None where nothing differs."""
    bad, good = (verdict.outcome is not Outcome.OK for verdict in (found.bad_verdict, found.good_verdict))
    if bad and (chosen := _Leading(found).first()):
        return chosen
    if good and not bad and (chosen := _Leading(_turned(found)).first()):
        return _other_way(chosen)
    return min(found.differences, key=lambda each: WEIGHT.index(each.what), default=None)


def _turned(found: Comparison) -> Comparison:
    """The same, the one in the place of the other: it was the first session that failed."""
    rows = tuple(Row(row.bad, row.good, tuple(map(_other_way, row.differences))) for row in found.rows)
    around = tuple(map(_other_way, found.around))
    return Comparison(found.bad, found.good, rows, around, None, found.bad_verdict, found.good_verdict)


def _other_way(each: Difference) -> Difference:
    what = _OTHER_WAY.get(each.what, each.what)
    return Difference(
        what, each.stage, each.verb, each.bad, each.good, each.told, each.bad_evidence, each.good_evidence
    )


_OTHER_WAY: Final = {What.MISSING: What.ADDITIONAL, What.ADDITIONAL: What.MISSING}


class _Leading:
    """What led to a failure."""

    def __init__(self, found: Comparison) -> None:
        self._found = found
        self._course = named(found.bad.session.protocol).course
        self._stages = dict(self._course.doors)
        self._verdict: Verdict = found.bad_verdict
        spans = [each.span for each in self._verdict.evidence if each.span]
        self._touched = [place for place, row in enumerate(found.rows) if row.bad and _touches(row.bad, spans)]
        self._shown = self._touched[-1] if self._touched else len(found.rows) - 1

    def first(self) -> Difference | None:
        """The first of them; None where none weighs anything."""
        return next(self._turned_away(), None) or next(self._candidates(), None)

    def _turned_away(self) -> Iterator[Difference]:
        """That the server, which had refused several times, took its leave unasked (RFC 5321 section 3.8)."""
        *before, last = [row for row in self._found.rows if row.bad] or [Row(None, None)]
        slips = [row for row in before[-SLIPS:] if row.bad and row.bad.command and refused(row.bad)]
        left = last.bad and last.bad.reply and not last.bad.verb and last.bad.reply.code == self._course.leaving
        if left and len(slips) == SLIPS:
            yield from (each for each in last.differences if each.what is What.ADDITIONAL)

    def _candidates(self) -> Iterator[Difference]:
        if self._verdict.stage in {Stage.CONNECT, Stage.TLS}:
            yield from self._doors()
            early = self._verdict.stage is Stage.CONNECT
            yield from (each for each in self._around() if early or (each.what is What.TLS and each.bad))
        for place, row in enumerate(self._found.rows[: self._shown + 1]):
            yield from self._of(place, row)
        yield from self._around()
        for row in self._found.rows:
            yield from (each for each in row.differences if each.what not in PLAIN)

    def _around(self) -> Iterator[Difference]:
        """Trouble of the connections, that of the bad session first, TLS before all."""
        around = [each for each in self._found.around if each.bad or each.good]
        yield from sorted(around, key=lambda each: (not each.bad, each.what is not What.TLS))

    def _doors(self) -> Iterator[Difference]:
        for row in self._found.rows:
            yield from (each for each in row.differences if self._is_door(each))

    def _is_door(self, each: Difference) -> bool:
        """Whether something is not offered that the client had to have to come further."""
        if each.what is not What.OFFER or each.bad:
            return False
        name = each.good.split(" ", 1)[0].partition("=")[0].upper()
        door = self._stages.get(name)
        tls = door is Stage.TLS and self._verdict.stage is Stage.AUTH and self._tls_first
        return (tls or door is self._verdict.stage) and name not in self._asked

    @cached_property
    def _tls_first(self) -> bool:
        """Whether the good session came to a login under TLS, or to none."""
        verbs = {row.good.verb for row in self._found.rows if row.good}
        return bool(verbs & self._course.upgrades) or not verbs & self._course.logins

    @cached_property
    def _asked(self) -> frozenset[str]:
        """What the client asked for all the same: the answer to that weighs more than that it was not offered."""
        return frozenset(row.bad.verb for row in self._found.rows if row.bad)

    def _of(self, place: int, row: Row) -> Iterator[Difference]:
        """What in a row can have led to the failure, a cause before its effect."""
        weighty = sorted((each for each in row.differences if self._weighs(each, place)), key=self._is_late)
        replies = any(each.what is What.REPLY for each in weighty)
        answered = replies and row.bad is not None and row.bad.reply is not None and row.bad.reply.code[:1] != "3"
        cut = (each for each in weighty if each.what is What.CONTENT and NO_END in each.told + each.bad)
        yield from () if answered else cut
        yield from (each for each in weighty if each.what is What.COMMAND and (_telling(each) or not replies))
        yield from (each for each in weighty if each.what is What.MANNER and each.bad)
        yield from (each for each in weighty if each.what is What.REPLY)
        yield from (each for each in weighty if each.what is not What.COMMAND)

    def _weighs(self, each: Difference, place: int) -> bool:
        touched = place in self._touched or not self._touched
        match each.what:
            case What.OFFER:
                return self._is_door(each)
            case What.MISSING:
                leave = each.verb in self._course.leaves and self._verdict.stage in {Stage.QUIT, Stage.UPDATE}
                return leave or (each.verb in self._course.logins | self._course.upgrades and self._refused_later)
            case What.REPLY:
                return touched or not self._found.rows[place].bad or refused(self._bad(place))
            case What.ADDITIONAL:
                return touched
            case What.MANNER:
                return touched or (self._verdict.blame is Blame.CLIENT_PROGRAM and each.bad == Flag.EARLY)
            case What.COMMAND | What.CONTENT:
                return touched
            case kind:
                return kind not in PLAIN

    def _bad(self, place: int) -> Exchange:
        bad = self._found.rows[place].bad
        assert bad
        return bad

    @property
    def _refused_later(self) -> bool:
        """Whether what was refused in the end is asked for in the good session too, or may be."""
        row = self._found.rows[self._shown]
        also = row.good is not None or not row.differences
        return also and row.bad is not None and row.bad.command is not None and refused(row.bad)

    def _is_late(self, each: Difference) -> bool:
        """Whether it is of something that comes behind TLS."""
        door = self._stages.get(each.good.split(" ", 1)[0].upper())
        return each.what is What.OFFER and door is not Stage.TLS


def _telling(each: Difference) -> bool:
    """Whether it says more that a command differs than that its answer does."""
    one, other = each.good, each.bad
    if (ODD in other and ODD not in one) or other == CANCEL:
        return True
    if ODD_SECRET.search(other) and not ODD_SECRET.search(one):
        return True
    verbs = one.split(" ", 1)[0].upper(), other.split(" ", 1)[0].upper()
    if verbs[0] != verbs[1] and not one.startswith("<secret"):
        return True
    return "<secret" not in other and _rest(one) != _rest(other) and not other[-1:].isdigit()


def _rest(command: str) -> str:
    """A command without its path and parameters that have a value, in one case of letters."""
    return VALUE.sub("", PATH.sub("", command)).upper()


def _touches(exchange: Exchange, spans: list[Span]) -> bool:
    return any(
        one.side is other.side and one.start < other.end and one.end > other.start
        for one in _spans(exchange)
        for other in spans
    )


def _spans(exchange: Exchange) -> Iterator[Span]:
    if exchange.command:
        yield exchange.command
    yield from exchange.extra
    yield from (reply.span for reply in exchange.replies)
    if exchange.content:
        yield exchange.content.span
