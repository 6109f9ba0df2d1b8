"""How a comparison looks: first what matters, then the whole, side by side or one below the other."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from mailproxy.cli import render

if TYPE_CHECKING:
    from mailproxy.app.diff import Compared, Legs
    from mailproxy.model.difference import Comparison, Difference, Row
    from mailproxy.model.line import Line
    from mailproxy.model.session import Recording, Session

NARROW: Final = 100
"""Columns below which two transcripts do not fit beside one another."""
FEW: Final = 1
"""Rows that are the same beside those that are not, which are shown for orientation."""
NAMED: Final = 3


GOOD_AND_BAD: Final = ("good", "bad")
THEN_AND_NOW: Final = ("then", "now")
"""What the two sessions are called: one that went well and one that did not, or a recorded one and its replay."""


def comparison(found: "Compared", unified: bool, folded: bool, names: tuple[str, str] = GOOD_AND_BAD) -> None:
    """Show a comparison."""
    each = found.comparison
    if names != GOOD_AND_BAD:
        each = _renamed(each, names)
    if found.chosen:
        render.say(render.paint(f"# {found.chosen}", dim=True))
    for name, recording in zip(names, (each.good, each.bad), strict=True):
        render.say(f"{name:<4}  {_title(recording.session)}")
    render.say()
    if each.deciding is None:
        render.say(render.paint("nothing differs", "cyan"))
    else:
        _deciding(each, each.deciding, names)
    if not folded or each.differences:
        columns = render.screen_width()
        render.say("\n".join(["", *_rows(each, columns, unified or columns < NARROW, folded)]))
    _around(each)


def _title(session: "Session") -> str:
    name = f"session {session.id}" if session.id else render.safe(session.source)
    when = session.started.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{name}, {session.protocol}{f', {when}' if session.id else ''}: {render.outcome(session)}"


def _renamed(each: "Comparison", names: tuple[str, str]) -> "Comparison":
    """The comparison in the words of these names."""

    def told(found: "Difference") -> "Difference":
        return found._replace(told=renamed(found.told, names))

    rows = tuple(row._replace(differences=tuple(map(told, row.differences))) for row in each.rows)
    chosen = told(each.deciding) if each.deciding else None
    return each._replace(rows=rows, around=tuple(map(told, each.around)), deciding=chosen)


def renamed(told: str, names: tuple[str, str]) -> str:
    """A sentence about the good and the bad session in the words of these names: now, not in the bad session."""
    for good_or_bad, name in zip(GOOD_AND_BAD, names, strict=True):
        told = re.sub(f"in the {good_or_bad} (session|one)", name, told)
        told = re.sub(f"In the {good_or_bad} (session|one)", name.title(), told)
    return told


def _deciding(each: "Comparison", chosen: "Difference", names: tuple[str, str]) -> None:
    where = f", at {chosen.stage}" if chosen.stage != "none" else ""
    render.say(render.paint(f"what matters{where}", bold=True))
    for line in render.labelled("that", chosen.told):
        render.say(f"  {line}")
    for label, text in zip(names, (chosen.good, chosen.bad), strict=True):
        for line in render.labelled(label, text or "nothing"):
            render.say(f"  {line}")
    verdict = each.bad_verdict
    if verdict.outcome in {"failed", "partial"}:
        for line in render.labelled("why", f"{verdict.summary} ({verdict.stage}, {verdict.blame})"):
            render.say(f"  {line}")
        for line in render.labelled("do", verdict.remedy) if verdict.remedy else ():
            render.say(f"  {line}")


def _rows(each: "Comparison", columns: int, unified: bool, folded: bool) -> Iterator[str]:
    from mailproxy.app.passages import Passages

    good, bad = Passages(each.good), Passages(each.bad)
    same = 0
    for place, row in enumerate(each.rows):
        near = any(other.differences for other in each.rows[max(0, place - FEW) : place + FEW + 1])
        if folded and not near:
            same += 1
            continue
        yield from _skipped(same)
        same = 0
        said = good.of(row.good), bad.of(row.bad)
        yield from _unified(*said, row) if unified else _beside(*said, row, (columns - 5) // 2)
        yield from _told(row.differences)
    yield from _skipped(same)


def _skipped(same: int) -> Iterator[str]:
    if same:
        yield render.paint(f"      … {same} exchange{'s' * (same != 1)} alike", dim=True)


def _unified(good: Sequence["Line"], bad: Sequence["Line"], row: "Row") -> Iterator[str]:
    """One below the other; lines of one side alone begin with - (good) or + (bad)."""
    if not row.differences and row.good and row.bad:
        yield from (f"  {render.line(line)}" for line in bad)
    else:
        yield from (f"{render.paint('-', bold=True)} {render.line(line)}" for line in good)
        yield from (f"{render.paint('+', bold=True)} {render.line(line)}" for line in bad)


def _beside(good: Sequence["Line"], bad: Sequence["Line"], row: "Row", width: int) -> Iterator[str]:
    """Side by side, the good one on the left; ≠ stands between lines that differ."""
    mine = [text for line in good for text in _wrapped(line, width)]
    yours = [text for line in bad for text in _wrapped(line, width)]
    unlike = bool(row.differences) or not (row.good and row.bad)
    sign = render.paint("≠" if unlike else " ", bold=unlike)
    for left, right in zip_longest(mine, yours, fillvalue=""):
        yield f"{left:<{width}} {sign}  {right}".rstrip()


def _wrapped(line: "Line", width: int) -> Iterator[str]:
    text = line.mark + line.text
    yield text[:width]
    for at in range(width, len(text), width - 4):
        yield "    " + text[at : at + width - 4]


def _told(differences: "tuple[Difference, ...]") -> Iterator[str]:
    yield from (render.paint(f"      = {render.safe(each.told)}", dim=True) for each in differences[:NAMED])
    if len(differences) > NAMED:
        yield render.paint(f"      = and {len(differences) - NAMED} more", dim=True)


def _around(each: "Comparison") -> None:
    """What belongs to no exchange."""
    if each.around:
        render.say()
    for found in each.around:
        if found.good and found.bad:
            render.say(f"≠ {render.safe(found.told)} {render.safe(found.good)} | {render.safe(found.bad)}")
        else:
            render.say(f"≠ {render.safe(found.told)}")


def legs(recording: "Recording", found: "Legs") -> None:
    """Show what one leg gave against what the other was handed."""
    render.say(f"{_title(recording.session)}\n")
    for side, peer, proxy in found.carried:
        ours = f", and {proxy} octets of mailproxy's own in its place" if proxy else ""
        render.say(f"  the {side} said {peer} octets, which went on as they came{ours}")
    render.say()
    if not found.acts:
        render.say(render.paint("mailproxy did nothing but pass on what was said", "cyan"))
    for act in found.acts:
        render.say(f"  {render.safe(act.text)}")
