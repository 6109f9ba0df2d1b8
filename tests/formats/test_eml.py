"""The messages out of a session."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as some

from mailproxy.formats.eml import Message, messages
from mailproxy.model.exchange import Content, Exchange
from mailproxy.model.octets import Entry, Frame, Kind, Side, Span
from mailproxy.model.session import Recording, Session

CLIENT, SERVER = Side.CLIENT, Side.SERVER


class Talk:
    """A session that is written down as it is said."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.entries: list[Entry] = []
        self.exchanges: list[Exchange] = []
        self.positions = dict.fromkeys(Side, 0)

    def says(self, side: Side, octets: bytes, omitted: int = 0) -> Span:
        """These octets, or so many that were left out."""
        kind, wire = (Kind.OMITTED, omitted) if omitted else (Kind.SPEECH, len(octets))
        frame = Frame(side, octets, 0, self.positions[side], wire, kind)
        self.entries.append(frame)
        self.positions[side] = frame.end
        return Span(side, frame.start, frame.end)

    def does(self, command: str, side: Side = CLIENT, content: bytes | None = None, ended: bool = True) -> None:
        """A command, and what it carries."""
        span = self.says(CLIENT, f"{command}\r\n".encode())
        carried = None if content is None else Content(self.says(side, content), ended)
        verb, _, argument = command.partition(" ")
        self.exchanges.append(Exchange(len(self.exchanges), verb.upper(), argument, span, 0, content=carried))

    def messages(self) -> list[Message]:
        session = Session(12, self.protocol, datetime(2026, 1, 31, tzinfo=UTC))
        return messages(Recording(session, tuple(self.entries), tuple(self.exchanges)))


def test_data_is_undoubled() -> None:
    talk = Talk("smtp")
    talk.does("MAIL FROM:<a@example.org>")
    talk.does("DATA", content=b"Subject: dots\r\n\r\n..\r\n...and\r\na.b\r\n.\r\n")
    talk.does("DATA", content=b".\r\n")
    talk.does("QUIT")
    assert talk.messages() == [
        Message("12-1.eml", b"Subject: dots\r\n\r\n.\r\n..and\r\na.b\r\n"),
        Message("12-2.eml", b""),
    ]


def test_chunks_are_joined_as_they_are() -> None:
    talk = Talk("smtp")
    talk.does("BDAT 5", content=b"..\r\n.")
    talk.does("NOOP")
    talk.does("bdat 3 last", content=b"\r\n.")
    talk.does("BDAT 2 LAST", content=b"\n.")
    assert talk.messages() == [Message("12-1.eml", b"..\r\n.\r\n."), Message("12-2.eml", b"\n.")]


def test_chunks_without_a_last_one_are_incomplete() -> None:
    talk = Talk("smtp")
    talk.does("BDAT 2", content=b"Hi")
    talk.does("RSET")
    talk.does("BDAT 2", content=b"Ho")
    assert talk.messages() == [
        Message("12-1-incomplete.eml", b"Hi", ended=False),
        Message("12-2-incomplete.eml", b"Ho", ended=False),
    ]


def test_retr_is_undoubled_in_pop3_and_counted_in_pop2() -> None:
    for protocol, octets in (("pop3", b".\r\n"), ("pop2", b"..\r\n.\r\n")):
        talk = Talk(protocol)
        talk.does("RETR 1", SERVER, b"..\r\n.\r\n")
        assert talk.messages() == [Message("12-1.eml", octets)]


def test_top_and_listings_are_no_messages() -> None:
    talk = Talk("pop3")
    talk.does("TOP 1 0", SERVER, b"Subject: hi\r\n\r\n.\r\n")
    talk.does("LIST", SERVER, b"1 120\r\n.\r\n")
    talk.does("RETR 9")
    assert talk.messages() == []


def test_a_message_that_broke_off_says_so() -> None:
    talk = Talk("pop3")
    talk.does("RETR 1", SERVER, b"Subject: hi\r\n..", ended=False)
    [message] = talk.messages()
    assert message == Message("12-1-incomplete.eml", b"Subject: hi\r\n.", ended=False)
    assert not message.complete


def test_a_message_that_was_left_out_says_how_much() -> None:
    talk = Talk("smtp")
    command = talk.says(CLIENT, b"DATA\r\n")
    talk.says(CLIENT, b"", omitted=500)
    end = talk.says(CLIENT, b".\r\n")
    content = Content(Span(CLIENT, command.end, end.end), True)
    talk.exchanges.append(Exchange(1, "DATA", "", command, 0, content=content))
    assert talk.messages() == [Message("12-1-incomplete.eml", b"", 500)]


@given(some.lists(some.sampled_from([b"", b".", b"..", b"text", b".text", b"a.b", b"\xff"])))
def test_any_message_comes_back(lines: list[bytes]) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    wire = b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"
    talk = Talk("smtp")
    talk.does("DATA", content=wire)
    talk.does("BDAT 1 LAST", content=message)
    assert [found.octets for found in talk.messages()] == [message, message]
