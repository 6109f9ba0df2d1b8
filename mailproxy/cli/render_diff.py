"""How a comparison looks: first what matters, then the whole, side by side or one below the other."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from operator import ne
from typing import TYPE_CHECKING, Final, NamedTuple

from mailproxy.cli import render

if TYPE_CHECKING:
    from mailproxy.app.diff import Compared, Legs
    from mailproxy.app.diff_names import Names
    from mailproxy.model.difference import Comparison, Difference, Row
    from mailproxy.model.line import Line
    from mailproxy.model.session import Recording, Session

NARROW: Final = 100
"""Columns below which two transcripts do not fit beside one another."""
FEW: Final = 1
"""Rows that are the same beside those that are not, which are shown for orientation."""
NAMED: Final = 3
HEAD: Final = 2
"""Lines that are shown of those that are the same within an exchange."""
MOST: Final = 12
"""Lines that are shown of those that only one session has within an exchange."""
CELLS: Final = 40_000
"""How many pairs of lines are tried, to find those that are the same within an exchange."""
MEANT: Final = "in one session only, on purpose"
ALONE: Final = frozenset({"missing", "additional", "retried"})
IS: Final = " is "


class Pair(NamedTuple):
    """Two lines beside one another, None where a session has none."""

    good: "Line | None"
    bad: "Line | None"
    same: bool


def comparison(found: "Compared", unified: bool, folded: bool, called: "Names | None" = None) -> None:
    """Show a comparison; without names the sessions are called by what came of them."""
    from mailproxy.app.diff_names import names, retold

    named = called or names(found.comparison)
    each = retold(found.comparison, named)
    if found.chosen:
        for line in render.labelled("#", found.chosen, 2):
            render.say(line)
    for name, recording in ((named.good, each.good), (named.bad, each.bad)):
        for line in _title(name, recording.session):
            render.say(line)
    render.say()
    if each.deciding is None:
        render.say(render.paint("nothing differs", "cyan"))
    else:
        _deciding(each, each.deciding, named)
    if not folded or each.differences:
        columns = render.screen_width()
        render.say("\n".join(["", *_rows(each, columns, unified or columns < NARROW, folded)]))
    _around(each)


def _title(name: str, session: "Session") -> Iterator[str]:
    """Which session it is, and what came of it, in one line where that fits the screen."""
    which = f"session {session.id}" if session.id else render.safe(session.source)
    when = session.started.astimezone().strftime(", %Y-%m-%d %H:%M") if session.id else ""
    title = f"{name:<4}  {which}, {session.protocol}{when}: "
    if len(title) + len(render.safe(session.outcome)) <= render.screen_width():
        yield title + render.outcome(session)
        return
    yield title.rstrip()
    colour = "magenta" if session.failed else "cyan"
    yield from (render.paint(line, colour, bold=session.failed) for line in render.labelled("", session.outcome))


def _deciding(each: "Comparison", chosen: "Difference", names: "Names") -> None:
    where = f", at {chosen.stage}" if chosen.stage != "none" else ""
    render.say(render.paint(f"what matters{where}", bold=True))
    for label, text in (("that", chosen.told), (names.good, chosen.good), (names.bad, chosen.bad)):
        for line in render.labelled(label, text or "nothing"):
            render.say(f"  {line}")
    failed = [verdict for verdict in (each.bad_verdict, each.good_verdict) if verdict.outcome in {"failed", "partial"}]
    for verdict in failed[:1]:
        for line in render.labelled("why", f"{verdict.summary} ({verdict.stage}, {verdict.blame})"):
            render.say(f"  {line}")
        for line in render.labelled("do", verdict.remedy) if verdict.remedy else ():
            render.say(f"  {line}")


def _rows(each: "Comparison", columns: int, unified: bool, folded: bool) -> Iterator[str]:
    from mailproxy.app.passages import Passages

    good, bad = Passages(each.good), Passages(each.bad)
    skipped: list[Row] = []
    alone: list[Difference] = []
    for place, row in enumerate(each.rows):
        near = any(other.differences for other in each.rows[max(0, place - FEW) : place + FEW + 1])
        if folded and (not near or _meant(row)):
            skipped.append(row)
            continue
        yield from _skipped(skipped)
        skipped = []
        for pairs, more in _parts(_pairs(good.of(row.good), bad.of(row.bad), _alike(row)), folded):
            yield from _unified(pairs) if unified else _beside(pairs, (columns - 5) // 2)
            yield from [render.paint(f"      … {more}", dim=True)] if more else []
        alone += row.differences
        if not _goes_on(row, each.rows[place + 1 : place + 2]):
            yield from _told(alone)
            alone = []
    yield from _skipped(skipped)


def _skipped(rows: Sequence["Row"]) -> Iterator[str]:
    meant = sum(map(_meant, rows))
    told = [f"{n} exchange{'s' * (n != 1)} {how}" for n, how in ((len(rows) - meant, "alike"), (meant, MEANT)) if n]
    if told:
        yield render.paint(f"      … {', '.join(told)}", dim=True)


def _meant(row: "Row") -> bool:
    """Whether only one session has it, and was meant to: what a replay leaves out or says in its place."""
    return not row.differences and (row.good is None or row.bad is None)


def _goes_on(row: "Row", behind: "Sequence[Row]") -> bool:
    """Whether the same session alone goes on in the next row."""
    sides = row.good is None, row.bad is None
    return any(sides) and any((each.good is None, each.bad is None) == sides for each in behind)


def _alike(row: "Row") -> bool:
    """Whether both sessions have the same here, but for what is volatile."""
    return row.good is not None and row.bad is not None and not row.differences


def _pairs(good: Sequence["Line"], bad: Sequence["Line"], alike: bool) -> list[Pair]:
    """The lines of an exchange beside one another, those that are the same in one row."""
    if alike and len(good) == len(bad):
        return [Pair(one, other, True) for one, other in zip(good, bad, strict=True)]
    mine, yours = ([line.mark + line.text for line in lines] for lines in (good, bad))
    if len(mine) * len(yours) > CELLS:
        return [Pair(one, other, False) for one, other in zip_longest(good, bad)]
    if len(mine) == len(yours) and sum(map(ne, mine, yours)) <= 1:  # of most exchanges: one answer differs
        return [Pair(one, other, said == heard) for one, other, said, heard in zip(good, bad, mine, yours, strict=True)]
    found: list[Pair] = []
    for what, start, end, other_start, other_end in SequenceMatcher(None, mine, yours, False).get_opcodes():
        beside = zip_longest(good[start:end], bad[other_start:other_end])
        found += [Pair(one, other, what == "equal") for one, other in beside]
    return found


def _parts(pairs: list[Pair], folded: bool) -> Iterator[tuple[list[Pair], str]]:
    """The lines in parts that are alike or not, and what is said of lines of each that are not shown."""
    for same, part in groupby(pairs, lambda pair: pair.same):
        lines = list(part)
        both = any(line.good for line in lines) and any(line.bad for line in lines)
        shown = HEAD if same else len(lines) if both else MOST
        hidden = len(lines) - shown
        if folded and hidden > 1:
            yield lines[:shown], f"{hidden} lines alike" if same else f"{hidden} more lines"
        else:
            yield lines, ""


def _unified(pairs: Sequence[Pair]) -> Iterator[str]:
    """One below the other; lines of one side alone begin with - (good) or + (bad)."""
    if pairs[0].same:
        yield from (f"  {render.line(pair.bad)}" for pair in pairs if pair.bad)
    else:
        yield from (f"{render.paint('-', bold=True)} {render.line(pair.good)}" for pair in pairs if pair.good)
        yield from (f"{render.paint('+', bold=True)} {render.line(pair.bad)}" for pair in pairs if pair.bad)


def _beside(pairs: Sequence[Pair], width: int) -> Iterator[str]:
    """Side by side, the good one on the left; ≠ stands between lines that differ."""
    for pair in pairs:
        sign = " " if pair.same else render.paint("≠", bold=True)
        for left, right in zip_longest(_wrapped(pair.good, width), _wrapped(pair.bad, width), fillvalue=""):
            yield f"{left:<{width}} {sign}  {right}".rstrip()


def _wrapped(line: "Line | None", width: int) -> Iterator[str]:
    """A line in as many as it takes, broken behind a blank where that can be."""
    text = line.mark + line.text if line else ""
    while len(text) > width:
        at = text.rfind(" ", width // 2, width) + 1 or width
        yield text[:at]
        text = "    " + text[at:]
    yield text


def _told(differences: "Sequence[Difference]") -> Iterator[str]:
    told = list(_sentences(differences))
    for each in told[:NAMED]:
        lines = textwrap.wrap(render.safe(each), render.width() - 10, break_on_hyphens=False)
        yield render.paint("      = " + "\n        ".join(lines), dim=True)
    if len(told) > NAMED:
        yield render.paint(f"      = and {len(told) - NAMED} more", dim=True)


def _sentences(differences: "Sequence[Difference]") -> Iterator[str]:
    """What is told of them; commands that only one session has, in one sentence."""
    for where, group in groupby(differences, lambda each: each.told.partition(IS)[2] if each.what in ALONE else ""):
        told = [each.told for each in group]
        if where and len(told) > 1:
            counted = Counter(each.partition(IS)[0] for each in told)
            yield f"{', '.join(f'{n} {name}' if n > 1 else name for name, n in counted.items())} are {where}"
        else:
            yield from told


def _around(each: "Comparison") -> None:
    """What belongs to no exchange, but for what was told first of all."""
    around = [found for found in each.around if found != each.deciding]
    if around:
        render.say()
    for found in around:
        both = f" {found.good} | {found.bad}" if found.good and found.bad else ""
        for line in render.labelled("≠", found.told + both, 2):
            render.say(line)


def legs(recording: "Recording", found: "Legs") -> None:
    """Show what one leg gave against what the other was handed."""
    for line in _title("legs", recording.session):
        render.say(line)
    render.say()
    for side, peer, proxy in found.carried:
        ours = f", and {proxy} octets of mailproxy's own in its place" if proxy else ""
        _indented(f"the {side} said {peer} octets, which went on as they came{ours}")
    render.say()
    if part := recording.session.replays:
        _indented(f"mailproxy itself played the {part}")
    elif not found.acts:
        render.say(render.paint("mailproxy did nothing but pass on what was said", "cyan"))
    for act in found.acts:
        _indented(act.text)


def _indented(text: str) -> None:
    for line in textwrap.wrap(render.safe(text), render.width() - 4, break_on_hyphens=False):
        render.say(f"  {line}")
