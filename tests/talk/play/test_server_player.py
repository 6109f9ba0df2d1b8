"""The recorded server, and what a client gets that says the same, the like, or something else."""

from dataclasses import replace

import pytest

from mailproxy.model.octets import Side
from mailproxy.model.session import Ending, How, Leg, Recording
from mailproxy.model.tls import Fault, TlsFacts
from mailproxy.talk.play.edit import parse
from mailproxy.talk.play.manner import Manner
from mailproxy.talk.play.repertoire import Repertoire
from mailproxy.talk.practice.conversation import Send
from mailproxy.talk.stand_in import Absent
from mailproxy.talk.ways import Insecure
from tests.talk.play.server_stage import REPLAY, answers, player, recorded, talk, told

SMTP = """smtp
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250-mail.example.org
<-  250 ENHANCEDSTATUSCODES
 -> MAIL FROM:<bob@example.org> SIZE=300
<-  250 2.1.0 Fine
 -> RCPT TO:<alice@example.org>
<-  250 2.1.5 Fine
 -> RCPT TO:<gone@example.org>
<-  550 5.1.1 no such user
"""


def test_it_speaks_again() -> None:
    assert talk(player(SMTP), "ehlo [192.0.2.7]", "MAIL FROM:<eve@example.org>", "RCPT TO:<alice@example.org>") == [
        "S: 220 mail.example.org ESMTP",
        "C: ehlo [192.0.2.7]",
        "S: 250-mail.example.org",
        "S: 250 ENHANCEDSTATUSCODES",
        "C: MAIL FROM:<eve@example.org>",
        "S: 250 2.1.0 Fine",
        "C: RCPT TO:<alice@example.org>",
        "S: 250 2.1.5 Fine",
    ]


def test_recipients_are_known_in_any_order() -> None:
    server = player(SMTP)
    assert answers(server, "RCPT TO:<gone@example.org>", "RCPT TO:<ALICE@example.org>") == [
        "550 5.1.1 no such user",
        "250 2.1.5 Fine",
    ]
    assert server.remarks == []


def test_others_are_answered_in_the_recorded_order() -> None:
    assert answers(player(SMTP), "RCPT TO:<x@example.org>\nRCPT TO:<y@example.org>") == [
        "250 2.1.5 Fine",
        "550 5.1.1 no such user",
    ]


def test_what_is_not_in_the_record_is_answered_in_its_manner() -> None:
    server = player(SMTP)
    sent = ("MAIL FROM:<bob@example.org>", "RCPT TO:<alice@example.org>", "DATA", "Hello\n.")
    assert answers(server, "NOOP", *sent, "hunter22", "STARTTLS", "QUIT") == [
        "250 2.0.0 Fine",
        "250 2.1.0 Fine",
        "250 2.1.5 Fine",
        "354 End data with <CR><LF>.<CR><LF>",
        "250 2.0.0 Fine",
        "500 5.5.2 Command not recognized",
        "502 5.5.1 Command not implemented",
        "221 2.0.0 Bye",
        "*** closed",
    ]
    assert server.remarks[0] == 'NOOP is not in the record: answered "250 2.0.0 Fine"'
    assert "hunter22" not in "".join(server.remarks).lower()


def test_strictly_nothing_else_is_answered() -> None:
    server = player(SMTP, Manner(strict=True))
    assert answers(server, "EHLO x", "NOOP") == ["250-mail.example.org", "250 ENHANCEDSTATUSCODES", "*** closed"]
    assert server.remarks == ["NOOP is not in the record: the connection is closed"]


def test_a_transaction_more_is_answered_as_before() -> None:
    server = player(SMTP)
    said = answers(server, "MAIL FROM:<bob@example.org>", *["RCPT TO:<gone@example.org>"] * 2)
    assert said[1:] == ["550 5.1.1 no such user"] * 2
    assert server.remarks == ["RCPT gone@example.org is one more than the record has: answered as the last was"]


def test_helo_is_answered_as_ehlo_was() -> None:
    server = player(SMTP)
    assert answers(server, "HELO x") == ["250 mail.example.org"]
    assert server.remarks == ["HELO x is not in the record: answered as EHLO client.example was"]


