"""A session is taken from the database without the bulk of its large messages, and told from others all the same."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mailproxy.model.exchange import Content, Exchange, Reply
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side, Span
from mailproxy.model.session import Recording, Session
from mailproxy.model.stream import Streams
from mailproxy.store import abridged, library
from mailproxy.store.engine import open_database
from mailproxy.store.trouble import StoreError

CLIENT, SERVER = Side.CLIENT, Side.SERVER
DATA, GO_ON, END = b"DATA\r\n", b"354 go on\r\n", b".\r\n"
PART = abridged.SMALL // 2
LARGE = (b"Subject: large\r\n\r\n", b"a" * PART, b"b" * PART, END)
SMALL = (b"Subject: small\r\n\r\n", b"a" * 99, END)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "mail.db")
    yield engine
    engine.dispose()


def sent(*pieces: bytes) -> Recording:
    """A session that sends one message, in these frames."""
    entries: list[Entry] = [
        Note(Mark.FACT, "connected", 0),
        Frame(CLIENT, DATA, 1, 0, len(DATA)),
        Frame(SERVER, GO_ON, 2, 0, len(GO_ON)),
    ]
    at = len(DATA)
    for piece in pieces:
        entries.append(Frame(CLIENT, piece, 3, at, len(piece), Kind.CONTENT))
        at += len(piece)
    reply = Reply("354", "", "go on", Span(SERVER, 0, len(GO_ON)), 2)
    content = Content(Span(CLIENT, len(DATA), at), True)
    exchange = Exchange(1, "DATA", "", Span(CLIENT, 0, len(DATA)), 1, (reply,), content)
    return Recording(Session(0, "smtp", datetime.now(UTC)), tuple(entries), (exchange,))


def content(recording: Recording) -> Span:
    """Where the message of a session stands."""
    (exchange,) = recording.exchanges
    assert exchange.content
    return exchange.content.span


def test_a_small_session_comes_whole(engine: Engine) -> None:
    number = library.add(engine, sent(*SMALL))
    assert abridged.load(engine, number) == library.load(engine, number)


def test_of_a_large_message_only_the_first_frame_comes(engine: Engine) -> None:
    number = library.add(engine, sent(*LARGE))
    found, whole = abridged.load(engine, number), library.load(engine, number)
    frames = [(entry.kind, len(entry.octets)) for entry in found.entries if isinstance(entry, Frame)]
    assert frames == [
        (Kind.SPEECH, len(DATA)),
        (Kind.SPEECH, len(GO_ON)),
        (Kind.CONTENT, len(LARGE[0])),
        (Kind.OMITTED, 0),
        (Kind.OMITTED, 0),
        (Kind.OMITTED, 0),
    ]
    assert found.session == whole.session
    assert found.exchanges == whole.exchanges
    assert found.entries[0] == whole.entries[0]


def test_every_octet_keeps_its_place(engine: Engine) -> None:
    recording = sent(*LARGE)
    found = abridged.load(engine, library.add(engine, recording))
    said, told = Streams(recording.entries), Streams(found.entries)
    assert told.whole(CLIENT) == said.whole(CLIENT)
    assert told.whole(SERVER) == said.whole(SERVER)
    assert told.octets(content(found)) == LARGE[0]
    assert told.missing(content(found)) == sum(map(len, LARGE[1:]))


def test_a_session_whose_message_was_never_kept_comes_as_it_is(engine: Engine) -> None:
    recording = sent(*LARGE)
    entries = list(recording.entries)
    entries[4:5] = [Frame(CLIENT, b"", 3, len(DATA) + len(LARGE[0]), PART, Kind.OMITTED)]
    number = library.add(engine, Recording(recording.session, tuple(entries), recording.exchanges))
    assert abridged.load(engine, number) == library.load(engine, number)


def test_a_session_that_is_not_there_is_told(engine: Engine) -> None:
    with pytest.raises(StoreError, match="there is no session 7"):
        abridged.load(engine, 7)


@pytest.mark.parametrize("pieces", [SMALL, LARGE], ids=["small", "large"])
def test_the_digest_is_that_of_the_octets(engine: Engine, pieces: tuple[bytes, ...]) -> None:
    recording = sent(*pieces)
    number = library.add(engine, recording)
    assert abridged.digest(engine, number, content(recording)) == hashlib.sha256(b"".join(pieces)).digest()


def test_the_digest_is_that_of_the_span_alone(engine: Engine) -> None:
    recording = sent(*LARGE)
    number = library.add(engine, recording)
    across = Span(CLIENT, len(DATA) + 9, len(DATA) + len(LARGE[0]) + 5)
    assert abridged.digest(engine, number, across) == hashlib.sha256(LARGE[0][9:] + b"aaaaa").digest()
    assert abridged.digest(engine, number, Span(SERVER, 4, 6)) == hashlib.sha256(b"go").digest()
    assert abridged.digest(engine, number, Span(SERVER, 4, 4)) == hashlib.sha256(b"").digest()


def test_the_frames_of_the_message_do_not_matter_to_its_digest(engine: Engine) -> None:
    one, other = sent(*LARGE), sent(b"".join(LARGE))
    digests = {abridged.digest(engine, library.add(engine, each), content(each)) for each in (one, other)}
    assert len(digests) == 1


def test_messages_of_one_length_that_differ_have_other_digests(engine: Engine) -> None:
    one, other = sent(*LARGE), sent(*LARGE[:1], b"a" * (PART - 1) + b"c", *LARGE[2:])
    digests = {abridged.digest(engine, library.add(engine, each), content(each)) for each in (one, other)}
    assert len(digests) == 2


def test_what_another_session_said_counts_for_nothing(engine: Engine) -> None:
    recording = sent(*SMALL)
    number, _ = library.add(engine, recording), library.add(engine, sent(*LARGE))
    assert abridged.digest(engine, number, content(recording)) == hashlib.sha256(b"".join(SMALL)).digest()
