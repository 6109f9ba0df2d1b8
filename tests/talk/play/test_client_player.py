"""The recorded client before other servers than its own: what it says, where it stops, what it remarks."""

from dataclasses import replace

import pytest

from mailproxy import protocols
from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.model.session import How, Recording
from mailproxy.model.tls import Security
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk import practice
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.client import Action, Close, Login, Pause, Send, StartTls
from mailproxy.talk.practice.office import PostOffice
from tests.play import hear
from tests.talk.play.client_stage import LOGIN, Practising, Scripted, client, meet
from tests.talk.play.server_stage import REPLAY, corpus, recorded
from tests.test_a_new_protocol import SAID, EchoDialogue

SENT = """smtp
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250 mail.example.org
 -> MAIL FROM:<bob@example.org>
<-  250 Ok
 -> RCPT TO:<alice@example.org>
<-  250 Ok
 -> RCPT TO:<carol@example.org>
<-  250 Ok
 -> DATA
<-  354 Go ahead
 -> Subject: Lunch
 ->
 -> How are you?
 -> .
<-  250 Ok
 -> QUIT
<-  221 Bye
*** closed by the server
"""
DELIVER = Acting(deliver=True)


def test_nothing_is_delivered() -> None:
    player = client(SENT)
    assert meet(player, SENT).said == [
        "EHLO client.example",
        "MAIL FROM:<bob@example.org>",
        "RCPT TO:<alice@example.org>",
        "RCPT TO:<carol@example.org>",
        "RSET",
        "QUIT",
        "*** closed",
    ]
    assert player.stopped == ""
    assert player.remarks == ["RSET is said in the place of DATA: message 1 is not delivered"]


def test_it_is_delivered_with_leave() -> None:
    player = client(SENT, DELIVER)
    assert meet(player, SENT).said[4:] == [
        "DATA", "Subject: Lunch", "", "How are you?", ".", "QUIT", "*** closed",
    ]  # fmt: skip
    assert (player.stopped, player.remarks) == ("", [])


def test_it_is_delivered_to_oneself() -> None:
    player = client(SENT, Acting(rcpt_to="me@example.net"))
    assert meet(player, SENT).said[1:5] == [
        "MAIL FROM:<bob@example.org>",
        "RCPT TO:<me@example.net>",
        "DATA",
        "Subject: Lunch",
    ]
    assert player.remarks == [
        "RCPT TO:<alice@example.org> is replaced by me@example.net",
        "RCPT TO:<carol@example.org> is left out: the message goes to me@example.net alone",
    ]


