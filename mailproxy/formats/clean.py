"""What mail, forums, terminals and word processors do to a text, undone.

Each way of dirt is looked for in the whole text and only undone where it is everywhere: so a text that is clean stays
as it is, to the last octet.
"""

import html
import re
from datetime import date, datetime, time
from itertools import pairwise
from typing import Final

_BLANKS: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u200b": None, "\ufeff": None})
_BREAK: Final = re.compile(r"<br ?/?>(?:[ \t]*\n)?", re.IGNORECASE)
_TAG: Final = re.compile(r"</?(?:p|pre|div|span|code|body|html)(?: [^<>\n]*)?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#0?39);")
_FENCE: Final = re.compile(r"[ \t]*(?:```|~~~)[\w-]*[ \t]*")
_QUOTE: Final = re.compile(r"(?:> ?|\| )")
_NUMBER: Final = re.compile(r"[ \t]*([0-9]{1,7})(?:[.:)|\t] ?|  ?)")
_CLOCK = r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?"
_TIME: Final = re.compile(
    rf"[ \t]*\[?(?:[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
    rf"|(?:[A-Z][a-z]{{2}} )?[A-Z][a-z]{{2}} [ 0-9][0-9] {_CLOCK}(?: [0-9]{{4}})?|{_CLOCK})\]?:?(?:\t| ?)"
)
_PROMPT: Final = re.compile(r"(?:\([\w.-]+\) ?)?\[?[\w.-]+@[\w.-]+[ :][^$#%>]{0,60}\]?[$#%] ?|[A-Z]:\\[^>]{0,80}>")
_LAST: Final = frozenset("$#%>")
_DATE: Final = re.compile(r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})")
_CLOCKED: Final = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,6}))?")
_REPLY: Final = re.compile(r"([2-5][0-9]{2})-")
_TICKED: Final = re.compile(r"`(.*)`")
_LINE_END: Final = re.compile(r"\r+\n|\r")
_MOST: Final = 0.7
_LAYERS: Final = 6


def lines(text: str, times: bool = False) -> list[str]:
    """The lines of a text, cleaned; with the times that they begin with, if asked for."""
    return clean(text, times).split("\n")


def clean(text: str, times: bool = False) -> str:
    """A text without BOM, HTML, `^M`, fences, quote marks, line numbers, times and empty prompts around its lines."""
    text = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
    if "\u00a0" in text or "\u200b" in text:
        text = text.translate(_BLANKS)
    for _ in range(_LAYERS):
        before, text = text, _once(text, times)
        if text == before:
            break
    return text


def _once(text: str, times: bool) -> str:
    """A text without the outermost layer of each kind of dirt."""
    split = _without_ticks([line for line in text.split("\n") if not _FENCE.fullmatch(line)])
    split = unescaped("\n".join(split)).split("\n")
    split = [line.removesuffix("^M") for line in _without_last(split) if not _PROMPT.fullmatch(line)]
    split = _without_numbers(_without(split, _QUOTE))
    return "\n".join(split if times else _without(split, _TIME))


def timed(line: str) -> tuple[datetime | time | None, str]:
    """The time that a line begins with, and the rest; a time of day where no date stands there."""
    found = _TIME.match(line)
    clock = _CLOCKED.search(found[0]) if found else None
    if not found or not clock:
        return None, line
    try:
        of_day = time(int(clock[1]), int(clock[2]), int(clock[3]), int((clock[4] or "0").ljust(6, "0")))
        day = _DATE.search(found[0])
        moment = datetime.combine(date(int(day[1]), int(day[2]), int(day[3])), of_day) if day else of_day
    except ValueError:
        return None, line
    return moment, line[found.end() :]


def apart(split: list[str], mark: re.Pattern[str]) -> list[str]:
    """The lines, broken before each `mark` that is not the first of its line, where lines were joined."""
    marks = sum(len(mark.findall(line)) for line in split)
    marked = sum(mark.search(line) is not None for line in split)
    if marks < 2 * max(1, marked):
        return split
    found: list[str] = []
    for line in split:
        cuts = [0, *(each.start() for each in mark.finditer(line) if each.start()), len(line)]
        found += [line[start:end].rstrip() if end < len(line) else line[start:] for start, end in pairwise(cuts)]
    return found


def replies(text: str) -> list[str]:
    """The lines of a reply that stand in one: `250-a250-b250 c`, with blanks between or without."""
    found = _REPLY.match(text)
    if not found or not re.search(rf".{found[1]} ", text):
        return [text]
    return [line.rstrip() for line in re.split(rf"(?<=.)(?={found[1]}[- ])", text)]


def unescaped(text: str) -> str:
    """A text that went through HTML, as it was: where nothing but tags of layout holds a bare `<`."""
    breaks, escaped = len(_BREAK.findall(text)), _ENTITY.search(text)
    if not escaped and breaks < max(1, _MOST * text.count("\n")):
        return text
    plain = _TAG.sub("", _BREAK.sub("\n", text))
    return text if escaped and "<" in plain else html.unescape(plain)


def _without(split: list[str], what: re.Pattern[str]) -> list[str]:
    """The lines without what nearly all of them begin with."""
    told = [line for line in split if line.strip()]
    found = sum(what.match(line) is not None for line in told)
    if len(told) < 2 or found < _MOST * len(told):
        return split
    return [what.sub("", line, count=1) if what.match(line) else line for line in split]


def _without_last(split: list[str]) -> list[str]:
    """The lines without the prompt that waits behind them."""
    end = len(split)
    while end and not split[end - 1].strip():
        end -= 1
    return split[: end - 1] if end and split[end - 1].strip() in _LAST else split


def _without_numbers(split: list[str]) -> list[str]:
    """The lines without their numbers, where these count up by one."""
    found = [_NUMBER.match(line) for line in split]
    numbers = [int(each[1]) for each in found if each]
    steps = sum(after - before == 1 for before, after in pairwise(numbers))
    if len(numbers) < 3 or steps < _MOST * (len(numbers) - 1) or len(numbers) < _MOST * sum(map(bool, split)):
        return split
    return [line[each.end() :] if each else line for line, each in zip(split, found, strict=True)]


def _without_ticks(split: list[str]) -> list[str]:
    told = [line.strip() for line in split if line.strip()]
    ticked = sum(_TICKED.fullmatch(line) is not None for line in told)
    if not told or ticked < _MOST * len(told):
        return split
    return [found[1] if (found := _TICKED.fullmatch(line.strip())) else line for line in split]
