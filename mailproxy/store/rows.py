"""Values of the model as rows of the tables, and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Session
from mailproxy.model.tls import Certificate
from mailproxy.store.texts import clean, instant, told
from mailproxy.store.tls_rows import Row, certificate_rows, tls_facts, tls_row

# A driver takes plain text faster than an enumeration's, and a table is faster than an enumeration on the way back.
_WORDS = {word: word.value for words in (Side, Kind, Origin) for word in words}
_SIDES = {side.value: side for side in Side}
_KINDS = {kind.value: kind for kind in Kind}
_ORIGINS = {origin.value: origin for origin in Origin}
_NO_FLAGS: frozenset[Flag] = frozenset()


class Header(NamedTuple):
    """What is known of a session besides what was said: a row of `sessions`, two of `legs`, some of `certificates`.

    The row of a leg without TLS ends before the columns of TLS.
    """

    session: Row
    client: Row
    server: Row
    certificates: tuple[Row, ...] = ()

    @property
    def id(self) -> int:
        """The session's number."""
        return int(self.session[0])

    @property
    def closed(self) -> bool:
        """Whether the session is over."""
        return self.session[3] is not None


def header(session: Session) -> Header:
    """The rows of a session, without its counts."""
    row = (
        session.id,
        clean(session.protocol),
        instant(session.started),
        None if session.duration is None else session.duration / 1_000_000,
        clean(session.client.address or session.client.host),
        clean(session.server.host or session.server.address),
        clean(session.upstream),
        clean(session.user),
        clean(session.outcome),
        session.failed,
        _ending(session),
        clean(session.source),
        clean(session.replays),
    )
    legs = _leg_row(session.id, session.client), _leg_row(session.id, session.server)
    if session.client.tls or session.server.tls:
        return Header(row, *legs, certificate_rows(session.client, session.server))
    return Header(row, *legs)


def session(
    row: Sequence[Any], client: Sequence[Any], server: Sequence[Any], known: Mapping[str, Certificate]
) -> Session:
    """The session that these rows hold; `known` has the certificates by their fingerprints."""
    id, protocol, started, seconds, _, _, upstream, user, outcome, failed, _, source, _, _, _, replays = row
    return Session(
        id=id,
        protocol=told(protocol),
        started=datetime.fromisoformat(started),
        upstream=told(upstream),
        client=_leg(client, known),
        server=_leg(server, known),
        duration=None if seconds is None else round(seconds * 1_000_000),
        source=told(source),
        user=told(user),
        outcome=told(outcome),
        failed=bool(failed),
        replays=told(replays),
    )


def frame_row(session_id: int, seq: int, frame: Frame) -> Row:
    """The row of a frame."""
    side, octets, at, start, wire, kind, origin, secure = frame
    return (session_id, seq, at, _WORDS[side], _WORDS[kind], _WORDS[origin], secure, start, wire, octets)


def note_row(session_id: int, seq: int, note: Note) -> Row:
    """The row of a note."""
    return (session_id, seq, note.at, note.mark.value, clean(note.text))


def frame(row: Sequence[Any]) -> tuple[int, Entry]:
    """The place and the frame that a row holds."""
    _, seq, at, side, kind, origin, secure, start, wire, octets = row
    return seq, Frame(_SIDES[side], octets, at, start, wire, _KINDS[kind], _ORIGINS[origin], secure)


def note(row: Sequence[Any]) -> tuple[int, Entry]:
    """The place and the note that a row holds."""
    _, seq, at, mark, text = row
    return seq, Note(Mark(mark), told(text), at)


def exchange_row(session_id: int, exchange: Exchange) -> Row:
    """The row of an exchange."""
    reply = exchange.reply
    return (
        session_id,
        exchange.number,
        clean(exchange.verb),
        clean(exchange.argument),
        *((clean(reply.code), clean(reply.enhanced), clean(reply.text)) if reply else (None, None, None)),
        exchange.at,
        exchange.latency,
        " ".join(sorted(flag.value for flag in exchange.flags)) if exchange.flags else "",
        *(exchange.command[1:] if exchange.command else (None, None)),
        *_content_row(exchange.content),
        " ".join(f"{span.side}:{span.start}-{span.end}" for span in exchange.extra),
    )


def reply_rows(session_id: int, exchange: Exchange) -> Iterable[Row]:
    """The rows of the replies that an exchange earned."""
    for place, (code, enhanced, text, span, at) in enumerate(exchange.replies):
        said = clean(code), clean(enhanced), clean(text)
        yield (session_id, exchange.number, place, *said, at, span.start, span.end)


def exchange(row: Sequence[Any], replies: Iterable[Reply]) -> Exchange:
    """The exchange that a row holds, with its replies."""
    _, number, verb, argument, _, _, _, at, _, flags, start, end, *content, extra = row
    return Exchange(
        number=number,
        verb=told(verb),
        argument=told(argument),
        command=None if start is None else Span(Side.CLIENT, start, end),
        at=at,
        replies=tuple(replies),
        content=_content(*content),
        extra=tuple(map(_span, extra.split())),
        flags=frozenset(map(Flag, flags.split())) if flags else _NO_FLAGS,
    )


def reply(row: Sequence[Any]) -> tuple[int, Reply]:
    """The number of the exchange and the reply that a row holds."""
    _, number, _, code, enhanced, text, at, start, end = row
    return number, Reply(told(code), told(enhanced), told(text), Span(Side.SERVER, start, end), at)


def _ending(session: Session) -> str:
    endings = [leg.ending for leg in (session.client, session.server) if leg.ending]
    if not endings:
        return ""
    first = min(endings, key=lambda ending: (ending.by is None, ending.at))
    return f"{first.how} by the {first.by or 'proxy'}"


def _leg_row(session_id: int, leg: Leg) -> Row:
    places = clean(leg.host), clean(leg.address), leg.port, clean(leg.local_address), leg.local_port
    match leg.ending:
        case None:
            ended: Row = (None, None, None)
        case Ending(by, how, at):
            ended = (at, by.value if by else "proxy", how.value)
    row = (session_id, leg.side.value, *places, leg.connected, *ended)
    return row if leg.tls is None else row + tls_row(leg.tls)


def _leg(row: Sequence[Any], known: Mapping[str, Certificate]) -> Leg:
    _, side, host, address, port, local_address, local_port, connected, at, by, how, *tls = row
    ending = None if how is None else Ending(None if by == "proxy" else Side(by), How(how), at)
    places = told(host), told(address), port, told(local_address), local_port
    return Leg(Side(side), *places, connected, ending, tls_facts(tls, known))


def _content_row(content: Content | None) -> Row:
    if content is None:
        return (None, None, None, None, None)
    return (content.span.side.value, *content.span[1:], content.ended, content.announced)


def _content(side: str | None, start: int, end: int, ended: bool, announced: int | None) -> Content | None:
    return None if side is None else Content(Span(_SIDES[side], start, end), ended, announced)


def _span(text: str) -> Span:
    side, _, positions = text.partition(":")
    start, _, end = positions.partition("-")
    return Span(Side(side), int(start), int(end))
