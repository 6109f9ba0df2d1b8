"""The inbox: what is read, at which position, and in which form it is noted."""

from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.octets import Kind
from mailproxy.wire.inbox import Inbox, Piece


def read_lines(inbox: Inbox, segments: list[bytes]) -> list[bytes]:
    """Every line that the segments hold, read as they come."""
    lines = []
    reading = inbox.line()
    for segment in segments:
        inbox.feed(segment)
        while True:
            try:
                next(reading)
            except StopIteration as end:
                lines.append(inbox.take(end.value))
                reading = inbox.line()
            else:
                break
    return lines


@given(st.lists(st.binary(max_size=8)))
def test_lines_do_not_depend_on_segments(segments: list[bytes]) -> None:
    whole = b"".join(segments)
    inbox = Inbox()
    lines = read_lines(inbox, segments)
    assert b"".join(lines) + inbox.buffer == whole
    assert lines == [line + b"\n" for line in whole.split(b"\n")[:-1]]
    assert inbox.position == sum(map(len, lines))
    noted = b"".join(piece.octets for piece in inbox.pieces())
    assert noted == b"".join(lines)


def test_a_torn_secret_is_withheld_until_its_mark_is_known() -> None:
    inbox = Inbox()
    inbox.feed(b"PASS hun")
    inbox.settle(5)
    assert inbox.pieces() == [Piece(Kind.SPEECH, 0, b"PASS ", 5)]
    inbox.feed(b"ter2\r\n")
    inbox.conceal(5, 12, b"<secret>")
    assert inbox.take(15) == b"PASS <secret>\r\n"
    assert inbox.pieces() == [Piece(Kind.SPEECH, 5, b"<secret>\r\n", 10)]
    assert inbox.position == 15


def test_omitted_octets_count_and_are_not_noted() -> None:
    inbox = Inbox()
    inbox.feed(b"headers\r\nbody.\r\n")
    inbox.take(9)
    assert inbox.omit(4) == b"body"
    inbox.take(3)
    assert inbox.pieces() == [
        Piece(Kind.SPEECH, 0, b"headers\r\n", 9),
        Piece(Kind.OMITTED, 9, b"", 4),
        Piece(Kind.SPEECH, 13, b".\r\n", 3),
    ]


def test_what_is_pushed_back_is_not_noted_twice() -> None:
    inbox = Inbox()
    inbox.feed(b"QUIT\r\nrest")
    line = inbox.take(6)
    inbox.push_back(line)
    assert inbox.position == 0
    assert inbox.take(8) == b"QUIT\r\nre"
    assert inbox.pieces() == [Piece(Kind.SPEECH, 0, b"QUIT\r\nre", 8)]


def test_a_line_without_an_end_is_given_out_at_the_limit() -> None:
    inbox = Inbox()
    assert read_lines(inbox, [b"x" * 65_535, b"x"]) == [b"x" * 65_536]