LOGINS = {
    "smtp-auth-plain-good": "235 2.7.0 Authentication successful",
    "smtp-auth-login-good": "235 2.7.0 Authentication successful",
    "smtp-auth-cram-md5-wrong-password": "535 5.7.8 Error: authentication failed: (reason unavailable)",
}


@pytest.mark.parametrize("name", LOGINS)
def test_a_login_of_any_mechanism_has_the_recorded_outcome(name: str) -> None:
    outcome = LOGINS[name]
    assert answers(player(name), "AUTH PLAIN AGEAYg==")[-1] == outcome
    assert answers(player(name), "AUTH PLAIN", "AGEAYg==") == ["334 ", outcome]
    assert answers(player(name), "AUTH LOGIN", "YQ==", "Yg==") == ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", outcome]
    assert answers(player(name), "AUTH LOGIN YQ==", "Yg==") == ["334 UGFzc3dvcmQ6", outcome]
    assert answers(player(name), "AUTH CRAM-MD5", "YQ==")[1:] == [outcome]
    assert answers(player(name), "AUTH SCRAM-SHA-1 x")[-1].startswith(
        ("5", outcome[:3]) if outcome[0] == "5" else "504"
    )


def test_a_cancelled_login_is_not_granted() -> None:
    assert answers(player("smtp-auth-login-good"), "AUTH LOGIN", "*") == [
        "334 VXNlcm5hbWU6",
        "501 5.7.0 Authentication is cancelled",
    ]


@pytest.mark.parametrize("name", ["pop3-apop-good", "pop3-auth-plain-good", "pop3-stls-apart-good"])
def test_a_pop3_login_is_a_login(name: str) -> None:
    assert answers(player(name), "USER a", "PASS b")[-1] == "+OK Logged in."
    assert answers(player(name), "APOP a 0123") == ["+OK Logged in."]
    assert answers(player(name), "AUTH PLAIN AGEAYg==") == ["+OK Logged in."]


def test_bdat_does_for_data_and_data_for_bdat() -> None:
    assert answers(player("smtp-bdat-chunks-good"), "DATA", "Hello\n.") == [
        "354 End data with <CR><LF>.<CR><LF>",
        "250 2.0.0 Ok: 266 bytes queued as 86D57214AF9",
    ]
    server = player("smtp-send-good")
    answers(server, "MAIL FROM:<bob@example.org>", "RCPT TO:<alice@example.org>")
    assert told(server.receive(b"BDAT 5\r\nHelloBDAT 2 LAST\r\n\r\n")) == [
        "250 2.0.0 5 octets received",
        *[line for line in answers(player("smtp-send-good"), "DATA", "x\n.") if line.startswith("250")],
    ]


def test_nobody_is_there() -> None:
    assert player("smtp-no-such-host").absent() == Absent(How.NO_NAME)
    assert player("smtp\n*** connection refused: by mail.example.org\n").absent() == Absent(
        How.REFUSED, "by mail.example.org"
    )
    assert player("smtp-send-good").absent() is None
    silent = replace(recorded("smtp\n").session, server=Leg(Side.SERVER, ending=Ending(Side.SERVER, How.TIMED_OUT, 9)))
    assert player(Recording(silent)).absent() == Absent(How.TIMED_OUT)


