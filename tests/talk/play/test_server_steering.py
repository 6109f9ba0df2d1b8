"""A played server leads its client to a login that can be played, where the recorded one cannot."""

import pytest

from mailproxy.talk.play.manner import Manner
from tests.talk.play.server_stage import answers, player

SMTP = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250-mail.example.org
<-  250-AUTH {offer}
<-  250 PIPELINING
 -> AUTH {mechanism}
<-  334 eA==
 -> <secret: {mechanism}, 40 octets>
<-  {outcome}
 -> MAIL FROM:<a@example.org>
<-  452 4.3.1 disk full
 -> QUIT
<-  221 Bye
"""
GRANTED = "235 2.7.0 welcome"
REFUSED = "535 5.7.8 go away"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "DIGEST-MD5", "GSSAPI"])
def test_what_cannot_be_played_is_not_offered(mechanism: str) -> None:
    server = player(SMTP.format(offer=f"{mechanism} PLAIN", mechanism=mechanism, outcome=GRANTED))
    assert answers(server, "EHLO x") == ["250-mail.example.org", "250-AUTH PLAIN", "250 PIPELINING"]
    assert answers(server, "AUTH PLAIN AGEAYg==", "MAIL FROM:<a@example.org>") == [GRANTED, "452 4.3.1 disk full"]
    assert server.remarks == [
        f"{mechanism} cannot be played, for the server has to prove itself: other logins are offered",
        f"AUTH PLAIN is not in the record: answered as AUTH {mechanism} was",
    ]


def test_where_nothing_else_was_offered_some_are_that_can_be_played() -> None:
    server = player(SMTP.format(offer="SCRAM-SHA-1 XOAUTH2", mechanism="SCRAM-SHA-1", outcome=REFUSED))
    assert answers(server, "EHLO x")[1] == "250-AUTH XOAUTH2 CRAM-MD5 PLAIN LOGIN"
    assert answers(server, "AUTH PLAIN AGEAYg==") == [REFUSED]


@pytest.mark.parametrize(
    ("mechanism", "outcome"),
    [("NTLM", GRANTED), ("NTLM", REFUSED), ("DIGEST-MD5", REFUSED), ("CRAM-MD5", GRANTED)],
)
def test_what_can_be_played_is_offered_as_it_was(mechanism: str, outcome: str) -> None:
    server = player(SMTP.format(offer=f"{mechanism} SCRAM-SHA-1", mechanism=mechanism, outcome=outcome))
    assert answers(server, "EHLO x")[1] == f"250-AUTH {mechanism} SCRAM-SHA-1"
    assert answers(server, f"AUTH {mechanism}", "eA==") == ["334 eA==", outcome]
    assert server.remarks == []


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "DIGEST-MD5", "NTLM", "GSSAPI"])
def test_a_client_that_takes_one_nobody_recorded_is_told_to_take_another(mechanism: str) -> None:
    server = player(SMTP.format(offer=f"{mechanism} CRAM-MD5", mechanism="CRAM-MD5", outcome=GRANTED))
    assert answers(server, "EHLO x")[1] == f"250-AUTH {mechanism} CRAM-MD5"
    assert answers(server, f"AUTH {mechanism}") == ["504 5.5.4 Unrecognized authentication type"]
    assert answers(server, "AUTH CRAM-MD5", "eA==") == ["334 eA==", GRANTED]


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER", "EXTERNAL", "ANONYMOUS", "PLAIN"])
def test_a_client_that_speaks_first_has_the_recorded_outcome(mechanism: str) -> None:
    recorded = SMTP.format(offer=f"{mechanism} CRAM-MD5", mechanism="CRAM-MD5", outcome=GRANTED)
    assert answers(player(recorded), f"AUTH {mechanism} eA==") == [GRANTED]
    assert answers(player(recorded), f"AUTH {mechanism}", "eA==") == ["334 ", GRANTED]


def test_a_client_that_does_not_ask_is_answered_as_it_was_and_that_is_told() -> None:
    server = player(SMTP.format(offer="SCRAM-SHA-1", mechanism="SCRAM-SHA-1", outcome=GRANTED))
    assert answers(server, "AUTH SCRAM-SHA-1") == ["334 eA=="]
    assert server.remarks == ["AUTH SCRAM-SHA-1 is answered as it was, which proves nothing to another client"]


def test_a_strict_one_says_what_was_said() -> None:
    recorded = SMTP.format(offer="SCRAM-SHA-1", mechanism="SCRAM-SHA-1", outcome=GRANTED)
    assert answers(player(recorded, Manner(strict=True)), "EHLO client.example")[1] == "250-AUTH SCRAM-SHA-1"


POP3 = """pop3
=== connected
<-  +OK ready
 -> CAPA
<-  +OK
<-  SASL SCRAM-SHA-1 LOGIN
<-  UIDL
<-  .
 -> AUTH SCRAM-SHA-1
<-  + eA==
 -> <secret: SCRAM-SHA-1, 40 octets>
<-  + eA==
 -> <secret: SCRAM-SHA-1, 90 octets>
<-  + eA==
 -> <secret: SCRAM-SHA-1, empty>
<-  +OK Logged in.
 -> QUIT
<-  +OK Bye
"""


def test_a_listing_is_changed_too() -> None:
    server = player(POP3)
    assert answers(server, "CAPA") == ["+OK", "SASL LOGIN", "UIDL", "."]
    assert answers(server, "USER a", "PASS b")[-1] == "+OK Logged in."
