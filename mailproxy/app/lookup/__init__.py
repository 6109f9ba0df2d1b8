"""What a dialog or an error code means on the wire, and which recorded sessions have it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from sqlalchemy import Engine

from mailproxy.app.library import NoLibrary, open_library
from mailproxy.app.lookup.answer import Answer, Trace
from mailproxy.app.lookup.dialogs import codes, dialogs
from mailproxy.app.lookup.replies import replies
from mailproxy.app.lookup.tls import tls
from mailproxy.app.take_out import headers
from mailproxy.model.session import Session
from mailproxy.store import library
from mailproxy.store.search import Query, find

__all__ = ["Answer", "NoLibrary", "as_json", "look_up", "open_library", "recorded"]

NEWEST: Final = 10
LOOKED_AT: Final = 200  # sessions at most, of which some may hold what is looked for


def look_up(text: str) -> list[Answer]:
    """What a text means: the whole of a dialog or a part of it, a code, a reply, an alert. Nothing where none knows."""
    found = chain(codes(text), dialogs(text), tls(text), replies(text))
    return list({(each.kind, each.name, each.means): each for each in found}.values())


def recorded(engine: Engine, text: str, answers: Sequence[Answer], limit: int = NEWEST) -> list[Session]:
    """The newest sessions that have what is meant; where nobody knows what is, those in which the text was said."""
    traces = [trace for answer in answers for trace in answer.traces]
    if not answers:
        traces = [Trace(Query(text=" ".join(text.split())))]
    found = {session.id: session for trace in traces for session in _having(engine, trace, limit)}
    return sorted(found.values(), key=lambda each: each.id, reverse=True)[:limit]


def as_json(text: str, answers: Sequence[Answer], sessions: Sequence[Session]) -> str:
    """The same for programs."""
    known = [
        {"kind": each.kind, "name": each.name, "means": each.means, "remedy": each.remedy, "source": each.source}
        for each in answers
    ]
    listed = json.loads(headers(sessions))["sessions"]
    return json.dumps({"version": 1, "asked": text, "answers": known, "sessions": listed}, indent=2) + "\n"


def _having(engine: Engine, trace: Trace, limit: int) -> Iterator[Session]:
    if trace.holds is None:
        yield from find(engine, replace(trace.query, limit=limit))
        return
    for session in find(engine, replace(trace.query, limit=LOOKED_AT)):
        if trace.holds(library.load(engine, session.id)):
            yield session
            limit -= 1
            if not limit:
                return
