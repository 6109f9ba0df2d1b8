"""Which sessions there are that …"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Engine, Table, exists, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from mailproxy.model.session import Session
from mailproxy.store.library import HEADERS, sessions
from mailproxy.store.tables import EXCHANGES, FRAMES, NOTES, REPLIES, SESSIONS
from mailproxy.store.texts import clean, instant


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a session; None asks nothing.

    `client` and `server` are parts of a name, an address or a URL. `code` is the code of any reply or how it begins
    (`5`, `550`, `-ERR`; with a dot an enhanced one: `5.7`). `text` is looked for in arguments, replies, notes and
    all speech, without regard to case. `limit` is how many sessions are wanted at most.
    """

    failed: bool | None = None
    protocol: str | None = None
    client: str | None = None
    server: str | None = None
    since: datetime | None = None
    code: str | None = None
    text: str | None = None
    limit: int | None = None


def find(engine: Engine, query: Query) -> list[Session]:
    """The sessions that answer the query, the newest first."""
    wanted = HEADERS.where(*_conditions(query)).order_by(SESSIONS.c.id.desc()).limit(query.limit)
    with engine.begin() as connection:
        return sessions(connection, wanted)


def _conditions(query: Query) -> Iterator[ColumnElement[bool]]:
    if query.failed is not None:
        yield SESSIONS.c.failed.is_(query.failed)
    if query.protocol is not None:
        yield SESSIONS.c.protocol == query.protocol
    if query.client is not None:
        yield _has(SESSIONS.c.client, query.client)
    if query.server is not None:
        yield _has(SESSIONS.c.server, query.server) | _has(SESSIONS.c.upstream, query.server)
    if query.since is not None:
        yield SESSIONS.c.started_at >= instant(query.since)
    if query.code is not None:
        column = REPLIES.c.enhanced if "." in query.code else REPLIES.c.code
        yield _any(REPLIES, column.startswith(query.code, autoescape=True))
    if query.text is not None:
        yield _said(query.text)


def _said(text: str) -> ColumnElement[bool]:
    return or_(
        _any(EXCHANGES, _has(EXCHANGES.c.argument, text)),
        _any(REPLIES, _has(REPLIES.c.text, text)),
        _any(NOTES, _has(NOTES.c.text, text)),
        _any(FRAMES, (FRAMES.c.kind == "speech") & _Holds(FRAMES.c.octets, text)),
    )


def _any(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(table.c.session_id == SESSIONS.c.id, condition)


def _has(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return column.icontains(clean(text), autoescape=True)


class _Holds(FunctionElement[bool]):
    """Whether octets hold a text, without regard to the case of ASCII letters."""

    type = Boolean()
    inherit_cache = True


@compiles(_Holds)
def _holds(element: _Holds, compiler: Any, **options: Any) -> str:
    octets, said = (compiler.process(each, **options) for each in element.clauses)
    return f"instr(lower(CAST({octets} AS TEXT)), lower({said})) > 0"  # LIKE would end at a NUL


@compiles(_Holds, "postgresql")
def _holds_postgresql(element: _Holds, compiler: Any, **options: Any) -> str:
    octets, said = (compiler.process(each, **options) for each in element.clauses)
    return f"strpos(lower(encode({octets}, 'escape')), lower(encode(convert_to({said}, 'UTF8'), 'escape'))) > 0"