@pytest.mark.parametrize("address", ["a b", "a\r\nRCPT TO:<b>", "<a>"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        client(SENT, Acting(rcpt_to=address))


def test_a_new_refusal_stops_it() -> None:
    player = client(SENT, DELIVER)
    met = meet(player, Scripted("220 x", "250 x", "550 5.7.1 not you", "221 Bye"))
    assert met.said == ["EHLO client.example", "MAIL FROM:<bob@example.org>", "QUIT", "*** closed"]
    assert player.stopped == "MAIL is refused now, and was granted then: 550 5.7.1 not you"


def test_a_refused_recipient_does_not() -> None:
    player = client(SENT, DELIVER)
    met = meet(player, Scripted("220 x", "250 x", "250 x", "550 gone", "250 x", "354 x", "", "", "", "250 x", "221 x"))
    assert met.said[-2:] == ["QUIT", "*** closed"]
    assert "DATA" in met.said
    assert player.stopped == ""


def test_a_message_that_nobody_takes_is_not_sent() -> None:
    player = client(SENT, DELIVER)
    met = meet(player, Scripted("220 x", "250 x", "250 x", "550 gone", "550 gone", "221 Bye"))
    assert met.said[-3:] == ["RCPT TO:<carol@example.org>", "QUIT", "*** closed"]
    assert player.stopped == "DATA: no recipient is taken now"


def test_it_goes_on_if_wanted() -> None:
    player = client(SENT, Acting(deliver=True, keep_going=True))
    met = meet(player, Scripted("220 x", "250 x", "550 x", "503 x", "503 x", "503 x", "221 x"))
    assert met.said[-3:] == ["DATA", "QUIT", "*** closed"]
    assert player.stopped == ""


def test_what_was_refused_then_may_be_granted_now() -> None:
    player = client("smtp-relay-denied", DELIVER)
    meet(player, SENT)
    assert player.stopped == ""


def test_a_message_that_is_not_in_the_record_is_never_begun() -> None:
    recording = corpus("smtp-send-good")
    entries = tuple(
        entry._replace(octets=b"", kind=Kind.OMITTED)
        if isinstance(entry, Frame) and entry.side is Side.CLIENT and entry.kind is Kind.CONTENT
        else entry
        for entry in recording.entries
    )
    omitted = Recording(recording.session, entries, recording.exchanges)
    player = client(omitted, DELIVER)
    assert "DATA" not in meet(player, recording).said
    assert "octets of the message are not in the record (`record --content full`" in player.stopped
    safe = client(omitted)
    meet(safe, recording)
    assert safe.stopped == ""


def test_pipelining_is_kept() -> None:
    player = client("smtp-pipelining-good", DELIVER)
    actions = player.connected("x", "x", 0) + player.heard(b"220 x\r\n", 0)
    assert [action for action in actions if isinstance(action, Send)] == [Send(b"EHLO mail.example.org\r\n")]
    sent = [action.octets for action in player.heard(b"250 PIPELINING\r\n", 0) if isinstance(action, Send)]
    assert [line.split()[0] for line in sent] == [b"MAIL", b"RCPT", b"RCPT", b"DATA"]
    assert player.heard(b"250 x\r\n250 x\r\n", 0)[1:] == []
    sent = [action.octets for action in player.heard(b"250 x\r\n354 x\r\n", 0) if isinstance(action, Send)]
    assert b"".join(sent).endswith(b"\r\n.\r\nQUIT\r\n")


def test_it_waits_where_pipelining_is_offered_no_more() -> None:
    talk = "smtp\n<-  220 x\n -> EHLO x\n<-  250 PIPELINING\n -> MAIL FROM:<>\n -> RCPT TO:<a@example.org>\n"
    talk += "<-  250 x\n<-  250 x\n"
    for offered, both in ((b"250 PIPELINING\r\n", True), (b"250 8BITMIME\r\n", False)):
        player = client(talk)
        player.connected("x", "x", 0)
        player.heard(b"220 x\r\n", 0)
        assert (Send(b"RCPT TO:<a@example.org>\r\n") in player.heard(offered, 0)) is both
        assert (Send(b"RCPT TO:<a@example.org>\r\n") in player.heard(b"250 x\r\n", 0)) is not both


def test_it_speaks_before_the_greeting_if_it_did() -> None:
    player = client("smtp-spoke-before-greeting")
    assert any(isinstance(action, Send) for action in player.connected("x", "x", 0))
    waits = client("smtp-send-good")
    assert not any(isinstance(action, Send) for action in waits.connected("x", "x", 0))


def test_it_takes_its_time() -> None:
    talk = """smtp
   0.000 === connected
   0.100 <-  220 x
   2.100  -> NOOP
   2.200 <-  250 x
   2.200  -> QUIT
   2.300 <-  221 x
   2.300 *** closed by the client
"""
    player = client(talk, Acting(timing=2.0))
    player.connected("x", "x", 0)
    (_, pause) = player.heard(b"220 x\r\n", 0)
    assert pause == Pause(1.0)
    assert player.patience is None
    assert Send(b"NOOP\r\n") in player.woke(0)
    assert Send(b"QUIT\r\n") in player.heard(b"250 x\r\n", 0)
    assert Close() in player.heard(b"221 x\r\n", 0)


def test_it_takes_its_time_within_a_message() -> None:
    talk = """smtp
   0.000 === connected
   0.000 <-  220 x
   0.000  -> DATA
   0.000 <-  354 x
   0.000  -> Subject: x
   2.000  ->
   2.000  -> Hello
   6.000  -> .
   6.000 <-  250 x
   6.000  -> QUIT
"""
    player = client(talk, Acting(timing=1.0, deliver=True))
    player.connected("x", "x", 0)
    player.heard(b"220 x\r\n", 0)
    assert spoken(player.heard(b"354 x\r\n", 0)) == [b"Subject: x\r\n", 2.0]
    assert spoken(player.woke(2)) == [b"\r\nHello\r\n", 4.0]
    assert spoken(player.woke(6)) == [b".\r\n"]
    assert spoken(player.heard(b"250 x\r\n", 6)) == [b"QUIT\r\n"]


def test_it_says_no_more_of_a_message_once_the_server_is_gone() -> None:
    talk = "smtp\n 0.0 <-  220 x\n 0.1  -> DATA\n 0.2 <-  354 x\n 0.3  -> a\n 9.0  -> b\n 9.0  -> .\n 9.0 <-  250 x\n"
    player = client(talk, Acting(timing=1.0, deliver=True))
    player.connected("x", "x", 0)
    player.heard(b"220 x\r\n", 0)
    player.woke(0)
    player.heard(b"354 x\r\n", 0)
    assert spoken(player.woke(0)) == [b"a\r\n", 8.7]
    player.ended(How.CLOSED, 1)
    assert spoken(player.woke(9)) == []


def spoken(actions: list[Action]) -> list[bytes | float]:
    """What is said, and the pauses in seconds."""
    return [
        each.octets if isinstance(each, Send) else each.seconds for each in actions if isinstance(each, Send | Pause)
    ]


def test_a_silent_server_is_left() -> None:
    player = client(SENT)
    met = meet(player, Scripted("220 x", ""))
    assert met.said == ["EHLO client.example"]
    assert player.stopped == "EHLO has not been answered within 300 s"
    assert met.notes[-1] == "timed out waiting for the server"


def test_a_server_that_ends_is_told() -> None:
    player = client(SENT)
    player.connected("x", "x", 0)
    player.heard(b"220 x\r\n", 0)
    player.ended(How.RESET, 0)
    assert player.over
    assert player.stopped == "the connection was reset by the server before it answered EHLO"


def test_no_connection_is_told() -> None:
    player = client(SENT)
    player.failed(How.REFUSED, "", 0)
    assert player.over
    assert player.stopped == "no connection came about"


# What the record lacks.


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        ("smtp\n=== connected\n", "the record has no word of the client"),
        ("smtp\n=== connected\n<-  220 x\n -> NOOP\n<-  250 x\n", "the record ends behind NOOP"),
        (
            "smtp\n=== connected\n<-  220 x\n -> NOOP\n<-  250 x\n... an hour\n -> NOOP\n<-  250 x\n",
            "the record leaves something out before NOOP: an hour",
        ),
    ],
)
def test_it_plays_as_far_as_the_record_goes(talk: str, why: str) -> None:
    player = client(talk)
    assert meet(player, SENT).said[-2:] == ["QUIT", "*** closed"]
    assert player.stopped == why


