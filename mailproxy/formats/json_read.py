"""Recordings from JSON."""

import json
from datetime import datetime

from mailproxy.formats import json_tls
from mailproxy.formats.error import FormatError
from mailproxy.formats.json_node import Node
from mailproxy.formats.json_write import VERSION
from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session


def recognise(text: str) -> bool:
    """Whether a text is of this format, by its first characters."""
    start = text[:200].lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"version"' in start and '"sessions"' in start


def read(text: str, source: str = "") -> list[Recording]:
    """The recordings, equal to those that were written; one that was written as a header has no entries.

    `FormatError` says where in `source` something is wrong.
    """
    name = source or "json"
    root = Node(_value(text, name), f"{name}:")
    if (version := root.get("version").whole()) != VERSION:
        raise FormatError(f"{name}:version: {version} is not known here; this is version {VERSION}")
    return [_recording(node) for node in root.get("sessions").items()]


def _value(text: str, name: str) -> object:
    try:
        value: object = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{name}:{error.lineno}: no JSON: {error.msg} in column {error.colno}") from None
    except (RecursionError, ValueError) as error:
        raise FormatError(f"{name}:1: JSON that cannot be read: {error}") from None
    return value


def _recording(node: Node) -> Recording:
    session = _session(node)
    entries = node.get("entries").items() if node.has("entries") else []
    exchanges = node.get("exchanges").items() if node.has("exchanges") else []
    return Recording(
        session,
        tuple(_entry(entry, session.started) for entry in entries),
        tuple(_exchange(exchange, session.started) for exchange in exchanges),
    )


def _session(node: Node) -> Session:
    started = node.get("started").time()
    duration = node.get("duration").some()
    return Session(
        id=node.get("id").whole(),
        protocol=node.get("protocol").text(),
        started=started,
        upstream=node.get("upstream").text(),
        client=_leg(node.get("client"), Side.CLIENT, started),
        server=_leg(node.get("server"), Side.SERVER, started),
        duration=duration and duration.microseconds(),
        source=node.get("source").text(),
        replays=node.get("replays").text() if node.has("replays") else "",
        user=node.get("user").text(),
        outcome=node.get("outcome").text(),
        failed=node.get("failed").flag(),
    )


def _leg(node: Node, side: Side, started: datetime) -> Leg:
    connected = node.get("connected").some()
    ending = node.get("ending").some()
    tls = node.get("tls").some() if node.has("tls") else None
    return Leg(
        side=side,
        host=node.get("host").text(),
        address=node.get("address").text(),
        port=node.get("port").whole(),
        local_address=node.get("local_address").text(),
        local_port=node.get("local_port").whole(),
        connected=connected and connected.since(started),
        ending=ending and _ending(ending, started),
        tls=tls and json_tls.read(tls),
    )


def _ending(node: Node, started: datetime) -> Ending:
    by = node.get("by").some()
    return Ending(by and by.word(Side), node.get("how").word(How), node.get("at").since(started))


def _entry(node: Node, started: datetime) -> Entry:
    at = node.get("at").since(started)
    if node.has("mark"):
        return Note(node.get("mark").word(Mark), node.get("text").text(), at)
    return Frame(
        side=node.get("side").word(Side),
        octets=node.get("octets").octets(),
        at=at,
        start=node.get("start").whole(),
        wire=node.get("wire").whole(),
        kind=node.get("kind").word(Kind),
        origin=node.get("origin").word(Origin),
        secure=node.get("secure").flag(),
    )


def _exchange(node: Node, started: datetime) -> Exchange:
    command = node.get("command").some()
    content = node.get("content").some()
    return Exchange(
        number=node.get("number").whole(),
        verb=node.get("verb").text(),
        argument=node.get("argument").text(),
        command=command and _span(command),
        at=node.get("at").since(started),
        replies=tuple(_reply(reply, started) for reply in node.get("replies").items()),
        content=content and _content(content),
        extra=tuple(_span(span) for span in node.get("extra").items()),
        flags=frozenset(flag.word(Flag) for flag in node.get("flags").items()),
    )


def _reply(node: Node, started: datetime) -> Reply:
    return Reply(
        code=node.get("code").text(),
        enhanced=node.get("enhanced").text(),
        text=node.get("text").text(),
        span=_span(node.get("span")),
        at=node.get("at").since(started),
    )


def _content(node: Node) -> Content:
    announced = node.get("announced").some()
    return Content(_span(node.get("span")), node.get("ended").flag(), announced and announced.whole())


def _span(node: Node) -> Span:
    return Span(node.get("side").word(Side), node.get("start").whole(), node.get("end").whole())
