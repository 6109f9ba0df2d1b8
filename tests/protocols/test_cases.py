"""Each case is a transcript and what is heard in it, however the octets are cut."""

import pytest

from tests.play import hear, script, segmentations, timeless, told

CASES = {
    "a message": (
        """smtp
<-  220 mail.example.org ESMTP
 -> EHLO [192.0.2.7]
<-  250-mail.example.org
<-  250 SIZE 1000
 -> MAIL FROM:<a@example.org> SIZE=20
<-  250 2.1.0 Ok
 -> RCPT TO:<b@example.org>
<-  250 2.1.5 Ok
 -> DATA
<-  354 go ahead
 -> Subject: x
 ->
 -> ..dot
 -> .
<-  250 2.0.0 queued
 -> QUIT
<-  221 bye
""",
        """- -> 220 greeting
EHLO [192.0.2.7] -> 250
MAIL FROM:<a@example.org> SIZE=20 -> 250
RCPT TO:<b@example.org> -> 250
DATA -> 354,250 [24]
QUIT -> 221""",
    ),
    "a pipelined group": (
        """smtp
<-  220 x
 -> MAIL FROM:<a@x>
 -> RCPT TO:<b@x>
 -> RCPT TO:<c@x>
 -> DATA
<-  250 ok
<-  550 5.1.1 no such user
<-  250 ok
<-  354 go
 -> .
 -> QUIT
<-  250 ok
<-  221 bye
""",
        """- -> 220 greeting
MAIL FROM:<a@x> -> 250
RCPT TO:<b@x> -> 550
RCPT TO:<c@x> -> 250
DATA -> 354,250 [3]
QUIT -> 221""",
    ),
    "a client that does not wait for 354, which comes": (
        """smtp
<-  220 x
 -> DATA
 -> Subject: x
 ->
 -> QUIT
 -> .
 -> NOOP
<-  354 go
<-  250 ok
<-  250 noop
""",
        """- -> 220 greeting
DATA -> 354,250 [23] early
NOOP -> 250""",
    ),
    "a client that does not wait for 354, which does not come": (
        """smtp
<-  220 x
 -> DATA
 -> Subject: x
 -> .
<-  503 5.5.1 need RCPT
<-  500 what
<-  500 what
""",
        """- -> 220 greeting
DATA -> 503 early
- Subject: x -> 500 unparsed
- . -> 500 unparsed""",
    ),
    "a message that the server ends at a look-alike": (
        """smtp
<-  220 x
 -> DATA
<-  354 go
 -> Subject: x\\n
 -> .\\n
 -> MAIL FROM:<smuggled@x>
<-  250 ok
<-  250 ok
""",
        """- -> 220 greeting
DATA -> 354,250 [13 unended] odd-end
MAIL FROM:<smuggled@x> -> 250""",
    ),
    "a look-alike that the server does not take for the end": (
        """smtp
<-  220 x
 -> DATA
<-  354 go
 -> Subject: x\\n
 -> .\\n
 -> MAIL FROM:<smuggled@x>
 -> .
<-  250 ok
""",
        """- -> 220 greeting
DATA -> 354,250 [40]""",
    ),
    "the article's odd codes": (
        """smtp
<-  220 smtp SMTP Sendmail 8.8
 -> DATA
<-  290 Enter mail, end with ``.'' on a line by itself
 -> I LOVE YOU
 -> .
<-  300 Mail accepted
 -> EXPN tuxlover
<-  320linus.torvald@nunux.fr
<-  321alan.cox@nunux.fr
 -> QUIT
<-  330 SMTP delivering mail
""",
        """- -> 220 greeting
DATA -> 290,300 [15] odd-code
EXPN tuxlover -> 320 odd-reply
- -> 321 odd-reply unasked
QUIT -> 330""",
    ),
    "DATA granted with 250 and no content": (
        """smtp
<-  220 x
 -> DATA
<-  250 ok
 -> QUIT
<-  221 bye
""",
        """- -> 220 greeting
DATA -> 250
QUIT -> 221""",
    ),
    "BDAT, pipelined, one of no octets, one refused": (
        """smtp
<-  220 x
 -> BDAT 5
 -> QUI
 -> BDAT 0 LAST
 -> BDAT 3 LAST
 -> a\\
<-  250 ok
<-  250 ok
<-  503 no
 -> \\n
 -> \\n
 -> QUIT
<-  221 bye
""",
        """- -> 220 greeting
BDAT 5 -> 250 [5]
BDAT 0 LAST -> 250 [0]
BDAT 3 LAST -> 503 [3]
QUIT -> 221""",
    ),
    "AUTH LOGIN, answered": (
        """smtp
<-  220 x
 -> AUTH LOGIN
<-  334 VXNlcm5hbWU6
 -> YWxpY2VAZXhhbXBsZS5vcmc=
<-  334 UGFzc3dvcmQ6
 -> aHVudGVyMg==
<-  235 2.7.0 ok
 -> NOOP
<-  250 ok
""",
        """- -> 220 greeting
AUTH LOGIN -> 334,334,235 secret
NOOP -> 250""",
    ),
    "AUTH refused, and what the client sent all the same": (
        """smtp
<-  220 x
 -> AUTH LOGIN
 -> YWxpY2U=
 -> aHVudGVyMg==
<-  504 5.5.4 no
<-  500 what
<-  500 what
""",
        """- -> 220 greeting
AUTH LOGIN -> 504 early
- <secret: 8 characters> -> 500 secret unparsed
- <secret: 12 characters> -> 500 secret unparsed""",
    ),
    "AUTH cancelled": (
        """smtp
<-  220 x
 -> AUTH DIGEST-MD5
<-  334 bm9uY2U=
 -> *
<-  501 cancelled
 -> AUTH PLAIN =
<-  535 5.7.8 no
""",
        """- -> 220 greeting
AUTH DIGEST-MD5 -> 334,501
AUTH PLAIN <secret: PLAIN, empty> -> 535 secret""",
    ),
    "a 421 that nobody asked for": (
        """smtp
<-  220 x
 -> NOOP
<-  250 ok
<-  421 4.4.2 idle too long
""",
        """- -> 220 greeting
NOOP -> 250
- -> 421 unasked""",
    ),
    "a client that speaks first": (
        """smtp
=== connected
 -> EHLO x
<-  220 x
<-  250 x
""",
        """- -> 220 greeting
EHLO x -> 250 early""",
    ),
    "a greeting that goes on until the client has spoken too early": (
        """smtp
=== connected
<-  220-wait
 -> EHLO x
 -> QUIT
<-  250-x
<-  250 ok
<-  221 bye
""",
        """- -> 220 greeting unfinished
EHLO x -> 250 early
QUIT -> 221 early""",
    ),
    "slips of the hand": (
        """smtp
<-  220 x
 -> helo
<-  501 5.5.4 need a name
 -> MAIL TO:<a@x>
<-  501 5.5.4 what
 -> GET / HTTP/1.1
<-  500 what
 -> \\n
<-  500 what
""",
        """- -> 220 greeting
HELO -> 501
MAIL TO:<a@x> -> 501 misplaced
GET / HTTP/1.1 -> 500 not-mail
- -> 500 bad-line-end unparsed""",
    ),
    "replies of one line, of many, of two minds, of none": (
        """smtp
<-  220-a
<-  220 b
 -> NOOP
<-  250
 -> NOOP
<-  250-a
<-  what
<-  451 b
 -> NOOP
<-  what
<-  250 ok
""",
        """- -> 220 greeting
NOOP -> 250
NOOP -> 451 mixed-codes unparsed
- -> unparsed
NOOP -> 250""",
    ),
    "LMTP: a reply for each recipient that was accepted": (
        """lmtp
<-  220 x
 -> LHLO x
<-  250 x
 -> MAIL FROM:<a@x>
<-  250 ok
 -> RCPT TO:<b@x>
<-  250 ok
 -> RCPT TO:<c@x>
<-  550 no
 -> RCPT TO:<d@x>
<-  250 ok
 -> DATA
<-  354 go
 -> x
 -> .
<-  250 b
<-  452 4.2.2 d is full
 -> QUIT
<-  221 bye
""",
        """- -> 220 greeting
LHLO x -> 250
MAIL FROM:<a@x> -> 250
RCPT TO:<b@x> -> 250
RCPT TO:<c@x> -> 550
RCPT TO:<d@x> -> 250
DATA -> 354,250,452 [6]
QUIT -> 221""",
    ),
    "POP3, from the greeting to the update": (
        """pop3
<-  +OK ready <1.2@x>
 -> CAPA
<-  +OK
<-  TOP
<-  .
 -> APOP alice c4c9334bac560ecc979e58001b3e22fb
<-  +OK 2 messages
 -> STAT
<-  +OK 2 320
 -> LIST
<-  +OK
<-  1 120
<-  2 200
<-  .
 -> LIST 2
<-  +OK 2 200
 -> RETR 1
<-  +OK 5 octets
<-  ..a
<-  .
 -> TOP 2 0
<-  +OK
<-  .
 -> UIDL 9
<-  -ERR [SYS/PERM] no such message
 -> QUIT
<-  +OK bye
""",
        """- -> +OK greeting
CAPA -> +OK [8]
APOP alice <secret: 32 characters> -> +OK secret
STAT -> +OK
LIST -> +OK [17]
LIST 2 -> +OK
RETR 1 -> +OK [8]
TOP 2 0 -> +OK [3]
UIDL 9 -> -ERR
QUIT -> +OK""",
    ),
    "POP3, pipelined": (
        """pop3
<-  +OK ready
 -> RETR 1
 -> RETR 2
 -> DELE 1
<-  +OK
<-  +OK is no status here
<-  .
<-  -err no
<-  +ok gone
""",
        """- -> +OK greeting
RETR 1 -> +OK [26]
RETR 2 -> -ERR
DELE 1 -> +OK""",
    ),
    "the article's body without an end": (
        """pop3
<-  +OK pop POP3 Server Process 4.0
 -> user tux
<-  +OK
 -> pass kernel-2.2-15
<-  +OK 21 messages
 -> retr 1
<-  +OK 5 octets
<-  contenu du message 1
 -> dele 1
<-  +OK message # 1 deleted
 -> quit
<-  +OK
""",
        """- -> +OK greeting
USER tux -> +OK
PASS <secret: 13 characters> -> +OK secret
RETR 1 -> +OK [22 unended] odd-end
DELE 1 -> +OK
QUIT -> +OK""",
    ),
    "POP3 AUTH with challenges, and a last step that is empty": (
        """pop3
<-  +OK ready
 -> AUTH
<-  +OK
<-  SCRAM-SHA-256
<-  .
 -> AUTH SCRAM-SHA-256
<-  +
 -> biws
<-  + cj1hYmM=
 -> Yz1iaXdz
<-  + dj1hYmM=
 ->
<-  +OK
""",
        """- -> +OK greeting
AUTH -> +OK [18]
AUTH SCRAM-SHA-256 -> +,+,+,+OK secret""",
    ),
    "a password that the server repeats": (
        """pop3
<-  +OK ready
 -> USER alice
<-  +OK
 -> hunter22
<-  -ERR unknown command hunter22
 -> pass  two blanks
<-  -ERR no
""",
        """- -> +OK greeting
USER alice -> +OK
- <secret: 8 characters> -> -ERR secret unparsed
PASS <secret: 11 characters, blank at the start> -> -ERR secret""",
    ),
    "POP2, a message that the change of folder took away": (
        """pop2
<-  + POP2 x server ready
 -> HELO alice hunter22
<-  #1 messages
 -> READ 1
<-  =211 characters in message 1
 -> FOLD other
<-  #0
 -> RETR
<-  - No message is at hand
*** closed by the server
""",
        """- -> + greeting
HELO alice <secret: 8 characters> -> # secret
READ 1 -> =
FOLD other -> #
RETR -> -""",
    ),
    "POP2, whole": (
        """pop2
<-  + POP2 x server ready
 -> HELO alice hunter22
<-  #1 messages
 -> FOLD other
<-  #0
 -> READ 1
<-  =8 characters in message 1
 -> RETR
<-  a
<-  .
<-  =x\\
 -> ACKD
<-  =0 No more messages
 -> QUIT
<-  + Sayonara
""",
        """- -> + greeting
HELO alice <secret: 8 characters> -> # secret
FOLD other -> #
READ 1 -> =
RETR -> [8]
ACKD -> =
QUIT -> +""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    talk, expected = CASES[name]
    protocol, said = script(talk)
    _, exchanges, _ = hear(protocol, said)
    assert told(exchanges) == expected
    for cut, again in segmentations(said):
        _, others, _ = hear(protocol, again)
        assert timeless(others) == timeless(exchanges), cut
