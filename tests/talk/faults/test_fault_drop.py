"""What is said goes nowhere."""

import pytest

from tests.talk.faults.fault_stage import CUTS, Stage, transcript

cuts = pytest.mark.parametrize("cut", CUTS)


@cuts
def test_a_command(cut: str) -> None:
    stage = Stage("smtp", "at DATA drop", cut=cut).play("<-  220 mx").play(" -> RCPT TO:<a>\n -> DATA\n -> NOOP")
    assert stage.to_server == b"RCPT TO:<a>\r\nNOOP\r\n"
    stage.play("<-  250 rcpt\n<-  250 noop")
    assert stage.to_client == b"220 mx\r\n250 rcpt\r\n250 noop\r\n"
    assert stage.told == ["DATA 1 dropped by mailproxy, the server was not asked"]


@cuts
def test_a_chunk(cut: str) -> None:
    stage = Stage("smtp", "at BDAT 1 drop", cut=cut).play("<-  220 mx").play(" -> BDAT 5\n -> abc\n -> NOOP")
    assert stage.to_server == b"NOOP\r\n"


@cuts
def test_a_reply(cut: str) -> None:
    stage = Stage("pop3", "at RETR 1 drop reply", cut=cut).play("<-  +OK").play(" -> RETR 1\n -> STAT")
    stage.play("<-  +OK\n<-  x\n<-  .\n<-  +OK 1 3")
    assert stage.to_client == b"+OK\r\n+OK 1 3\r\n"
    assert stage.told == [
        "all octets dropped by mailproxy in the reply to RETR 1",
        "all octets dropped by mailproxy in message 1",
    ]


@cuts
def test_a_message(cut: str) -> None:
    stage = Stage("smtp", "at content drop", cut=cut).play("<-  220 mx").play(" -> DATA").play("<-  354 go")
    stage.play(" -> a\n -> .\n -> NOOP")
    assert stage.to_server == b"DATA\r\nNOOP\r\n"


@cuts
def test_the_reply_to_a_message(cut: str) -> None:
    stage = Stage("smtp", "at content drop reply", cut=cut).play("<-  220 mx").play(" -> DATA").play("<-  354 go")
    stage.play(" -> a\n -> .").play("<-  250 sent").play(" -> QUIT").play("<-  221 bye")
    assert stage.talk() == transcript("""
<-  220 mx
 -> DATA
<-  354 go
 -> a
 -> .
=== all octets dropped by mailproxy in the reply to message 1
 -> QUIT
<-  221 bye
""")


@cuts
def test_the_greeting(cut: str) -> None:
    assert Stage("smtp", "at greeting drop", cut=cut).play("<-  220-mx\n<-  220 mx").to_client == b""
