"""What a played SMTP server says to what nobody had asked it, in each state of a session."""

import pytest

from mailproxy.talk.play.manner import Manner
from tests.talk.play.server_stage import answers, player

ENVELOPE = """smtp
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250-mail.example.org
<-  250-SIZE 1000
<-  250 AUTH PLAIN LOGIN
 -> MAIL FROM:<bob@example.org>
<-  250 2.1.0 The sender is fine
 -> RCPT TO:<alice@example.org>
<-  250 2.1.5 The recipient is fine
"""
PLAIN = "smtp\n<-  220 mail.example.org\n -> HELO client.example\n<-  250 mail.example.org\n"
MAIL, RCPT = "MAIL FROM:<bob@example.org>", "RCPT TO:<alice@example.org>"
OTHERS = ("MAIL FROM:<carol@example.net>", "RCPT TO:<dave@example.net>")

SAID = [
    ("NOOP", "250 2.0.0 Ok"),
    ("RSET", "250 2.0.0 Ok"),
    ("HELP", "214 2.0.0 See RFC 5321"),
    ("VRFY alice", "252 2.0.0 Cannot verify, but will take a message"),
    ("EXPN friends", "502 5.5.1 Command not implemented"),
    ("ETRN example.org", "502 5.5.1 Command not implemented"),
    ("STARTTLS", "502 5.5.1 Command not implemented"),
    ("XYZZY", "500 5.5.2 Command not recognized"),
    ("", "500 5.5.2 Command not recognized"),
    ("\0", "500 5.5.2 Command not recognized"),
    ("X" * 2000, "500 5.5.2 Command not recognized"),
    ("DATA", "503 5.5.1 MAIL comes first"),
    ("BDAT 2 LAST\n", "503 5.5.1 MAIL comes first"),
    ("AUTH", "501 5.5.4 AUTH wants a mechanism"),
    ("AUTH GSSAPI", "504 5.5.4 Unrecognized authentication type"),
    ("AUTH PLAIN AGEAYg==", "235 2.7.0 Authentication successful"),
    ("QUIT", "221 2.0.0 Bye"),
]
IN_PLACES = [
    (f"{MAIL}\n{MAIL}", "503 5.5.1 A sender has been given already"),
    (f"{MAIL}\nAUTH PLAIN AGEAYg==", "503 5.5.1 Not within a mail transaction"),
    (f"{MAIL}\nDATA", "503 5.5.1 RCPT comes first"),
    (f"{MAIL}\n{RCPT}\nRSET\nDATA", "503 5.5.1 MAIL comes first"),
    (f"{MAIL}\n{RCPT}\nEHLO x\n{RCPT}", "503 5.5.1 MAIL comes first"),
    (f"{MAIL}\n{RCPT}\nDATA", "354 End data with <CR><LF>.<CR><LF>"),
    (f"{MAIL}\n{RCPT}\nDATA\nHello\n.", "250 2.0.0 Ok"),
    (f"{MAIL}\n{RCPT}\nDATA\nHello\n.\nDATA", "503 5.5.1 MAIL comes first"),
    (f"{MAIL}\n{RCPT}\nDATA\nHello\n.\n{OTHERS[0]}", "250 2.1.0 The sender is fine"),
    (f"{MAIL}\n{RCPT}\n{OTHERS[1]}", "250 2.1.5 The recipient is fine"),
    (f"{MAIL}\n{RCPT}\nBDAT 7 LAST\nHello", "250 2.0.0 7 octets received"),
    ("AUTH PLAIN AGEAYg==\nAUTH PLAIN AGEAYg==", "503 5.5.1 Already authenticated"),
    ("AUTH LOGIN\n*", "501 5.7.0 Authentication is cancelled"),
    ("MAIL FROM:<bob@example.org> SIZE=1000", "250 2.1.0 The sender is fine"),
    ("MAIL FROM:<bob@example.org> SIZE=1001", "552 5.3.4 Message size exceeds fixed limit"),
    ("MAIL FROM:<bøb@example.org> BODY=8BITMIME SMTPUTF8", "250 2.1.0 The sender is fine"),
]


@pytest.mark.parametrize(("asked", "answer"), SAID + IN_PLACES)
def test_the_field_has_its_own_words(asked: str, answer: str) -> None:
    said = [line for line in answers(player(ENVELOPE), "EHLO x", asked) if not line.startswith("***")]
    assert said[-1] == answer


