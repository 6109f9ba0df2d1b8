import base64
from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailproxy.talk.practice import PostOffice, lmtp, smtp
from mailproxy.talk.practice.conversation import Party, Send
from mailproxy.talk.practice.envelope import SIZE_LIMIT

Play = Callable[[Callable[[PostOffice], Party], str], PostOffice]
HELLO = """
    <-  220 example.org ESMTP mailproxy practice server
     -> EHLO client.example.net
    <-  250-example.org
    <-  250-PIPELINING
    <-  250-SIZE 10485760
    <-  250-8BITMIME
    <-  250-AUTH PLAIN LOGIN CRAM-MD5
    <-  250-ENHANCEDSTATUSCODES
    <-  250-CHUNKING
    <-  250-SMTPUTF8
    <-  250 HELP
"""
MAIL = """\
     -> MAIL FROM:<carol@example.net>
    <-  250 2.1.0 The sender is fine
"""
SENDER = HELLO + MAIL


def letters(office: PostOffice, name: str) -> list[bytes]:
    return [letter.octets for letter in office.mailboxes[name].letters]


def test_a_message_is_delivered_its_dots_undoubled(play: Play) -> None:
    office = play(
        smtp,
        SENDER
        + """\
     -> RCPT TO:<bob@example.org>
    <-  250 2.1.5 The recipient is fine
     -> DATA
    <-  354 Go on; end with a dot on a line of its own
     -> Subject: dots
     ->\x20
     -> ..
     -> ..profile
     -> .
    <-  250 2.0.0 Delivered to bob
     -> QUIT
    <-  221 2.0.0 example.org closes the connection
    *** closed by the server
""",
    )
    assert letters(office, "bob") == [
        b"Return-Path: <carol@example.net>\r\n"
        b"Received: from client.example.net by example.org\r\n\twith ESMTP;\r\n\tMon, 06 Jan 2025 12:00:00 +0000\r\n"
        b"Subject: dots\r\n\r\n.\r\n.profile\r\n"
    ]


def test_commands_out_of_order_are_refused(play: Play) -> None:
    play(
        smtp,
        """
    <-  220 example.org ESMTP mailproxy practice server
     -> MAIL FROM:<carol@example.net>
    <-  503 5.5.1 Say EHLO first
     -> AUTH PLAIN
    <-  503 5.5.1 Say EHLO first
     -> RCPT TO:<bob@example.org>
    <-  503 5.5.1 RCPT comes after MAIL and before the message
     -> DATA
    <-  503 5.5.1 DATA comes after a RCPT that was granted, and not after BDAT
     -> HELO
    <-  501 5.5.4 HELO takes the name of the client and nothing else
     -> HELO client
    <-  250 example.org
     -> MAIL FROM:<carol@example.net> SIZE=1
    <-  555 5.5.4 Parameters need EHLO
     -> MAIL FROM:<>
    <-  250 2.1.0 The sender is fine
     -> MAIL FROM:<carol@example.net>
    <-  503 5.5.1 A sender is given already; RSET drops the transaction
     -> RSET
    <-  250 2.0.0 The transaction is dropped
     -> DATA
    <-  503 5.5.1 DATA comes after a RCPT that was granted, and not after BDAT
     -> DATA now
    <-  501 5.5.4 DATA takes no argument
     -> LHLO client
    <-  500 5.5.1 Say EHLO: this is SMTP
     -> STARTTLS
    <-  502 5.5.1 STARTTLS is not offered here
     -> GET / HTTP/1.1
    <-  500 5.5.1 That is no command of this protocol
     -> noop whatever
    <-  250 2.0.0 Done, which was nothing
""",
    )