TO_SEND = (
    "smtp\n<-  220 x\n -> MAIL FROM:<>\n<-  250 x\n -> RCPT TO:<alice@example.org>\n<-  250 x\n -> DATA\n<-  354 x\n"
)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("... the message\n -> .\n<-  250 x\n", "the record leaves something out of its message: the message"),
        (" -> one\n... a line\n -> .\n<-  250 x\n", "the record leaves something out of its message: a line"),
        ("... the message\n<-  250 x\n -> NOOP\n<-  250 x\n", "the message is not in the record"),
    ],
)
def test_a_message_that_is_not_whole_is_not_sent(message: str, why: str) -> None:
    player = client(TO_SEND + message, Acting(deliver=True))
    assert meet(player, SENT).said[-2:] == ["QUIT", "*** closed"]
    assert player.stopped == f"DATA: {why}"


def test_a_message_that_breaks_off_is_left() -> None:
    player = client(TO_SEND + " -> the first half\\", Acting(deliver=True))
    assert meet(player, SENT).said[-2:] == ["the first half", "*** closed"]
    assert player.stopped == "the record ends behind DATA"


def test_what_is_left_out_of_the_servers_message_stops_nothing() -> None:
    talk = "pop3\n<-  +OK x\n -> RETR 1\n<-  +OK x\n... the message\n<-  .\n -> QUIT\n<-  +OK x\n"
    player = client(talk)
    meet(player, talk.replace("... the message", "<-  whatever"))
    assert player.stopped == ""


@pytest.mark.parametrize(("talk", "greeting"), [("smtp", "+OK ready"), ("pop3", "220 ready")])
def test_a_server_of_another_protocol_is_left(talk: str, greeting: str) -> None:
    player = client(SENT if talk == "smtp" else FETCHED)
    player.connected("x", "x", 0)
    assert Close() in player.heard(f"{greeting}\r\n".encode(), 0)
    assert player.stopped == f"the server's first words are no greeting of {talk}: {greeting}"


