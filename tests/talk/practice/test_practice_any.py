"""Whatever a client sends, in whatever pieces: no exception, and the same answers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.talk.practice import PostOffice, lmtp, pop2, pop3, smtp
from mailproxy.talk.practice.conversation import Action, Close, Party, Reset

Make = Callable[[PostOffice], Party]
STARTS = (
    (smtp, b"EHLO c\r\nMAIL FROM:<c@example.net> SMTPUTF8\r\nRCPT TO:<bob@example.org>\r\n"),
    (lmtp, b"LHLO c\r\n"),
    (pop3, b"USER alice\r\nPASS practice\r\n"),
    (pop3, b""),
    (pop2, b"HELO alice practice\r\n"),
    (pop2, b""),
)
WORDS = (
    b"EHLO LHLO MAIL RCPT DATA BDAT RSET AUTH VRFY EXPN NOOP LAST FROM:<\xff@a> TO:<\xff@example.org> FROM:<> "
    b"PLAIN LOGIN CRAM-MD5 = * USER PASS APOP STAT LIST UIDL TOP RETR DELE QUIT 1 2 0 9 \xd9\xa1 \xb2 HELO FOLD "
    b"SIZE=\xb2 INBOX READ ACKS ACKD NACK alice practice AGFsaWNlAHByYWN0aWNl . .. \xff\xfe \x00"
).split()
LINES = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=4).map(
    lambda words: b" ".join(words) + b"\r\n"
)


def actions(party: Party, pieces: list[bytes]) -> list[Action]:
    done = party.receive()
    for piece in pieces:
        if done and isinstance(done[-1], Close | Reset):
            break
        done += party.receive(piece)
    return done


@pytest.mark.parametrize(("make", "start"), STARTS)
@given(st.lists(LINES, max_size=12).map(b"".join))
def test_any_lines(make: Make, start: bytes, octets: bytes) -> None:
    octets = start + octets
    assert actions(make(PostOffice()), [octets]) == actions(make(PostOffice()), [bytes([each]) for each in octets])
