"""A reply in the server's place."""

import pytest

from tests.talk.faults.fault_stage import CUTS, Stage, transcript

cuts = pytest.mark.parametrize("cut", CUTS)
RCPT = "at RCPT 2 answer 452 4.5.3 Too many"


@cuts
def test_one_command_is_not_passed_on(cut: str) -> None:
    stage = Stage("smtp", RCPT, cut=cut)
    for line in (
        "<-  220 mx", " -> EHLO x", "<-  250 mx", " -> MAIL FROM:<a@example.org>", "<-  250 ok",
        " -> RCPT TO:<b@example.org>", "<-  250 ok", " -> RCPT TO:<c@example.org>", " -> QUIT", "<-  221 bye",
    ):  # fmt: skip
        stage.play(line)
    assert stage.talk() == transcript("""
<-  220 mx
 -> EHLO x
<-  250 mx
 -> MAIL FROM:<a@example.org>
<-  250 ok
 -> RCPT TO:<b@example.org>
<-  250 ok
=== RCPT 2 answered 452 4.5.3 Too many by mailproxy, the server was not asked
<!  452 4.5.3 Too many
 -> QUIT
<-  221 bye
""")


PIPELINED = """
 -> MAIL FROM:<a@example.org>
 -> RCPT TO:<b@example.org>
 -> RCPT TO:<c@example.org>
 -> RCPT TO:<d@example.org>
 -> DATA
"""


@cuts
def test_it_comes_in_its_turn(cut: str) -> None:
    stage = Stage("smtp", RCPT, cut=cut).play("<-  220 mx").play(PIPELINED)
    assert stage.own == b""
    stage.play("<-  250 mail\n<-  250-b\n<-  250 b\n<-  250 d\n<-  354 go")
    assert (
        stage.to_server
        == PIPELINED.replace(" -> ", "")
        .replace("RCPT TO:<c@example.org>\n", "")
        .lstrip()
        .replace("\n", "\r\n")
        .encode()
    )
    assert stage.talk()[-8:] == transcript("""
 -> DATA
<-  250 mail
<-  250-b
<-  250 b
=== RCPT 2 answered 452 4.5.3 Too many by mailproxy, the server was not asked
<!  452 4.5.3 Too many
<-  250 d
<-  354 go
""")


@cuts
def test_what_follows_waits_for_the_decision(cut: str) -> None:
    stage = Stage("smtp", "at DATA answer 554 5.7.1 no", cut=cut).play("<-  220 mx")
    stage.play(" -> RCPT TO:<b@example.org>\n -> DATA\n -> QUIT")
    assert stage.to_server == b"RCPT TO:<b@example.org>\r\n"
    assert stage.play("<-  250 ok").talk()[2:] == transcript("""
<-  250 ok
=== DATA 1 answered 554 5.7.1 no by mailproxy, the server was not asked
<!  554 5.7.1 no
 -> QUIT
""")


@cuts
def test_octets_of_a_refused_chunk_go_nowhere(cut: str) -> None:
    stage = Stage("smtp", "at BDAT 1 answer 552 5.3.4 too big", cut=cut).play("<-  220 mx")
    stage.play(" -> BDAT 8\n -> QUIT..\n -> BDAT 4 LAST\n -> ab\n -> QUIT")
    assert stage.to_server == b"BDAT 4 LAST\r\nab\r\nQUIT\r\n"
    assert stage.own == b"552 5.3.4 too big\r\n"


@cuts
def test_a_message_that_was_taken_here_never_leaves(cut: str) -> None:
    stage = Stage("smtp", "at DATA answer 354 go", "at content answer 250 2.0.0 kept", cut=cut).play("<-  220 mx")
    stage.play(" -> DATA").play(" -> Subject: x\n -> \n -> QUIT\n -> .\n -> NOOP")
    assert stage.to_server == b"NOOP\r\n"
    assert stage.to_client == b"220 mx\r\n354 go\r\n250 2.0.0 kept\r\n"


@cuts
def test_the_reply_to_a_message_is_replaced(cut: str) -> None:
    stage = Stage("smtp", r"at content 2 answer 451-4.3.0 not\n451 4.3.0 now", cut=cut).play("<-  220 mx")
    for _ in range(3):
        stage.play(" -> DATA").play("<-  354 go").play(" -> x\n -> .").play("<-  250-secret\n<-  250 ok")
    assert stage.to_server == b"DATA\r\nx\r\n.\r\n" * 3
    assert stage.own == b"451-4.3.0 not\r\n451 4.3.0 now\r\n"
    assert stage.to_client.count(b"250 ok") == 2
    assert stage.told == [
        r"the reply to message 2 answered 451-4.3.0 not\n451 4.3.0 now by mailproxy, the server had said 250"
    ]