def test_where_the_servers_side_is_missing_it_waits_in_turn() -> None:
    talk = "smtp\n -> EHLO client.example\n -> MAIL FROM:<>\n -> RCPT TO:<a@example.org>\n -> QUIT\n"
    player = client(talk)
    player.connected("x", "x", 0)
    assert [action for action in player.heard(b"220 x\r\n", 0) if isinstance(action, Send)] == [
        Send(b"EHLO client.example\r\n")
    ]
    assert Send(b"MAIL FROM:<>\r\n") in player.heard(b"250 x\r\n", 0)


# TLS.

LOGGED_IN = """smtp
=== connected
=== TLS with the server: TLSv1.3, x
<~  220 mail.example.org ESMTP
 ~> EHLO client.example
<~  250-mail.example.org
<~  250 AUTH PLAIN
 ~> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>
<~  235 welcome
 ~> QUIT
<~  221 Bye
*** closed by the client
"""
IN_CLEAR = LOGGED_IN.replace("~>", "->").replace("<~", "<-").replace("=== TLS with the server: TLSv1.3, x\n", "")
OFFERING = IN_CLEAR.replace("250 AUTH PLAIN", "250-STARTTLS\n<-  250 AUTH PLAIN")


def test_a_password_that_went_under_tls_does_not_go_in_clear() -> None:
    player = client(LOGGED_IN, login=LOGIN)
    assert meet(player, IN_CLEAR).said == ["EHLO client.example", "QUIT", "*** closed"]
    assert player.stopped.startswith("AUTH: it was said under TLS, and this connection is in clear")
    bold = client(LOGGED_IN, Acting(clear_ok=True), LOGIN)
    assert len(meet(bold, IN_CLEAR).said) == 4


def test_starttls_is_put_in_where_it_is_wanted() -> None:
    player = client(LOGGED_IN, login=LOGIN, security=Security.STARTTLS)
    player.connected("x", "x", 0)
    player.heard(b"220 x\r\n", 0)
    assert Send(b"STARTTLS\r\n") in player.heard(b"250-x\r\n250 STARTTLS\r\n", 0)
    assert StartTls() in player.heard(b"220 go ahead\r\n", 0)
    assert player.remarks == ["STARTTLS is said behind EHLO, for TLS is wanted; then EHLO again"]


def test_starttls_is_said_first_where_nothing_asks_for_offers() -> None:
    player = client("pop3\n=== connected\n<-  +OK x\n -> NOOP\n<-  +OK\n", security=Security.STARTTLS)
    player.connected("x", "x", 0)
    assert Send(b"CAPA\r\n") in player.heard(b"+OK x\r\n", 0)
    assert Send(b"STLS\r\n") in player.heard(b"+OK\r\nSTLS\r\n.\r\n", 0)


def test_a_refusal_of_wanted_tls_stops_it() -> None:
    player = client(IN_CLEAR, Acting(keep_going=True), LOGIN, Security.STARTTLS)
    met = meet(player, Scripted("220 x", "250 x", "502 what?", "221 x"))
    assert met.said == ["EHLO client.example", "STARTTLS", "QUIT", "*** closed"]
    assert player.stopped == "STARTTLS is refused: 502 what?"


def test_starttls_is_left_out_under_tls() -> None:
    player = client("smtp-starttls-apart-good", login=LOGIN, security=Security.TLS)
    assert StartTls() in player.connected("x", "x", 0)
    assert (
        "STARTTLS" not in meet(client("smtp-starttls-apart-good", login=LOGIN, security=Security.TLS), LOGGED_IN).said
    )


def test_an_untrusted_certificate_gets_no_password() -> None:
    player = client(LOGGED_IN, login=LOGIN, security=Security.TLS)
    met = meet(player, Scripted("220 x", "250 x", "221 x"))  # its certificate is not trusted
    assert met.said == ["=== TLS", "EHLO client.example", "QUIT", "*** closed"]
    assert player.stopped.startswith("AUTH: the server's certificate is not trusted now: ")


def test_what_passed_through_under_tls_is_not_known() -> None:
    player = client("smtp-starttls-good")
    assert meet(player, corpus("smtp-starttls-good")).said == [
        "EHLO client.example",
        "STARTTLS",
        "=== TLS",
        "QUIT",
        "*** closed",
    ]
    assert player.stopped == "what was said under TLS is not in the record"


# POP.

