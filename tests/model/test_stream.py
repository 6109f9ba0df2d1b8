"""The octets behind spans."""

from hypothesis import given
from hypothesis import strategies as some

from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side, Span
from mailproxy.model.stream import Streams

CLIENT, SERVER = Side.CLIENT, Side.SERVER


def test_a_span_may_cross_frames_and_see_nothing_of_the_other_side() -> None:
    streams = Streams(
        [
            Frame(SERVER, b"220 ready\r\n", 0, 0, 11),
            Frame(CLIENT, b"EHLO ", 1, 0, 5),
            Note(Mark.FACT, "connected", 1),
            Frame(CLIENT, b"me\r\nNOOP\r\n", 2, 5, 10),
        ]
    )
    assert streams.octets(Span(CLIENT, 0, 9)) == b"EHLO me\r\n"
    assert streams.octets(Span(CLIENT, 9, 15)) == b"NOOP\r\n"
    assert streams.octets(Span(SERVER, 4, 9)) == b"ready"
    assert streams.octets(Span(CLIENT, 3, 3)) == b""
    assert streams.whole(CLIENT) == Span(CLIENT, 0, 15)


def test_octets_left_out_count_and_are_missing() -> None:
    streams = Streams(
        [
            Frame(CLIENT, b"DATA\r\n", 0, 0, 6),
            Frame(CLIENT, b"", 0, 6, 1000, Kind.OMITTED),
            Frame(CLIENT, b".\r\n", 0, 1006, 3, Kind.CONTENT),
            Frame(CLIENT, b"", 0, 1009, 20, Kind.OPAQUE),
        ]
    )
    content = Span(CLIENT, 6, 1009)
    assert streams.octets(content) == b".\r\n"
    assert streams.missing(content) == 1000
    assert streams.missing(Span(CLIENT, 0, 6)) == 0
    assert streams.missing(Span(CLIENT, 1009, 1029)) == 20


def test_telnet_and_withheld_secrets_take_no_place() -> None:
    streams = Streams(
        [
            Frame(CLIENT, b"\xff\xf4", 0, 0, 2, Kind.TELNET),
            Frame(CLIENT, b"", 0, 0, 9),
            Frame(CLIENT, b"QUIT\r\n", 0, 0, 6),
        ]
    )
    assert streams.octets(Span(CLIENT, 0, 6)) == b"QUIT\r\n"


def test_beyond_what_was_said_there_is_nothing() -> None:
    streams = Streams([Frame(SERVER, b"220", 0, 0, 3)])
    assert streams.octets(Span(SERVER, 2, 10)) == b"0"
    assert streams.missing(Span(SERVER, 2, 10)) == 7
    assert streams.octets(Span(CLIENT, 0, 4)) == b""
    assert streams.whole(CLIENT) == Span(CLIENT, 0, 0)


@given(some.lists(some.binary(max_size=5)), some.integers(0, 40), some.integers(0, 40))
def test_any_span_of_any_frames_is_a_slice(pieces: list[bytes], one: int, other: int) -> None:
    start, end = sorted((one, other))
    entries: list[Entry] = []
    for piece in pieces:
        at = sum(len(entry.octets) for entry in entries if isinstance(entry, Frame))
        entries.append(Frame(CLIENT, piece, 0, at, len(piece)))
    whole = b"".join(pieces)
    assert Streams(entries).octets(Span(CLIENT, start, end)) == whole[start:end]
