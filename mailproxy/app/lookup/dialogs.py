"""Dialogs of Thunderbird's and error codes of Outlook's."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from mailproxy.analysis.clients import outlook
from mailproxy.analysis.clients.behaviour import Behaviour, happened, pattern
from mailproxy.analysis.clients.thunderbird import BEHAVIOURS
from mailproxy.analysis.clients.thunderbird_dialogs import DIALOGS, Dialog
from mailproxy.analysis.clients.thunderbird_sending import VERSION
from mailproxy.app.lookup.answer import Answer, Trace
from mailproxy.app.lookup.replies import replies
from mailproxy.model.session import Recording
from mailproxy.store.search import Query

THUNDERBIRD: Final = "Thunderbird's dialog"
_NUMBER: Final = re.compile(r"0x([0-9a-f]{8})\b", re.IGNORECASE)
_BEGINS: Final = re.compile(r"[2-5][0-9]*|-ERR")
_QUOTED: Final = re.compile(r"responded:\s*(.*?)\.?$", re.IGNORECASE)
_LEAST: Final = 12  # letters of a dialog that mean one, and not any


def codes(text: str) -> Iterator[Answer]:
    """What the error codes in a text mean."""
    for found in dict.fromkeys(each.lower() for each in _NUMBER.findall(text)):
        if (code := outlook.code(int(found, 16))) is not None:
            means = code.means if code.reply or code.note else f"{code.means} Nothing of it goes over the wire."
            yield Answer(
                "Outlook's error", f"0x{code.number:08X} {code.name}", means, outlook.SOURCE, "", _recorded(code)
            )


def dialogs(text: str) -> Iterator[Answer]:
    """What a dialog, or a part of its text, may come from, and what the server's words in it mean."""
    said = " ".join(text.split())
    found = [(_behaviour(each, words), words) for each, words in _behaviours(said)]
    found += [(_dialog(each, words), words) for each in DIALOGS if (words := _shown(each.text, said)) is not None]
    yield from (answer for answer, _ in found)
    if not found and (quoted := _QUOTED.search(said)):
        yield _words(quoted[1])
        yield from replies(quoted[1])
    for words in dict.fromkeys(words for _, words in found):
        yield from replies(words)


def _behaviours(said: str) -> Iterator[tuple[Behaviour, str]]:
    for each in BEHAVIOURS:
        if each.shows and (words := _shown(each.shows, said)) is not None:
            yield each, words


def _shown(shows: str, said: str) -> str | None:
    """The server's words in a text that shows this, empty where there are none in it; None where it does not."""
    if found := pattern(shows).search(said):
        return " ".join((found.groupdict().get("reply") or "").split())
    least = len(re.sub(r"[^A-Za-z]", "", said)) >= _LEAST
    return "" if least and said.lower() in " ".join(shows.split()).lower() else None


def _behaviour(each: Behaviour, words: str) -> Answer:
    begins = _BEGINS.match(each.when.code or "")
    query = Query(protocol=each.protocol, code=begins[0] if begins else None, text=words or None)
    traces = (Trace(query, partial(_happened, each)),)
    source = f"seen with Thunderbird {each.version} ({each.id})"
    return Answer(THUNDERBIRD, _readable(each.shows), each.means, source, each.remedy, traces)


def _words(words: str) -> Answer:
    means = "These are the server's own words. Thunderbird shows them without the code that stood before them."
    return Answer(
        "Words of the server", words, means, f"seen with Thunderbird {VERSION}", "", (Trace(Query(text=words)),)
    )


def _happened(each: Behaviour, recording: Recording) -> bool:
    return bool(happened(each, recording))


def _dialog(each: Dialog, words: str) -> Answer:
    query = Query(failed=True, protocol=each.protocol, code=each.reply or None, text=words or each.note or None)
    traces = (Trace(query),) if each.reply or each.note else ()
    return Answer(THUNDERBIRD, _readable(each.text), each.means, f"Thunderbird {VERSION} ({each.key})", "", traces)


def _readable(shows: str) -> str:
    return re.sub(r"\{\w+\}", "…", shows)


def _recorded(code: outlook.OutlookCode) -> tuple[Trace, ...]:
    if not code.reply and not code.note:
        return ()
    return (Trace(Query(failed=True, protocol=code.protocol or None, code=code.reply or None, text=code.note or None)),)