FETCHED = """pop3
=== connected
<-  +OK ready
 -> USER alice
<-  +OK
 -> PASS <secret: 8 characters>
<-  +OK
 -> UIDL
<-  +OK
<-  1 aaa
<-  2 bbb
<-  3 ccc
<-  .
 -> RETR 2
<-  +OK
<-  Subject: b
<-
<-  .
 -> DELE 2
<-  +OK
 -> TOP 3 0
<-  +OK
<-  Subject: c
<-
<-  .
 -> QUIT
<-  +OK Bye
*** closed by the server
"""
CHANGED = ("+OK x", "+OK", "+OK", "+OK\n1 ccc\n2 ddd\n3 bbb\n.", "+OK\nSubject: b\n\n.", "+OK", "+OK\nSubject: c\n\n.")


def test_messages_are_found_by_their_ids() -> None:
    player = client(FETCHED, Acting(delete=True), LOGIN)
    met = meet(player, Scripted(*CHANGED, "+OK Bye"))
    assert met.said == [
        "USER alice", "PASS correct horse", "UIDL", "RETR 3", "DELE 3", "TOP 1 0", "QUIT", "*** closed",
    ]  # fmt: skip
    assert player.remarks[0] == "RETR 2: message 2 is number 3 now"


def test_nothing_is_deleted() -> None:
    player = client(FETCHED, login=LOGIN)
    met = meet(player, Scripted(*CHANGED, "+OK", "+OK Bye"))
    assert met.said[-3:] == ["RSET", "QUIT", "*** closed"]
    assert player.remarks[3] == "RSET is said before QUIT: nothing is deleted, of 1 DELE"


def test_what_some_servers_take_for_dele_is_undone_too() -> None:
    player = client(FETCHED.replace("DELE 2", "DELE\\x092"), login=LOGIN)
    met = meet(player, Scripted(*CHANGED, "+OK", "+OK Bye"))
    assert met.said[-3:] == ["RSET", "QUIT", "*** closed"]


def test_a_message_that_is_gone_is_left_out() -> None:
    player = client(FETCHED, login=LOGIN)
    met = meet(player, Scripted("+OK x", "+OK", "+OK", "+OK\n1 ccc\n.", "+OK\nSubject: c\n\n.", "+OK Bye"))
    assert met.said[2:] == ["UIDL", "TOP 1 0", "QUIT", "*** closed"]
    assert player.remarks[:2] == [
        "RETR 2 is left out: that message is gone",
        "DELE 2 is left out: that message is gone",
    ]


def test_where_rset_is_refused_it_leaves_without_quit() -> None:
    player = client(FETCHED, login=LOGIN)
    met = meet(player, Scripted(*CHANGED, "-ERR what?"))
    assert met.said[-2:] == ["RSET", "*** closed"]
    assert player.stopped == "RSET is refused: -ERR what?"


def test_it_takes_leave_without_deleting_where_it_stops() -> None:
    player = client(FETCHED, login=LOGIN)
    met = meet(player, Scripted(*CHANGED[:6], "-ERR no such command", "+OK", "+OK"))
    assert met.said[-4:] == ["TOP 1 0", "RSET", "QUIT", "*** closed"]
    silent = client(FETCHED, login=LOGIN)
    refused = meet(silent, Scripted(*CHANGED[:6], "-ERR no such command", "-ERR neither"))
    assert refused.said[-2:] == ["RSET", "*** closed"]


# Servers of other kinds.


@pytest.mark.parametrize("name", [
    "smtp-send-good", "smtp-pipelining-good", "smtp-bdat-chunks-good", "smtp-data-dots-good", "smtp-8bit-good",
])  # fmt: skip
def test_messages_reach_another_server(name: str) -> None:
    office = PostOffice()
    player = client(name, Acting(rcpt_to="bob@example.org"))
    meet(player, Practising(practice.smtp(office)))
    assert player.stopped == ""
    assert len(office.mailboxes["bob"].letters) == 1


@pytest.mark.parametrize("name", ["smtp-send-good", "smtp-pipelining-good", "smtp-bdat-chunks-good"])
def test_no_message_reaches_another_server_without_leave(name: str) -> None:
    office = PostOffice()
    meet(client(name), Practising(practice.smtp(office)))
    assert not office.outgoing
    assert not any(mailbox.letters for account, mailbox in office.mailboxes.items() if account == "bob")


