"""A stored session, read: the lines of a message that were said at one time are a frame together."""

import pytest

from mailproxy.formats.talk_read import read as read_talk
from mailproxy.model.octets import Frame, Kind, Note
from mailproxy.protocols import reading

SENT = """smtp
<-  220 x
 -> DATA
<-  354 x
{message}
<-  250 x
"""
FETCHED = """pop3
<-  +OK
 -> RETR 1
<-  +OK
{message}
 -> NOOP
<-  +OK
"""


def said(talk: str) -> list[str]:
    """What is heard, an entry each: its kind in front of it."""
    (recording,) = read_talk(talk)
    entries = reading.read(recording.session.protocol, recording.entries).entries
    return [entry.text if isinstance(entry, Note) else told(entry) for entry in entries]


def told(frame: Frame) -> str:
    return f"{frame.kind}: {frame.octets.decode('latin-1') or frame.wire}"


def contents(talk: str) -> list[str]:
    return [each for each in said(talk) if each.startswith(Kind.CONTENT)]


def test_a_message_is_one_frame() -> None:
    message = " -> Subject: x\n ->\n -> ..\n -> Hello\n -> .\n -> NOOP\n -> QUIT"
    assert said(SENT.format(message=message)) == [
        "speech: 220 x\r\n",
        "speech: DATA\r\n",
        "speech: 354 x\r\n",
        "content: Subject: x\r\n\r\n..\r\nHello\r\n.\r\n",
        "speech: NOOP\r\n",
        "speech: QUIT\r\n",
        "speech: 250 x\r\n",
    ]


def test_a_message_of_the_server_is_one_frame() -> None:
    assert said(FETCHED.format(message="<-  Subject: x\n<-\n<-  .\n<-  -ERR what?")) == [
        "speech: +OK\r\n",
        "speech: RETR 1\r\n",
        "speech: +OK\r\n",
        "content: Subject: x\r\n\r\n.\r\n",
        "speech: -ERR what?\r\n",
        "speech: NOOP\r\n",
        "speech: +OK\r\n",
    ]


def test_lines_of_a_listing_stay_apart() -> None:
    listed = "pop3\n<-  +OK\n -> LIST\n<-  +OK\n<-  1 20\n<-  2 30\n<-  .\n"
    assert said(listed)[3:] == ["speech: 1 20\r\n", "speech: 2 30\r\n", "speech: .\r\n"]


@pytest.mark.parametrize(
    ("between", "heard"),
    [
        ("# a comment", ["a comment"]),
        ("=== 2 s pass", ["2 s pass"]),
        ("*** the disk is full", ["the disk is full"]),
        ("... 7 octets of the client left out", ["omitted: 7"]),
        ("=== telnet from the client: \\xff\\xf4", ["telnet: \xff\xf4"]),
    ],
)
def test_what_stands_between_parts_them(between: str, heard: list[str]) -> None:
    found = said(SENT.format(message=f" -> One\n -> Two\n{between}\n -> Three\n -> Four\n -> ."))
    assert found[3:-1] == ["content: One\r\nTwo\r\n", *heard, "content: Three\r\nFour\r\n.\r\n"]


def test_what_was_said_at_other_times_stays_apart() -> None:
    message = "1.000  -> One\n1.000  -> Two\n2.000  -> Three\n2.000  -> ."
    assert contents(SENT.format(message=message)) == ["content: One\r\nTwo\r\n", "content: Three\r\n.\r\n"]


def test_a_large_message_is_many_frames() -> None:
    found = contents(SENT.format(message=" -> 0123456789\n" * 12_000 + " -> ."))
    assert len(found) == 3
    assert max(map(len, found)) < reading.AT_ONCE + 100
    assert sum(len(each.removeprefix("content: ")) for each in found) == 12 * 12_000 + 3


def test_a_message_without_an_end_goes_on_to_the_last_line() -> None:
    message = " -> One\n -> Two"
    assert said(SENT.format(message=message))[3:] == ["content: One\r\nTwo\r\n", "speech: 250 x\r\n"]


def test_a_message_by_its_count_is_heard_line_by_line() -> None:
    talk = "smtp\n<-  220 x\n -> BDAT 10 LAST\n -> One\n -> Two\n -> QUIT\n<-  250 x\n<-  221 x\n"
    assert said(talk)[2:5] == ["content: One\r\n", "content: Two\r\n", "speech: QUIT\r\n"]
