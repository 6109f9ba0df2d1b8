"""The messages that a session carried, each as a file of its own (RFC 5322)."""

from collections.abc import Iterator
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side, Span
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.wire.dots import undouble


class Message(NamedTuple):
    """A message as its sender wrote it. `missing` counts octets not in the record; `ended` is whether its end came."""

    name: str
    octets: bytes
    missing: int = 0
    ended: bool = True

    @property
    def complete(self) -> bool:
        """Whether it is all there."""
        return self.ended and not self.missing


def messages(recording: Recording) -> list[Message]:
    """The messages of DATA, BDAT (RFC 3030) and RETR, in order; neither those of TOP nor listings.

    A message need not have been accepted. The name of one that is not all there says so.
    """
    streams = Streams(recording.entries)
    session = recording.session
    return [
        _message(f"{session.id}-{number}", group, streams, dots=_dots(group[0], session.protocol))
        for number, group in enumerate(_groups(recording.exchanges), 1)
    ]


def _groups(exchanges: tuple[Exchange, ...]) -> Iterator[list[Exchange]]:
    """The exchanges of each message: one, or of BDAT as many as its chunks."""
    chunks: list[Exchange] = []
    for exchange in exchanges:
        match exchange.verb:
            case "BDAT" if exchange.content:
                chunks.append(exchange)
                if _last(exchange):
                    yield chunks
                    chunks = []
            case "NOOP" | "HELP" | "VRFY" | "EXPN" | "":
                pass
            case verb:
                if chunks:
                    yield chunks
                    chunks = []
                if _carries(verb, exchange):
                    yield [exchange]
    if chunks:
        yield chunks


def _carries(verb: str, exchange: Exchange) -> bool:
    side = exchange.content.span.side if exchange.content else None
    return (verb, side) in {("DATA", Side.CLIENT), ("RETR", Side.SERVER)}


def _dots(exchange: Exchange, protocol: str) -> bool:
    return exchange.verb != "BDAT" and protocol != "pop2"


def _last(chunk: Exchange) -> bool:
    return chunk.argument.upper().split()[1:2] == ["LAST"]


def _message(name: str, group: list[Exchange], streams: Streams, dots: bool) -> Message:
    contents = [exchange.content for exchange in group if exchange.content]
    spans: list[Span] = [content.span for content in contents]
    octets = b"".join(map(streams.octets, spans))
    missing = sum(map(streams.missing, spans))
    ended = all(content.ended for content in contents) and (group[-1].verb != "BDAT" or _last(group[-1]))
    suffix = "" if ended and not missing else "-incomplete"
    return Message(f"{name}{suffix}.eml", undouble(octets) if dots else octets, missing, ended)
