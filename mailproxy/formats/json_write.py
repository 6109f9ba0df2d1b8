"""Recordings as JSON."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from mailproxy.formats import json_tls
from mailproxy.formats.json_time import written_time
from mailproxy.model.escape import escape
from mailproxy.model.exchange import Content, Exchange, Reply
from mailproxy.model.octets import Entry, Frame, Note, Span
from mailproxy.model.session import Leg, Recording, Session
from mailproxy.model.tls import TlsFacts

VERSION: Final = 1

Object = dict[str, object]


def write(recordings: Iterable[Recording], *, entries: bool = True) -> str:
    """The JSON text, pure ASCII; without `entries` only the header of each session."""
    sessions = [_recording(recording) if entries else header(recording.session) for recording in recordings]
    return json.dumps({"version": VERSION, "sessions": sessions}, indent=2) + "\n"


def header(session: Session, tls: Callable[[TlsFacts], Object] = json_tls.brief) -> Object:
    """What there is to know of a session besides what was said."""
    return {
        "id": session.id,
        "protocol": session.protocol,
        "started": written_time(session.started),
        "duration": _seconds(session.duration),
        "upstream": session.upstream,
        "user": session.user,
        "outcome": session.outcome,
        "failed": session.failed,
        "source": session.source,
        "replays": session.replays,
        "client": _leg(session.client, session.started, tls),
        "server": _leg(session.server, session.started, tls),
    }


def _recording(recording: Recording) -> Object:
    started = recording.session.started
    return {
        **header(recording.session, json_tls.written),
        "entries": [_entry(entry, started) for entry in recording.entries],
        "exchanges": [_exchange(exchange, started) for exchange in recording.exchanges],
    }


def _leg(leg: Leg, started: datetime, tls: Callable[[TlsFacts], Object]) -> Object:
    ending = leg.ending
    return {
        "host": leg.host,
        "address": leg.address,
        "port": leg.port,
        "local_address": leg.local_address,
        "local_port": leg.local_port,
        "connected": None if leg.connected is None else _at(leg.connected, started),
        "ending": ending and {"by": ending.by, "how": ending.how, "at": _at(ending.at, started)},
        "tls": leg.tls and tls(leg.tls),
    }


def _entry(entry: Entry, started: datetime) -> Object:
    match entry:
        case Note(mark, text, at):
            return {"mark": mark, "text": text, "at": _at(at, started)}
        case Frame():
            return {
                "side": entry.side,
                "octets": escape(entry.octets),
                "at": _at(entry.at, started),
                "start": entry.start,
                "wire": entry.wire,
                "kind": entry.kind,
                "origin": entry.origin,
                "secure": entry.secure,
            }


def _exchange(exchange: Exchange, started: datetime) -> Object:
    last = exchange.reply
    return {
        "number": exchange.number,
        "verb": exchange.verb,
        "argument": exchange.argument,
        "code": last and last.code,
        "enhanced": last and last.enhanced,
        "text": last and last.text,
        "latency": _seconds(exchange.latency),
        "at": _at(exchange.at, started),
        "command": exchange.command and _span(exchange.command),
        "replies": [_reply(reply, started) for reply in exchange.replies],
        "content": exchange.content and _content(exchange.content),
        "extra": [_span(span) for span in exchange.extra],
        "flags": sorted(exchange.flags),
    }


def _reply(reply: Reply, started: datetime) -> Object:
    return {
        "code": reply.code,
        "enhanced": reply.enhanced,
        "text": reply.text,
        "span": _span(reply.span),
        "at": _at(reply.at, started),
    }


def _content(content: Content) -> Object:
    return {"span": _span(content.span), "ended": content.ended, "announced": content.announced}


def _span(span: Span) -> Object:
    return {"side": span.side, "start": span.start, "end": span.end}


def _at(microseconds: int, started: datetime) -> str:
    return written_time(started + timedelta(microseconds=microseconds))


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000
