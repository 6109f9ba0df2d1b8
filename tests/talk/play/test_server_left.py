"""Clients that leave the recorded server before it has said all: in a message, in a handshake, or with no recipient."""

import pytest

from mailproxy.talk.play.edit import parse
from mailproxy.talk.play.manner import Manner
from tests.talk.play.server_stage import answers, player, talk, told

REFUSED = """smtp
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250 mail.example.org
 -> MAIL FROM:<bob@example.org>
<-  250 2.1.0 Ok
 -> RCPT TO:<gone@example.org>
<-  550 5.1.1 no such user
"""
SENDS = ("EHLO client.example", "MAIL FROM:<bob@example.org>", "RCPT TO:<alice@example.org>", "DATA")


@pytest.mark.parametrize("last", ["DATA", "BDAT 0 LAST"])
def test_no_message_is_wanted_for_recipients_that_were_refused(last: str) -> None:
    said = talk(player(REFUSED), "EHLO client.example", "MAIL FROM:<bob@example.org>", "RCPT TO:<x@example.org>", last)
    assert said[-1] == "S: 554 5.5.1 No valid recipients"


def test_a_message_is_wanted_for_the_next_recipient() -> None:
    server = player(REFUSED.replace("550 5.1.1 no such user", "250 2.1.5 Ok"))
    assert answers(server, *SENDS)[-1] == "354 End data with <CR><LF>.<CR><LF>"


@pytest.mark.parametrize("name", ["smtp-send-good", "smtp-content-refused", "smtp-relay-after-login-good"])
def test_a_message_that_is_broken_off_gets_no_answer(name: str) -> None:
    server = player(name)
    assert talk(server, *SENDS, "Subject: x")[-2].startswith("S: 354")
    assert told(server.ended()) == ["*** closed"]


@pytest.mark.parametrize("name", ["smtp-tls-unknown-ca", "smtp-tls-self-signed"])
def test_a_server_whose_certificate_was_refused_greets_who_trusts_it(name: str) -> None:
    server = player(name)
    server.secure()
    assert told(server.receive()) == ["220 recorded.invalid ESMTP"]
    assert server.remarks == ['the greeting is not in the record: said "220 recorded.invalid ESMTP"']


def test_a_server_that_never_spoke_is_silent_to_the_end() -> None:
    server = player("smtp\n=== connected\n*** timed out waiting for the server\n")
    assert talk(server, "EHLO client.example", "QUIT") == ["C: EHLO client.example", "C: QUIT"]
    assert told(server.ended()) == ["*** closed"]


LEFT = """pop3
=== connected
<-  +OK ready
 -> USER alice
<-  +OK
 -> PASS <secret: 5 characters>
<-  -ERR [AUTH] no
*** closed by the client without QUIT
=== closed by the server too
"""


def test_a_server_that_was_left_stays_for_those_who_take_their_leave() -> None:
    said = talk(player(LEFT), "USER alice", "PASS secret", "QUIT")
    assert said[4:] == ["S: -ERR [AUTH] no", "C: QUIT", "S: +OK Bye", "S: *** closed"]


def test_a_rule_for_a_recorded_command_holds_for_its_kin() -> None:
    server = player(LEFT, Manner(edits=(parse("PASS s/-ERR .*/+OK Welcome/"),)))
    assert answers(server, "AUTH PLAIN AGFsaWNlAHNlY3JldA==")[-1] == "+OK Welcome"