def test_paths_and_parameters(play: Play) -> None:
    play(
        smtp,
        HELLO
        + """\
     -> MAIL TO:<carol@example.net>
    <-  501 5.1.7 The form is MAIL FROM:<address>
     -> MAIL FROM:carol@example.net
    <-  501 5.1.7 The form is MAIL FROM:<address>
     -> MAIL FROM:<carol@example.net> SIZE=10485761
    <-  552 5.3.4 Over the limit of 10485760 octets
     -> MAIL FROM:<carol@example.net> SIZE=many
    <-  501 5.5.4 SIZE takes a number
     -> MAIL FROM:<carol@example.net> BODY=9BIT
    <-  501 5.5.4 BODY takes 7BIT or 8BITMIME
     -> MAIL FROM:<carol@example.net> RET=HDRS
    <-  555 5.5.4 The parameter RET is not known here
     -> MAIL FROM:<käthe@example.net>
    <-  553 5.6.7 An address beyond ASCII needs SMTPUTF8
     -> MAIL FROM: <@relay.example.net:käthe@example.net> body=8bitmime SMTPUTF8 SIZE=100
    <-  250 2.1.0 The sender is fine
     -> RCPT TO:<bob@example.org> NOTIFY=NEVER
    <-  555 5.5.4 RCPT takes no parameters here
     -> RCPT TO:<>
    <-  501 5.1.3 The form is RCPT TO:<address>
     -> RCPT TO:<Postmaster>
    <-  250 2.1.5 The recipient is fine
     -> rcpt to:<BOB+detail@Example.ORG>
    <-  250 2.1.5 The recipient is fine
     -> RCPT TO:<odd one@example.org>
    <-  501 5.1.3 The form is RCPT TO:<address>
     -> RCPT TO:<"odd > one"@example.org>
    <-  550 5.1.1 <"odd > one"@example.org>: no such user here
""",
    )


def test_recipients_that_behave_badly(play: Play) -> None:
    play(
        smtp,
        SENDER
        + """\
     -> RCPT TO:<full@example.org>
    <-  452 4.2.2 The mailbox is full, try again later
     -> RCPT TO:<overfull@example.org>
    <-  552 5.2.2 The mailbox is over its quota
     -> RCPT TO:<grey@example.org>
    <-  451 4.7.1 <grey@example.org>: greylisted, try again later
     -> RCPT TO:<grey@example.org>
    <-  250 2.1.5 The recipient is fine
     -> RCPT TO:<busy@example.org>
    <-  450 4.2.1 The mailbox is in use, try again later
     -> RCPT TO:<nobody@example.org>
    <-  550 5.1.1 <nobody@example.org>: no such user here
     -> RCPT TO:<whoever@example.org>
    <-  550 5.1.1 <whoever@example.org>: no such user here
     -> RCPT TO:<dave@example.com>
    <-  554 5.7.1 <dave@example.com>: relay access denied; log in first
     -> RCPT TO:<slow@example.org>
    === 3 s pass
    <-  250 2.1.5 The recipient is fine
     -> RCPT TO:<away@example.org>
    === 3 s pass
    <-  421 4.3.2 The service is shutting down
    *** closed by the server
""",
    )


def test_messages_that_meet_a_bad_end(play: Play) -> None:
    script = """\
     -> RCPT TO:<{}@example.org>
    <-  250 2.1.5 The recipient is fine
     -> DATA
    <-  354 Go on; end with a dot on a line of its own
     -> .
"""
    office = play(smtp, SENDER + script.format("drop") + "    *** closed by the server")
    assert len(letters(office, "drop")) == 1
    play(smtp, SENDER + script.format("reset") + "    *** reset by the server")
    play(smtp, SENDER + script.format("silent") + "     -> NOOP\n     -> QUIT")
    play(smtp, SENDER + script.format("spam") + "    <-  554 5.7.1 The message looks like spam\n")