@cuts
def test_each_recipient_of_lmtp_gets_it(cut: str) -> None:
    stage = Stage("lmtp", "at content answer 450 4.2.0 later", cut=cut).play("<-  220 mx")
    stage.play(" -> RCPT TO:<a@example.org>\n -> RCPT TO:<b@example.org>").play("<-  250 a\n<-  250 b")
    stage.play(" -> DATA").play("<-  354 go").play(" -> x\n -> .").play("<-  250 a\n<-  250 b")
    assert stage.own == b"450 4.2.0 later\r\n" * 2


@cuts
def test_the_greeting_is_replaced(cut: str) -> None:
    stage = Stage("pop3", "at greeting answer -ERR [SYS/TEMP] not now", cut=cut).play("<-  +OK <1.2@mx>")
    assert stage.talk() == transcript("""
=== the greeting answered -ERR [SYS/TEMP] not now by mailproxy, the server had said +OK
<!  -ERR [SYS/TEMP] not now
""")


@cuts
def test_passwords_are_not_told(cut: str) -> None:
    stage = Stage("pop3", "at PASS answer -ERR [IN-USE] locked", cut=cut).play("<-  +OK")
    stage.play(" -> USER a\n -> PASS Tr0ub4dor&3\n -> STAT").play("<-  +OK")
    assert stage.to_server == b"USER a\r\nSTAT\r\n"
    assert stage.to_client == b"+OK\r\n+OK\r\n-ERR [IN-USE] locked\r\n"
    assert not any("Tr0ub" in told for told in stage.told)


@cuts
def test_a_listing_in_the_servers_place(cut: str) -> None:
    stage = Stage("pop3", r"at LIST answer +OK\n1 120\n.", "at RETR 1 answer +OK", cut=cut).play("<-  +OK")
    stage.play(" -> LIST\n -> RETR 1\n -> STAT").play("<-  +OK 1 120")
    assert stage.to_server == b"STAT\r\n"
    assert stage.to_client == b"+OK\r\n+OK\r\n1 120\r\n.\r\n+OK\r\n+OK 1 120\r\n"


@cuts
def test_a_login_is_refused(cut: str) -> None:
    stage = Stage("smtp", "at AUTH answer 535 5.7.8 no", cut=cut).play("<-  220 mx")
    stage.play(" -> AUTH PLAIN AGEAYg==\n -> QUIT").play("<-  221 bye")
    assert stage.to_server == b"QUIT\r\n"


@cuts
def test_a_reply_that_is_none(cut: str) -> None:
    stage = (
        Stage("smtp", 'at NOOP answer "what?"', cut=cut)
        .play("<-  220 mx")
        .play(" -> NOOP\n -> QUIT")
        .play("<-  221 bye")
    )
    assert stage.to_client == b"220 mx\r\nwhat?\r\n221 bye\r\n"


def test_what_the_server_is_in_the_midst_of_is_the_reply() -> None:
    stage = Stage("smtp", "at NOOP answer 250 own").play("<-  220 mx").play("<-  421 shut\\").play(" -> NOOP")
    assert stage.play("<-  ting down").to_client == b"220 mx\r\n421 shutting down\r\n"


def test_before_the_greeting_nothing_is_answered() -> None:
    stage = Stage("smtp", "at EHLO answer 421 no").play(" -> EHLO x")
    assert stage.to_client == b""
    assert stage.play("<-  220 mx").to_client == b"220 mx\r\n421 no\r\n"


def test_a_protocol_that_is_a_toy_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from mailproxy import protocols
    from mailproxy.protocols.descriptor import Protocol
    from tests.test_a_new_protocol import EchoDialogue

    monkeypatch.setattr(protocols, "PROTOCOLS", (Protocol("echo", 7, 2007, EchoDialogue, "ECHO"),))
    stage = Stage("echo", "at SAY 2 answer YES mailproxy")
    stage.play(" -> SAY a\n -> SAY b\n -> SAY c").play("<-  YES a\n<-  YES c")
    assert stage.to_client == b"YES a\r\nYES mailproxy\r\nYES c\r\n"