@pytest.mark.parametrize(("asked", "answer"), SAID)
def test_a_server_without_enhanced_codes_has_none(asked: str, answer: str) -> None:
    if asked.startswith("AUTH"):
        answer = "503 5.5.1 Authentication is not enabled"
    code, _, words = answer.split(" ", 2)
    said = [line for line in answers(player(PLAIN), "HELO x", asked) if not line.startswith("***")]
    assert said[-1] == f"{code} {words}"


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (("Fine", "Fine"), "Fine"),
        (("OK", "Recipient noted"), "OK"),
        (("Sender noted", "Recipient noted"), "Ok"),
        (("bob... Sender ok", "alice... Recipient ok"), "Ok"),
    ],
)
def test_only_words_that_mean_nothing_do_for_others(replies: tuple[str, str], words: str) -> None:
    sender, recipient = replies
    server = player(f"smtp\n<-  220 x\n -> {MAIL}\n<-  250 {sender}\n -> {RCPT}\n<-  250 {recipient}\n")
    assert answers(server, "RSET") == [f"250 {words}"]


def test_what_is_unknown_is_refused_in_the_servers_own_words_but_not_by_anothers_name() -> None:
    refused = "smtp\n<-  220 x\n -> XFOO\n<-  502 5.5.2 {}\n"
    assert answers(player(refused.format("Eh?")), "XFOO", "XBAR")[-1] == "502 5.5.2 Eh?"
    assert answers(player(refused.format("What is xfoo?")), "XFOO", "XBAR")[-1] == "500 5.5.2 Command not recognized"


def test_what_the_record_shows_out_of_place_is_answered_as_it_shows() -> None:
    lenient = f"smtp\n<-  220 x\n -> {MAIL}\n<-  250 yes\n -> {MAIL}\n<-  250 again\n"
    assert answers(player(lenient), MAIL, MAIL, MAIL) == ["250 yes", "250 again", "250 again"]
    larger = ENVELOPE.replace("<bob@example.org>", "<bob@example.org> SIZE=5000")
    assert (
        answers(player(larger), "EHLO x", "MAIL FROM:<x@example.org> SIZE=7000")[-1] == "250 2.1.0 The sender is fine"
    )


def test_nothing_is_improvised_strictly() -> None:
    server = player(ENVELOPE, Manner(strict=True))
    assert answers(server, "EHLO x", "MAIL FROM:<bob@example.org> SIZE=1001")[-1] == "250 2.1.0 The sender is fine"
    assert answers(server, "MAIL FROM:<bob@example.org>") == ["*** closed"]


def test_a_message_for_nobody_is_not_wanted_though_it_was() -> None:
    server = player(ENVELOPE.replace("250 2.1.5", "550 5.1.1") + " -> DATA\n<-  354 go on\n -> .\n<-  250 Ok\n")
    assert answers(server, MAIL, RCPT, "DATA")[-1] == "354 go on"
    good = ENVELOPE + " -> DATA\n<-  354 go on\n -> .\n<-  250 Ok\n"
    assert answers(player(good), MAIL, RCPT, "DATA")[-1] == "354 go on"


OFFERED = ENVELOPE.replace("250-SIZE 1000", "250-STARTTLS")


def test_tls_is_granted_where_it_was_offered_and_not_offered_within_tls() -> None:
    server = player(OFFERED)
    assert answers(server, "EHLO x", "STARTTLS")[-1] == "220 2.0.0 Ready to start TLS"
    server.secure()
    assert answers(server, "EHLO x") == ["250-mail.example.org", "250 AUTH PLAIN LOGIN"]
    assert answers(server, "STARTTLS") == ["503 5.5.1 TLS has begun already"]


def test_the_login_before_tls_is_forgotten() -> None:
    server = player(OFFERED)
    login = "AUTH PLAIN AGEAYg=="
    assert answers(server, "EHLO x", login, "STARTTLS")[-1] == "220 2.0.0 Ready to start TLS"
    server.secure()
    assert answers(server, login, login) == ["235 2.7.0 Authentication successful", "503 5.5.1 Already authenticated"]


def test_lmtp_wants_lhlo_and_smtp_does_not_know_it() -> None:
    lmtp = player("lmtp\n<-  220 x\n -> LHLO y\n<-  250 x\n")
    assert answers(lmtp, "EHLO y", "HELO y", "LHLO y") == [
        "500 This is LMTP: say LHLO",
        "500 This is LMTP: say LHLO",
        "250 x",
    ]