def test_mail_for_elsewhere_is_taken_from_those_who_log_in_and_goes_nowhere(play: Play) -> None:
    plain = base64.b64encode(b"\0alice\0practice").decode()
    office = play(
        smtp,
        HELLO
        + f"""\
     -> AUTH PLAIN {plain}
    <-  235 2.7.0 Welcome, alice
     -> AUTH PLAIN {plain}
    <-  503 5.5.1 Not twice, and not within a transaction
     -> MAIL FROM:<alice@example.org> AUTH=<>
    <-  250 2.1.0 The sender is fine
     -> RCPT TO:<dave@example.com>
    <-  250 2.1.5 The recipient is elsewhere: the message will be kept and not sent
     -> DATA
    <-  354 Go on; end with a dot on a line of its own
     -> hello
     -> .
    <-  250 2.0.0 The message is kept here and goes nowhere
""",
    )
    assert office.outgoing == [("dave@example.com", b"hello\r\n")]


def test_authentication_that_fails(play: Play) -> None:
    wrong = base64.b64encode(b"\0wrong\0practice").decode()
    play(
        smtp,
        HELLO
        + f"""\
     -> AUTH PLAIN {wrong}
    <-  535 5.7.8 User name or password is wrong
     -> AUTH LOGIN
    <-  334 VXNlcm5hbWU6
     -> YWxpY2U=
    <-  334 UGFzc3dvcmQ6
     -> *
    <-  501 5.7.0 Authentication is cancelled
     -> AUTH LOGIN YWxpY2U=
    <-  334 UGFzc3dvcmQ6
     -> cHJhY3RpY2U
    <-  501 5.5.2 That is not what the mechanism asks for, in base64
     -> AUTH PLAIN =
    <-  501 5.5.2 That is not what the mechanism asks for, in base64
     -> AUTH CRAM-MD5 =
    <-  501 5.5.2 That is not what the mechanism asks for, in base64
     -> AUTH CRAM-MD5
    <-  334 {base64.b64encode(b"<1.practice@example.org>").decode()}
     -> {base64.b64encode(b"alice 00000000000000000000000000000000").decode()}
    <-  535 5.7.8 User name or password is wrong
     -> AUTH GSSAPI
    <-  504 5.5.4 The mechanism is not known here
     -> AUTH
    <-  501 5.5.4 The form is AUTH mechanism, or AUTH mechanism response
     -> AUTH LOGIN YnVzeQ==
    <-  334 UGFzc3dvcmQ6
     -> cHJhY3RpY2U=
    <-  454 4.7.0 Temporary authentication failure
     -> AUTH PLAIN YWxpY2U=
    <-  501 5.5.2 That is not what the mechanism asks for, in base64
""",
    )


def test_bdat(play: Play) -> None:
    office = play(
        smtp,
        HELLO
        + """\
     -> BDAT 6
     -> NOOP
    <-  503 5.5.1 BDAT comes after a RCPT that was granted
     -> MAIL FROM:<carol@example.net>
    <-  250 2.1.0 The sender is fine
     -> RCPT TO:<bob@example.org>
    <-  250 2.1.5 The recipient is fine
     -> BDAT some
    <-  501 5.5.4 The form is BDAT length, or BDAT length LAST
     -> BDAT 3
     -> .
    <-  250 2.0.0 3 octets are here
     -> DATA
    <-  503 5.5.1 DATA comes after a RCPT that was granted, and not after BDAT
     -> RCPT TO:<alice@example.org>
    <-  503 5.5.1 RCPT comes after MAIL and before the message
     -> BDAT 0 last
    <-  250 2.0.0 Delivered to bob
     -> BDAT 0 LAST
    <-  503 5.5.1 BDAT comes after a RCPT that was granted
""",
    )
    assert letters(office, "bob")[0].endswith(b"+0000\r\n.\r\n")


