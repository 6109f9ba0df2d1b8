"""What the server says is changed on its way."""

import pytest

from tests.talk.faults.fault_stage import CUTS, Stage, transcript

cuts = pytest.mark.parametrize("cut", CUTS)
EHLO = "<-  250-mx\n<-  250-PIPELINING\n<-  250-STARTTLS\n<-  250-AUTH PLAIN LOGIN\n<-  250 AUTH=LOGIN"
HIDDEN = b"250-mx\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 AUTH=LOGIN\r\n"
CAPA = "<-  +OK\n<-  UIDL\n<-  STLS\n<-  SASL PLAIN\n<-  ."


def said(protocol: str, fault: str, command: str, reply: str, cut: str = "whole") -> bytes:
    """What the client gets for a reply."""
    stage = Stage(protocol, fault, cut=cut).play("<-  220 mx" if protocol == "smtp" else "<-  +OK")
    before = len(stage.to_client)
    if fault.startswith("at greeting"):
        return stage.to_client
    return stage.play(f" -> {command}").play(reply).to_client[before:]


REPLIES = {
    "at RCPT code only": ("smtp", "RCPT TO:<a>", "<-  250-a\n<-  250 2.1.5 ok", b"250\r\n"),
    "code only": ("pop3", "STAT", "<-  +OK 1 120", b"+OK\r\n"),
    "at NOOP code only": ("smtp", "RCPT TO:<a>", "<-  250 ok", b"250 ok\r\n"),
    "broken multi-line": ("smtp", "NOOP", "<-  250 ok", b"250-ok\r\n"),
    "at NOOP broken multi-line": ("smtp", "NOOP", "<-  250-a\n<-  250", b"250-a\r\n250-\r\n"),
    "broken multi-line codes": ("smtp", "NOOP", "<-  250-a\n<-  250 b", b"250-a\r\n550 b\r\n"),
    "at NOOP broken multi-line codes": ("smtp", "NOOP", "<-  550 no", b"550-no\r\n250 no\r\n"),
    "hide PIPELINING": ("smtp", "EHLO x", EHLO, HIDDEN),
    "hide auth": ("smtp", "EHLO x", EHLO, b"250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
    "hide SIZE": ("smtp", "EHLO x", "<-  250 mx", b"250 mx\r\n"),
    "hide sasl": ("pop3", "CAPA", CAPA, b"+OK\r\nUIDL\r\nSTLS\r\n.\r\n"),
    "add SIZE 10": ("smtp", "EHLO x", "<-  250 mx", b"250-mx\r\n250 SIZE 10\r\n"),
    "add X": ("smtp", "EHLO x", "<-  502 what", b"502 what\r\n"),
    "add UTF8": ("pop3", "CAPA", "<-  +OK\n<-  .", b"+OK\r\nUTF8\r\n.\r\n"),
    "at RETR wrong count -2": ("pop3", "RETR 1", "<-  +OK 4 octets\n<-  ab\n<-  .", b"+OK 2 octets\r\nab\r\n.\r\n"),
    "wrong count": ("pop3", "STAT", "<-  +OK 2 320", b"+OK 2 321\r\n"),
    "wrong count +5": ("pop3", "LIST", "<-  +OK 6\n<-  1 2\n<-  2 4\n<-  .", b"+OK 6\r\n1 7\r\n2 9\r\n.\r\n"),
    "wrong count -7": ("pop3", "UIDL", "<-  +OK\n<-  1 2\n<-  .", b"+OK\r\n1 2\r\n.\r\n"),
    "wrong count -3": ("pop2", "READ 1", "<-  =120", b"=117\r\n"),
    "at LIST bare LF": ("pop3", "LIST", "<-  +OK\n<-  1 2\n<-  .", b"+OK\n1 2\n.\n"),
    "bare LF": ("smtp", "EHLO x", "<-  250-a\n<-  250 b", b"250-a\n250 b\n"),
    "no last LF": ("pop3", "RETR 1", "<-  +OK\n<-  ab\n<-  .", b"+OK\r\nab\r\n.\r"),
    "at LIST no last LF": ("pop3", "LIST", "<-  +OK\n<-  .", b"+OK\r\n.\r"),
    r"octets behind X: y\r\n": ("pop3", "RETR 1", "<-  +OK\n<-  ab\n<-  .", b"+OK\r\nab\r\n.\r\nX: y\r\n"),
    r"at NOOP octets behind 250 again\r\n": ("smtp", "NOOP", "<-  250 ok", b"250 ok\r\n250 again\r\n"),
    "unstuffed dot": ("pop3", "RETR 1", "<-  +OK\n<-  a\n<-  ..b\n<-  ..\n<-  .", b"+OK\r\na\r\n.b\r\n..\r\n.\r\n"),
    "at content 1 unstuffed dot": ("pop3", "RETR 1", "<-  +OK\n<-  ab\n<-  f\n<-  .", b"+OK\r\nab\r\n.\r\nf\r\n.\r\n"),
    "at content unstuffed dot": ("pop3", "RETR 1", "<-  +OK\n<-  ..\n<-  .", b"+OK\r\n.\r\n.\r\n"),
}  # fmt: skip


@cuts
@pytest.mark.parametrize("fault", REPLIES)
def test_it_is_changed(fault: str, cut: str) -> None:
    protocol, command, reply, expected = REPLIES[fault]
    assert said(protocol, fault, command, reply, cut).removeprefix(b"220 mx\n") == expected


@cuts
def test_it_is_told_and_marked(cut: str) -> None:
    stage = Stage("smtp", "at EHLO hide STARTTLS", r"at NOOP octets behind x\r\n", cut=cut).play("<-  220 mx")
    stage.play(" -> EHLO x").play(EHLO).play(" -> NOOP").play("<-  250 ok")
    assert stage.talk()[1:] == transcript("""
 -> EHLO x
<-  250-mx
<-  250-PIPELINING
=== STARTTLS hidden by mailproxy in the reply to EHLO 1
<!  250-AUTH PLAIN LOGIN
<!  250 AUTH=LOGIN
 -> NOOP
<-  250 ok
=== 3 octets put behind the end by mailproxy in the reply to NOOP 1
<!  x
""")
    assert stage.told[-1] == "3 octets put behind the end by mailproxy in the reply to NOOP 1"
    assert stage.own.endswith(b"250 AUTH=LOGIN\r\nx\r\n")


@cuts
def test_without_a_place_it_is_told_once(cut: str) -> None:
    stage = (
        Stage("smtp", "code only", cut=cut).play("<-  220 mx").play(" -> NOOP\n -> NOOP").play("<-  250 a\n<-  250 b")
    )
    assert stage.to_client == b"220\r\n250\r\n250\r\n"
    assert stage.told == ["text taken away by mailproxy in the greeting"]


@cuts
def test_the_end_of_a_message_of_the_client(cut: str) -> None:
    stage = Stage("smtp", r"octets behind MAIL FROM:<>\r\n", cut=cut).play("<-  220 mx").play(" -> DATA")
    stage.play("<-  354 go").play(" -> a\n -> .").play("<-  250 ok")
    assert stage.to_server == b"DATA\r\na\r\n.\r\nMAIL FROM:<>\r\n"
    assert stage.told == ["14 octets put behind the end by mailproxy in message 1"]
    stage = Stage("smtp", "no last LF", cut=cut).play("<-  220 mx").play(" -> DATA").play("<-  354 go")
    assert stage.play(" -> a\n -> .").to_server == b"DATA\r\na\r\n.\r"


@cuts
@pytest.mark.parametrize("end", ["server", "client", "tls"])
def test_what_was_held_is_let_go(end: str, cut: str) -> None:
    stage = Stage("smtp", "code only", "at NOOP close", cut=cut).play("<-  220 mx\\").play(" -> NO\\")
    assert (stage.to_client, stage.to_server) == (b"", b"")
    if end == "tls":
        stage.orders += stage.spoiler.secured()
    else:
        stage.play("****server" if end == "server" else "****client")
    if end != "client":
        assert stage.to_client == b"220 mx"
    if end != "server":
        assert stage.to_server == b"NO"


def test_no_more_is_held_than_64_KiB() -> None:
    stage = Stage("smtp", "code only").play("<-  220 mx").play(" -> HELP")
    stage.play("<-  214-x\n" * 10_000)
    assert stage.to_client == b"220\r\n" + b"214-x\r\n" * 10_000
    stage.play("<-  214 x").play(" -> NOOP").play("<-  250 ok")
    assert stage.to_client.endswith(b"214 x\r\n250\r\n")


def test_a_long_message_is_unstuffed_before_it_is_whole() -> None:
    stage = Stage("pop3", "unstuffed dot").play("<-  +OK").play(" -> RETR 1").play("<-  +OK\n" + "<-  ab\n" * 30_000)
    assert len(stage.to_client) > 100_000
    assert stage.to_client.count(b"\r\n.\r\n") == 1


@cuts
def test_several_at_once(cut: str) -> None:
    stage = Stage("pop3", "bare LF", "no last LF", "wrong count", cut=cut).play("<-  +OK").play(" -> RETR 1")
    assert stage.play("<-  +OK 3 octets\n<-  a\n<-  .").to_client == b"+OK\n+OK 4 octets\na\n."


@cuts
def test_counted_messages_and_the_reply_behind_them(cut: str) -> None:
    stage = Stage("pop2", "no last LF", "at ACKD answer =0", cut=cut).play("<-  + hi")
    stage.play(" -> READ 1").play("<-  =6").play(" -> RETR\n -> ACKD\n -> QUIT").play("<-  abcd\n<-  + bye")
    assert stage.to_client == b"+ hi\r\n=6\r\nabcd\r=0\r\n+ bye\r\n"