@pytest.mark.parametrize("name", [
    "smtp-auth-plain-good", "smtp-auth-login-good", "smtp-auth-cram-md5-good", "smtp-auth-asked-for-response-good",
])  # fmt: skip
def test_logins_are_made_anew(name: str) -> None:
    player = client(name, login=Login("alice", "practice"))
    met = meet(player, Practising(practice.smtp(PostOffice())))
    assert player.stopped == ""
    assert [each.reply.code for each in met.exchanges if each.verb == "AUTH" and each.reply] == ["235"]


@pytest.mark.parametrize("name", [
    "pop3-apop-good", "pop3-auth-plain-good", "pop3-auth-cram-md5-good", "pop3-uidl-and-top-good",
])  # fmt: skip
def test_logins_to_mailboxes_are_made_anew(name: str) -> None:
    office = PostOffice()
    player = client(name, login=Login("alice", "practice"))
    met = meet(player, Practising(practice.pop3(office)))
    logins = [each.reply for each in met.exchanges if each.verb in {"APOP", "AUTH", "PASS"}]
    assert [reply and reply.code for reply in logins] == ["+OK"]


def test_pop2_keeps_what_it_would_delete() -> None:
    office = PostOffice()
    player = client("pop2-session-good", login=Login("alice", "practice"))
    meet(player, Practising(practice.pop2(office)))
    assert player.stopped == ""
    assert player.remarks == ["ACKS is said in the place of ACKD: nothing is deleted"]
    assert len(office.mailboxes["alice"].letters) == 3


def test_lmtp_is_played() -> None:
    player = client("lmtp-two-recipients-good", Acting(rcpt_to="bob@example.org"))
    meet(player, Practising(practice.lmtp(PostOffice())))
    assert player.stopped == ""


def test_a_protocol_that_says_nothing_of_it_is_played_as_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = Protocol("echo", 7, 2007, EchoDialogue, "ECHO")
    monkeypatch.setattr(protocols, "PROTOCOLS", (*protocols.PROTOCOLS, protocol))
    entries, exchanges, _ = hear("echo", SAID)
    player = client(Recording(replace(recorded(SENT).session, protocol="echo"), tuple(entries), tuple(exchanges)))
    assert Send(b"SAY hello\r\n") in player.connected("x", "x", 0)
    assert Send(b"PASS xxxxxxxx\r\n") in player.heard(b"YES hello\r\n", 0)
    assert Close() in player.heard(b"NO xxxxxxxx\r\n", 0)
    assert player.stopped == "the record ends behind PASS"


# Much of it.


def test_ten_thousand_exchanges() -> None:
    talk = "smtp\n=== connected\n<-  220 x\n" + " -> NOOP\n<-  250 x\n" * 10_000 + " -> QUIT\n<-  221 x\n"
    recording = recorded(talk)
    player = client(recording)
    player.connected("x", "x", 0)
    player.heard(b"220 x\r\n", 0)
    for _ in range(9_999):
        assert Send(b"NOOP\r\n") in player.heard(b"250 x\r\n", 0)
    assert Send(b"QUIT\r\n") in player.heard(b"250 x\r\n", 0)


def test_ten_thousand_at_once() -> None:
    talk = "smtp\n=== connected\n<-  220 x\n" + " -> NOOP\n" * 10_000 + "<-  250 x\n" * 10_000
    player = client(talk)
    player.connected("x", "x", 0)
    sent = [action for action in player.heard(b"220 x\r\n", 0) if isinstance(action, Send)]
    assert len(sent) == 10_000
    assert Send(b"QUIT\r\n") in player.heard(b"250 x\r\n" * 10_000, 0)


def test_a_message_goes_frame_by_frame_where_pauses_matter() -> None:
    talk = (REPLAY / "smtp-send-good.talk").read_text(encoding="utf-8").splitlines()
    slow = recorded("".join(f"{second:8.3f} {line}\n" for second, line in enumerate(talk)))
    lines = sum(isinstance(each, Frame) and each.kind is Kind.CONTENT for each in slow.entries)
    met = meet(client(slow, DELIVER._replace(timing=1.0)), "smtp-send-good")
    sent = [each for each in met.entries if isinstance(each, Frame) and each.kind is Kind.CONTENT]
    assert len(sent) == lines > 3
    at_once = meet(client(slow, DELIVER), "smtp-send-good")
    assert len([each for each in at_once.entries if isinstance(each, Frame) and each.kind is Kind.CONTENT]) == 1