def test_who_is_there(play: Play) -> None:
    play(
        smtp,
        HELLO
        + """\
     -> VRFY alice
    <-  250 2.1.5 <alice@example.org>
     -> VRFY <alice@example.org>
    <-  250 2.1.5 <alice@example.org>
     -> VRFY whoever
    <-  550 5.1.1 No such user here
     -> VRFY staff
    <-  252 2.1.5 That is a list; EXPN shows who is on it
     -> EXPN staff
    <-  250-2.1.5 <alice@example.org>
    <-  250 2.1.5 <bob@example.org>
     -> EXPN alice
    <-  550 5.1.1 No such list here
     -> HELP
    <-  214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT AUTH RSET VRFY EXPN NOOP HELP QUIT
    <-  214 2.0.0 See the table of accounts for who behaves badly
""",
    )


def test_lmtp_replies_for_each_recipient(play: Play) -> None:
    office = play(
        lmtp,
        """
    <-  220 example.org LMTP mailproxy practice server
     -> EHLO client
    <-  500 5.5.1 Say LHLO: this is LMTP
"""
        + HELLO.partition("server\n")[2].replace("EHLO", "LHLO")
        + MAIL
        + """\
     -> RCPT TO:<bob@example.org>
    <-  250 2.1.5 The recipient is fine
     -> RCPT TO:<full@example.org>
    <-  452 4.2.2 The mailbox is full, try again later
     -> RCPT TO:<spam@example.org>
    <-  250 2.1.5 The recipient is fine
     -> RCPT TO:<staff@example.org>
    <-  250 2.1.5 The recipient is fine
     -> DATA
    <-  354 Go on; end with a dot on a line of its own
     -> hello
     -> .
    <-  250 2.0.0 Delivered to bob
    <-  554 5.7.1 The message looks like spam
    <-  250 2.0.0 Delivered to alice, bob
""",
    )
    assert [len(letters(office, name)) for name in ("alice", "bob", "spam")] == [4, 2, 1]


def said(office: PostOffice, octets: bytes) -> list[bytes]:
    party = smtp(office)
    party.receive()
    return [action.octets for action in party.receive(octets) if isinstance(action, Send)]


OPEN = b"EHLO c\r\nMAIL FROM:<c@example.net>\r\nRCPT TO:<bob@example.org>\r\n"


def test_what_only_looks_like_an_end_is_content() -> None:
    office = PostOffice()
    said(office, OPEN + b"DATA\r\na\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\n")
    assert letters(office, "bob")[0].endswith(b"a\r\n.\r\nb\r\n.\r\nc\r\n\r\nd\r\n")


def test_a_message_that_is_too_large_is_read_to_its_end_and_refused() -> None:
    office = PostOffice()
    party = smtp(office)
    party.receive(OPEN + b"DATA\r\n")
    for _ in range(SIZE_LIMIT // 2**20 + 1):
        assert party.receive(b"x" * 2**20) == []
    [reply] = party.receive(b"\r\n.\r\n")
    assert isinstance(reply, Send)
    assert reply.octets.startswith(b"552 5.3.4 ")
    assert letters(office, "bob") == []
    assert said(office, OPEN + b"BDAT 99999999\r\n" + b"x" * 99_999_999 + b"NOOP\r\n")[-2:] == [
        b"552 5.3.4 The message is over the limit of 10485760 octets\r\n",
        b"250 2.0.0 Done, which was nothing\r\n",
    ]


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read() -> None:
    assert said(PostOffice(), b"NOOP " + b"x" * 5000 + b"\r\nNOOP\r\n") == [
        b"500 5.5.6 The line is too long\r\n",
        b"250 2.0.0 Done, which was nothing\r\n",
    ]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_octets_in_any_pieces_have_the_same_answer(octets: bytes, cuts: list[int]) -> None:
    octets = OPEN + b"DATA\r\n" + octets + b"\r\n.\r\n" + octets + b"\r\nNOOP\r\n"
    whole, torn = smtp(PostOffice()), smtp(PostOffice())
    bounds = [0, *sorted(cut + len(OPEN) for cut in cuts), len(octets)]
    pieces = [octets[start:end] for start, end in pairwise(bounds)]
    assert whole.receive(octets) == [action for piece in pieces for action in torn.receive(piece)]
