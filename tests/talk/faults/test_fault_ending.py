"""The connection ends at a place."""

import pytest

from tests.talk.faults.fault_stage import CUTS, Stage, transcript

cuts = pytest.mark.parametrize("cut", CUTS)
MESSAGE = " -> Subject: x\n -> \n -> text\n -> ."


def sent(*faults: str, cut: str = "whole") -> list[str]:
    """A message is sent by way of these faults."""
    stage = Stage("smtp", *faults, cut=cut).play("<-  220 mx").play(" -> MAIL FROM:<>").play("<-  250 ok")
    stage.play(" -> RCPT TO:<a>\n -> RCPT TO:<b>").play("<-  250 a\n<-  250 b")
    stage.play(" -> DATA").play("<-  354 go").play(MESSAGE).play("<-  250 sent").play(" -> QUIT").play("<-  221 bye")
    return stage.talk()


ENDS = {
    "at connect close": ["=== connection closed by mailproxy on connect", "*** closed"],
    "at greeting close": ["=== connection closed by mailproxy before the greeting", "*** closed"],
    "after greeting close": ["<-  220 mx", "=== connection closed by mailproxy behind the greeting", "*** closed"],
    "at RCPT 2 close": [" -> RCPT TO:<a>", "=== connection closed by mailproxy before RCPT 2", "*** closed"],
    "after RCPT 2 reset": ["<-  250 b", "=== connection reset by mailproxy behind RCPT 2", "*** reset"],
    "at DATA reset": ["<-  250 b", "=== connection reset by mailproxy before DATA 1", "*** reset"],
    "at content close": ["<-  354 go", "=== connection closed by mailproxy before message 1", "*** closed"],
    "at content close after 13 octets": [
        " -> \r\\", "=== connection closed by mailproxy behind 13 octets of message 1", "*** closed",
    ],
    "after content 1 reset": [" -> .", "=== connection reset by mailproxy behind message 1", "*** reset"],
    "after DATA close": ["<-  250 sent", "=== connection closed by mailproxy behind DATA 1", "*** closed"],
    "at octet 10 close": [
        " -> MAIL FROM:<>", "<-  2\\", "=== connection closed by mailproxy before octet 10 of the server", "*** closed",
    ],
}  # fmt: skip


@cuts
@pytest.mark.parametrize("fault", ENDS)
def test_it_ends_there_and_nothing_goes_on(fault: str, cut: str) -> None:
    assert sent(fault, cut=cut)[-len(ENDS[fault]) :] == ENDS[fault]


@cuts
def test_in_a_message_of_the_server(cut: str) -> None:
    stage = Stage("pop3", "at content 2 reset after 5 octets", cut=cut).play("<-  +OK").play(" -> RETR 1\n -> RETR 2")
    stage.play("<-  +OK\n<-  abc\n<-  .\n<-  +OK\n<-  defgh\n<-  .")
    assert stage.talk()[3:] == transcript("""
<-  +OK
<-  abc
<-  .
<-  +OK
<-  defgh\\
=== connection reset by mailproxy behind 5 octets of message 2
*** reset
""")


def test_a_listing_is_no_message() -> None:
    stage = Stage("pop3", "at content close").play("<-  +OK").play(" -> LIST").play("<-  +OK\n<-  1 120\n<-  .")
    assert not stage.ended


def test_at_an_octet_of_the_client() -> None:
    stage = Stage("smtp", "at octet 3 of client reset").play(" -> NOOP")
    assert stage.talk() == [" -> NO\\", "=== connection reset by mailproxy before octet 3 of the client", "*** reset"]


@cuts
def test_the_server_ends_by_itself(cut: str) -> None:
    stage = Stage("smtp", "at RCPT 2 answer 452 no", cut=cut).play("<-  220 m\\").play("****server")
    assert stage.talk() == ["<-  220 m\\", "*** closed"]