def test_it_closes_and_resets_where_it_did() -> None:
    envelope = ["EHLO x", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"]
    assert answers(player("smtp-reset-after-data"), *envelope, "Hello\n.")[-2:] == [
        "354 Go on; end with a dot on a line of its own",
        "*** reset",
    ]
    assert answers(player("smtp-idle-timeout"), *envelope[:2])[-2:] == [
        "421 4.4.2 mail.example.org Error: timeout exceeded",
        "*** closed",
    ]
    assert answers(player("smtp-server-shuts-down"), *envelope[:3])[-2:] == [
        "421 4.3.2 The service is shutting down",
        "*** closed",
    ]


BROKEN_OFF = """smtp
<-  220 mail.example.org
 -> DATA
<-  354 go on
 -> 12345678
*** closed by the server
"""


def test_it_breaks_into_a_message_where_it_did() -> None:
    server = player(BROKEN_OFF)
    assert answers(server, "DATA", "123") == ["354 go on"]
    assert told(server.receive(b"45678\r\n")) == ["*** closed"]
    assert answers(player(BROKEN_OFF), "DATA", "1\n.") == ["354 go on", "*** closed"]


def test_it_is_silent_where_it_was() -> None:
    server = player("smtp\n<-  220 x\n -> MAIL FROM:<a@example.org>\n*** timed out waiting for the server\n")
    assert answers(server, "MAIL FROM:<b@example.org>", "QUIT") == []
    assert server.remarks == ["the answer to MAIL b@example.org is missing in the record: nothing more is said"]
    assert told(server.ended()) == ["*** closed"]


def test_a_message_stops_where_it_stopped() -> None:
    server = player("pop3-silent-in-retr")
    said = answers(server, "USER silent", "PASS secret12", "RETR 1", "NOOP", "QUIT")
    assert said[-1] == "Date: Mon, 06 Jan 20"
    assert answers(player("pop3-reset-in-retr"), "RETR 1")[-1] == "*** reset"


def test_odd_octets_stay_odd() -> None:
    odd = "smtp\n<-  220\n -> EHLO x\n<-  250-a\\n\n<-  250\n -> NOOP\n<-  250-a\n<-  251-b\n<-  what\n<-  250 c\n"
    server = player(odd)
    assert server.receive() == [Send(b"220\r\n")]
    assert server.receive(b"EHLO x\r\n") == [Send(b"250-a\n"), Send(b"250\r\n")]
    assert b"".join(each.octets for each in server.receive(b"NOOP\r\n") if isinstance(each, Send)) == (
        b"250-a\r\n251-b\r\nwhat\r\n250 c\r\n"
    )


def test_a_listing_without_end_does_not_stop_it() -> None:
    said = answers(player("pop3-article"), "USER tux", "PASS x", "STAT", "RETR 1", "DELE 1", "QUIT")
    assert said[-5:-2] == ["+OK 5 octets", "contenu du message 1", "+OK message # 1 deleted"]


def test_the_mailbox_is_known_from_the_record() -> None:
    server = player("pop3-stls-apart-good")
    assert answers(server, "USER alice", "PASS x", "LIST 1", "UIDL 1", "TOP 1 1", "RETR 2")[2:] == [
        "+OK 1 180",
        "+OK 1 000000016b0588ba",
        "+OK",
        "From: Bob <bob@example.org>",
        "To: Alice <alice@example.org>",
        "Date: Tue, 01 Jul 2025 10:52:37 +0200",
        "Message-ID: <lunch@example.org>",
        "Subject: Lunch",
        "",
        "Hello Alice,",
        ".",
        "-ERR No such message",
    ]


def test_what_is_deleted_is_gone_until_rset() -> None:
    server = player("pop3-stls-apart-good")
    said = answers(server, "USER alice", "PASS x", "STAT", "DELE 1", "STAT", "DELE 1", "RSET", "STAT")
    assert said[2:] == [
        "+OK 1 180",
        "+OK Marked to be deleted.",
        "+OK 0 0",
        "-ERR No such message",
        "+OK",
        "+OK 1 180",
    ]


def test_messages_of_which_only_the_number_is_known_are_made_up() -> None:
    server = player("pop3\n<-  +OK\n -> STAT\n<-  +OK 2 400\n")
    said = answers(server, "LIST", "RETR 2")
    assert said[:4] == ["+OK 2 messages (400 octets)", "1 200", "2 200", "."]
    server = player("pop3\n<-  +OK\n -> STAT\n<-  +OK 2 400\n")
    server.receive()
    (whole,) = server.receive(b"RETR 2\r\n")
    assert isinstance(whole, Send)
    assert len(whole.octets) == len(b"+OK 200 octets\r\n") + 200 + len(b".\r\n")


def test_made_up_unique_ids_stay_the_same() -> None:
    talk = "pop3\n<-  +OK\n -> STAT\n<-  +OK 2 400\n"
    assert answers(player(talk), "UIDL") == answers(player(talk), "UIDL")
    assert answers(player(talk), "UIDL 2")[0].removeprefix("+OK ") in answers(player(talk), "UIDL")


def test_content_that_was_left_out_is_told_of() -> None:
    whole = (REPLAY / "pop3-sizes-right-good.talk").read_text(encoding="utf-8")
    body = "<-  Dear Alice,\n<-\n<-  this is a message like any other.\n<-\n<-  Bob\n"
    assert body in whole
    server = player(whole.replace(body, "... 57 octets of the server left out\n"))
    said = answers(server, "RETR 1")
    assert "octets of the message are not in the record]" in "".join(said)
    assert said[-1] == "."
    assert any("octets of a message are not in the record" in remark for remark in server.remarks)


def test_its_pauses_are_kept_on_wish() -> None:
    slow = recorded("smtp\n  0.000 === connected\n  1.500 <-  220 x\n  2.000  -> NOOP\n  5.000 <-  250 Ok\n")
    assert told(player(slow, Manner(pauses=1.0)).receive()) == ["=== 1.5 s", "220 x"]
    assert answers(player(slow, Manner(pauses=2.0)), "NOOP") == ["=== 1.5 s", "250 Ok"]
    assert answers(player(slow), "NOOP") == ["250 Ok"]
    rule = Manner(pauses=1.0, edits=(parse("NOOP s/Ok/yes/"),))
    assert answers(player(slow, rule), "NOOP") == ["=== 3 s", "250 yes"]


def test_its_pauses_within_a_message_are_kept_too() -> None:
    slow = (
        "pop3\n 0.0 <-  +OK\n 1.0  -> RETR 1\n 1.0 <-  +OK\n 2.0 <-  Subject: x\n 2.5 <-  \n 2.5 <-  bo\\\n"
        " 4.0 <-  dy\n 5.0 <-  .\n"
    )
    said = answers(player(slow, Manner(pauses=1.0)), "RETR 1")
    assert said == ["+OK", "=== 1 s", "Subject: x", "=== 0.5 s", "", "bo", "=== 1.5 s", "dy", "=== 1 s", "."]


def test_tls_is_as_it_was() -> None:
    assert player("smtp-tls-good").secure() == TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384")
    assert player("smtp-send-good").secure() == TlsFacts()
    old = player("smtp-tls-old-server").secure()
    assert old == Insecure("alert protocol_version from the server", 70, Side.SERVER)
    expired = player("smtp-tls-expired-strict").secure()
    assert isinstance(expired, TlsFacts)
    assert expired.faults == (Fault.EXPIRED,)
    clear = player("smtp-tls-server-in-clear").secure()
    assert isinstance(clear, Insecure)
    assert clear.clear.startswith(b"220 ")


def test_under_tls_it_goes_on_with_what_was_said_there() -> None:
    server = player("smtp-starttls-apart-good")
    assert "250-STARTTLS" in answers(server, "EHLO x")
    assert told(server.receive(b"STARTTLS\r\nMAIL FROM:<mallory@example.org>\r\n")) == ["220 2.0.0 Ready to start TLS"]
    server.secure()
    assert server.receive() == []
    assert "250-STARTTLS" not in told(server.receive(b"EHLO x\r\n"))


def test_a_client_with_tls_from_the_start_is_greeted_under_it() -> None:
    server = player("smtp-starttls-apart-good")
    server.secure()
    assert told(server.receive()) == ["220 mail.example.org ESMTP Postfix"]
    assert "250-STARTTLS" not in told(server.receive(b"EHLO x\r\n"))


def test_what_passed_through_under_tls_is_not_there() -> None:
    server = player("smtp-starttls-good")
    answers(server, "EHLO x", "STARTTLS")
    server.secure()
    assert told(server.receive(b"EHLO x\r\n")) == ["*** closed"]
    assert server.remarks == ["what was said under TLS is not in the record: the connection is closed"]


@pytest.mark.parametrize("empty", ["smtp\n", "smtp\n=== connected\n", "pop3\n# nothing\n"])
def test_an_empty_record_says_so(empty: str) -> None:
    server = player(empty)
    assert told(server.receive()) == ["*** closed"]
    assert server.remarks == ["the record has no word of the server: the connection is closed"]


def test_a_record_that_begins_late_is_greeted_for() -> None:
    server = player("smtp\n -> EHLO x\n<-  250 mail.example.org\n -> QUIT\n<-  221 Bye\n")
    server_says = talk(server, "EHLO y")
    assert server_says[0].startswith("S: 2")
    assert server_says[-1].startswith("S: 250 ")


def test_first_refuse_then_accept() -> None:
    servers = [recorded("smtp\n<-  421 later\n*** closed by the server\n"), recorded(SMTP)]
    remarks: list[str] = []
    Repertoire(servers[1:], remark=remarks.append).next(7).receive(b"NOOP\r\n")
    assert remarks == ['session 7: NOOP is not in the record: answered "250 2.0.0 Fine"']
    repertoire = Repertoire(servers)
    said = [told(repertoire.next().receive()) for _ in range(3)]
    assert said == [["421 later", "*** closed"], ["220 mail.example.org ESMTP"], ["220 mail.example.org ESMTP"]]
    again = Repertoire(servers, Manner(cycle=True))
    assert [told(again.next().receive())[0][:3] for _ in range(4)] == ["421", "220", "421", "220"]
    with pytest.raises(ValueError, match="no recording"):
        Repertoire([])


def test_pop2_sends_as_many_octets_as_it_promised() -> None:
    server = player("pop2-session-good")
    said = answers(server, "HELO someone else", "READ 1", "RETR", "ACKS")
    assert said[:2] == ["#3 messages", "=211 octets in message 1"]
    assert said[-1] == "=1600 octets in message 2"
    assert server.remarks == []


def test_a_rule_that_spoils_every_reply_stops_nothing() -> None:
    server = player(
        "smtp\n<-  220 x\n -> DATA\n<-  354 go\n -> broken\n*** cut off\n", Manner(edits=(parse("s/250/what/"),))
    )
    assert answers(server, "DATA", "x\n.", "NOOP") == ["354 go", "what Ok"]


def test_no_secret_is_remarked() -> None:
    server = player(SMTP)
    answers(server, "AUTH PLAIN aHVudGVyMjI=", "PASS hunter22", "hunter22", "AUTH hunter22", "USER hunter22", "QUIT")
    assert not any("hunter22" in remark.lower() or "aHVudGVyMjI" in remark for remark in server.remarks)
    server = player("pop3-apop-good")
    answers(server, "USER hunter22", "PASS hunter22", "APOP hunter22 hunter22", "hunter22", "QUIT")
    assert not any("hunter22" in remark.lower() for remark in server.remarks)


def test_a_message_is_never_joined() -> None:
    lines = "".join(f"{n:6.3f} <-  line {n}\n" for n in range(50))
    server = player(f"pop3\n<-  +OK\n -> RETR 1\n<-  +OK\n{lines}50.000 <-  .\n")
    server.receive()
    assert len(server.receive(b"RETR 1\r\n")) == 52


def test_replies_to_commands_in_one_write_come_one_by_one() -> None:
    server = player("smtp-pipelining-good")
    said = answers(server, "MAIL FROM:<x@example.org>\nRCPT TO:<a@example.org>\nRCPT TO:<b@example.org>\nDATA")
    assert said == ["250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.1.5 Ok", "354 End data with <CR><LF>.<CR><LF>"]


def test_lmtp_answers_for_each_recipient() -> None:
    server = player("lmtp-two-recipients-good")
    said = answers(server, "LHLO x", "MAIL FROM:<a@b>", *["RCPT TO:<x@example.org>"] * 3, "DATA", "Hello\n.")
    final = said[said.index(next(line for line in said if line.startswith("354"))) + 1 :]
    assert len(final) == len([line for line in said if line.startswith("250 2.1.5")])
