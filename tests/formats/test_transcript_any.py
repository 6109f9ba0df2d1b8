"""Whatever was said, its transcript says it all."""

import tracemalloc
from datetime import UTC, datetime
from itertools import groupby

from hypothesis import example, given, settings
from hypothesis import strategies as some

from mailproxy.formats import talk
from mailproxy.formats.error import FormatError
from mailproxy.formats.talk_octets import heard, shown
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side
from mailproxy.model.session import Recording, Session
from mailproxy.model.stream import Streams

SESSION = Session(7, "smtp", datetime(2026, 1, 31, 12, tzinfo=UTC))
TRICKY = some.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\\", b"\\n", b"\\r", b"n", b"x0a", b" ", b"# ", b"=== ", b"... ", b" -> ", b"<-  "),
        *(b"\xff", b"\xc3", b"\xbc", b"\xe2\x80\xae", b".\r\n", b"  12.345 ", b"(message, 1 line, 3 octets)\r\n"),
    ]
)
OCTETS = some.lists(TRICKY | some.binary(max_size=9), max_size=6).map(b"".join)
VOICES = some.tuples(some.sampled_from(Side), some.booleans())
NOTES = some.builds(
    Note, some.sampled_from(Mark), some.text(some.characters(codec="ascii", categories=["L", "N"])), some.just(0)
)


def _frame(voice: tuple[Side, bool], octets: bytes, kind: Kind) -> Frame:
    side, secure = voice
    kept = b"" if kind in (Kind.OMITTED, Kind.OPAQUE) else octets
    return Frame(side, kept, 0, 0, len(octets), kind, secure=secure)


def _placed(entries: list[Entry]) -> tuple[Entry, ...]:
    """The same at growing times and at their places in their streams."""
    positions = dict.fromkeys(Side, 0)
    placed: list[Entry] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, Frame):
            entry = entry._replace(start=positions[entry.side])
            positions[entry.side] = entry.end
        placed.append(entry._replace(at=number * 1000))
    return tuple(placed)


FRAMES = some.builds(_frame, VOICES, OCTETS, some.sampled_from(Kind))
ENTRIES = some.lists(FRAMES | NOTES, max_size=12).map(_placed)


def again(entries: tuple[Entry, ...], timing: bool = False) -> tuple[Entry, ...]:
    """The entries as they are read from their transcript."""
    text = "\n".join(talk.write(Recording(SESSION, entries), timing=timing))
    [recording] = talk.read(text)
    return recording.entries


def _way(entry: Entry) -> tuple[object, ...]:
    """What entries that may be told as one have in common."""
    match entry:
        case Note():
            return entry.mark, entry.text, entry.at
        case Frame(kind=Kind.SPEECH | Kind.CONTENT):
            return entry.side, entry.secure
        case Frame(kind=Kind.TELNET):
            return entry.side, entry.at
        case _:
            return entry.side, entry.kind


def order(entries: tuple[Entry, ...]) -> list[tuple[object, ...]]:
    """What came one after the other, however it was segmented."""
    told: list[tuple[object, ...]] = []
    for way, group in groupby(filter(_shows, entries), _way):
        frames = [entry for entry in group if isinstance(entry, Frame)]
        told.append((*way, b"".join(frame.octets for frame in frames), sum(frame.length for frame in frames)))
    return told


def _shows(entry: Entry) -> bool:
    return isinstance(entry, Note) or entry.length > 0 or entry.kind is Kind.TELNET


@settings(deadline=None)
@given(ENTRIES, some.booleans())
def test_a_transcript_keeps_every_octet(entries: tuple[Entry, ...], timing: bool) -> None:
    read = again(entries, timing)
    if timing:
        assert order(read) == order(entries)
    for side in Side:
        said, told = Streams(entries), Streams(read)
        assert told.whole(side) == said.whole(side)
        assert told.octets(told.whole(side)) == said.octets(said.whole(side))


@settings(deadline=None)
@given(ENTRIES)
def test_a_transcript_that_was_read_is_written_the_same(entries: tuple[Entry, ...]) -> None:
    read = again(entries, timing=True)
    assert again(read, timing=True) == read


@given(OCTETS, some.lists(some.integers(1, 4)))
def test_segments_do_not_show(octets: bytes, lengths: list[int]) -> None:
    writer = talk.Writer()
    torn = []
    rest = octets
    for length in [*lengths, len(octets)]:
        torn += writer.entry(Frame(Side.CLIENT, rest[:length], 0, 0, len(rest[:length])))
        rest = rest[length:]
    whole = talk.Writer()
    assert torn + writer.finish() == whole.entry(Frame(Side.CLIENT, octets, 0, 0, len(octets))) + whole.finish()


@given(some.binary())
@example(b"\\\r\n")
@example(b"\\\\n")
def test_any_line_comes_back(octets: bytes) -> None:
    line = octets.replace(b"\n", b"") + b"\n" * octets.endswith(b"\n")
    assert heard(shown(line)) == line


@settings(deadline=None)
@given(ENTRIES)
def test_a_folded_transcript_is_read_with_every_octet_at_its_place(entries: tuple[Entry, ...]) -> None:
    [recording] = talk.read("\n".join(talk.write(Recording(SESSION, entries), fold=True)))
    folded, full = Streams(recording.entries), Streams(entries)
    assert [folded.whole(side) for side in Side] == [full.whole(side) for side in Side]


@settings(deadline=None)
@given(some.lists(some.text(max_size=12) | some.sampled_from([" -> ", "<-  ", "=== ", "\n", "smtp 25\n", "*** "])))
def test_any_text_is_read_or_refused_in_one_line(pieces: list[str]) -> None:
    text = "".join(pieces)
    talk.recognise(text)
    refusal = ""
    try:
        assert talk.read(text)
    except FormatError as error:
        refusal = str(error)
    assert refusal == "" or refusal.isprintable()


def test_what_the_proxy_says_in_telnet_keeps_its_origin() -> None:
    frame = Frame(Side.SERVER, b"\xff\xfc\x01 \n", 0, 0, 5, Kind.TELNET, Origin.PROXY)
    assert again((frame,)) == (frame,)


def test_a_folded_message_is_not_held() -> None:
    writer = talk.Writer(fold=True)
    octets = b"x" * 65536
    tracemalloc.start()
    for number in range(200):
        writer.entry(Frame(Side.CLIENT, octets, 0, number * len(octets), len(octets), Kind.CONTENT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(octets)
    assert [line.text for line in writer.finish()] == ["(message, 0 lines, 13107200 octets so far)"]
