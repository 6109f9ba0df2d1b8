"""What the tests of importers share: a text, read as `mailproxy import` reads it."""

import re
from typing import NamedTuple

from mailproxy.app.library import complete
from mailproxy.formats import FORMATS
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Frame, Kind, Note, Side
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import MASKED, Terms

SECRET = re.compile(r"<secret: [^>]*>")


class Asked(NamedTuple):
    """An exchange as far as every tool tells it."""

    verb: str
    argument: str
    replies: tuple[tuple[str, str], ...]


def recognised(text: str) -> str:
    """The format that a text is taken for, or nothing."""
    return next((each.name for each in FORMATS if each.recognise(text)), "")


def imported(text: str, format: str = "", terms: Terms = MASKED) -> list[Recording]:
    """The recordings of a text. Raises FormatError."""
    name = format or recognised(text)
    [read] = [each.read for each in FORMATS if each.name == name]
    return [complete(recording, "a file", terms) for recording in read(text, "a file")]


def one(text: str, format: str = "") -> Recording:
    """The one recording of a text that has no other."""
    [recording] = imported(text, format)
    return recording


def asked(exchanges: tuple[Exchange, ...]) -> list[Asked]:
    """Who asked for what, and what the answers were, whatever is known of the secrets."""
    return [
        Asked(
            each.verb,
            SECRET.sub("<secret>", each.argument),
            tuple((reply.code, reply.text) for reply in each.replies),
        )
        for each in exchanges
    ]


def told(recording: Recording) -> list[str]:
    """A session's exchanges in short: `EHLO me 250`."""
    return [
        " ".join(filter(None, (each.verb, each.argument, *(reply.code for reply in each.replies))))
        for each in recording.exchanges
    ]


def notes(recording: Recording) -> list[str]:
    """What is told besides, with its mark."""
    return [f"{entry.mark} {entry.text}" for entry in recording.entries if isinstance(entry, Note)]


def speech(recording: Recording, side: Side, secure: bool | None = None) -> bytes:
    """All that a side said, under TLS or not."""
    return b"".join(
        entry.octets
        for entry in recording.entries
        if isinstance(entry, Frame) and entry.side is side and entry.kind in (Kind.SPEECH, Kind.CONTENT)
        if secure is None or entry.secure is secure
    )
