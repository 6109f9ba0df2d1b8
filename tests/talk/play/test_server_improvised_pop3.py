"""What a played POP3 server says to what nobody had asked it, in each state of a session."""

import pytest

from tests.talk.play.server_stage import answers, player

BOX = """pop3
<-  +OK ready
 -> USER alice
<-  +OK
 -> PASS <secret: 5 characters>
<-  +OK in
 -> RETR 2
<-  +OK here
<-  Subject: two
<-
<-  ..dot
<-  end
<-  .
 -> TOP 3 1
<-  +OK
<-  Subject: three
<-
<-  first
<-  .
"""
LOGIN = ("USER alice", "PASS x")

BEFORE = [
    (verb, "-ERR Log in first")
    for verb in ("STAT", "LIST", "LIST 1", "UIDL", "DELE 1", "RETR 1", "TOP 1 0", "LAST", "RSET", "NOOP")
] + [
    ("XYZZY", "-ERR Unknown command"),
    ("", "-ERR Unknown command"),
    ("\0", "-ERR Unknown command"),
    ("X" * 2000, "-ERR Unknown command"),
    ("STLS", "-ERR Unknown command"),
    ("LANG", "-ERR Unknown command"),
    ("AUTH PLAIN\n*", "-ERR Authentication is cancelled"),
    ("APOP alice 0123", "+OK in"),
    ("AUTH PLAIN AGEAYg==", "+OK in"),
    ("QUIT", "+OK Bye"),
]
BEHIND = [
    ("USER alice", ["-ERR Logged in already"]),
    ("PASS x", ["-ERR Logged in already"]),
    ("AUTH PLAIN AGEAYg==", ["-ERR Logged in already"]),
    ("STLS", ["-ERR Logged in already"]),
    ("NOOP", ["+OK"]),
    ("STAT", ["+OK 3 163"]),
    ("LIST", ["+OK 3 messages (163 octets)", "1 68", "2 27", "3 68", "."]),
    ("LIST 2", ["+OK 2 27"]),
    ("LIST 02", ["+OK 2 27"]),
    ("LIST 4", ["-ERR No such message"]),
    ("LIST x", ["-ERR No such message"]),
    ("UIDL 2", ["+OK 2 172797a06d976916"]),
    ("LAST", ["+OK 0"]),
    ("RETR 2\nLAST", ["+OK here", "Subject: two", "", "..dot", "end", ".", "+OK 2"]),
    ("TOP 2 1", ["+OK", "Subject: two", "", "..dot", "."]),
    ("TOP 2 0", ["+OK", "Subject: two", "", "."]),
    ("TOP 2 99", ["+OK", "Subject: two", "", "..dot", "end", "."]),
    ("RETR 3", ["+OK 68 octets", "Subject: three", "", "first", "-" * 41, "."]),
    ("RETR 1", ["+OK 68 octets", "Subject: (not in the record)", "", "This message is not in the record.", "."]),
    ("RETR", ["-ERR No such message"]),
    ("RETR 99", ["-ERR No such message"]),
    ("DELE 2\nDELE 2", ["+OK Marked to be deleted", "-ERR No such message"]),
    ("RETR 2\nDELE 2\nRETR 2",
        ["+OK here", "Subject: two", "", "..dot", "end", ".", "+OK Marked to be deleted", "-ERR No such message"]),
    ("DELE 2\nSTAT", ["+OK Marked to be deleted", "+OK 2 136"]),
    ("DELE 2\nRSET\nSTAT", ["+OK Marked to be deleted", "+OK", "+OK 3 163"]),
    ("CAPA", ["+OK", "TOP", "UIDL", "USER", "SASL PLAIN LOGIN", "."]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer"), BEFORE)
def test_before_the_login(asked: str, answer: str) -> None:
    said = [line for line in answers(player(BOX.replace("RETR 2", "RETR 7")), asked) if not line.startswith("***")]
    assert said[-1] == answer


@pytest.mark.parametrize(("asked", "lines"), BEHIND)
def test_behind_the_login(asked: str, lines: list[str]) -> None:
    assert answers(player(BOX), *LOGIN, asked)[2:] == lines


def test_who_is_not_logged_in_stays_outside() -> None:
    refused = "pop3\n<-  +OK\n -> USER alice\n<-  +OK\n -> PASS <secret: 5 characters>\n<-  -ERR no\n"
    assert answers(player(refused), *LOGIN, "STAT") == ["+OK", "-ERR no", "-ERR Log in first"]


def test_a_record_that_shows_no_login_wants_none() -> None:
    assert answers(player("pop3\n<-  +OK\n -> STAT\n<-  +OK 2 400\n"), "STAT", "UIDL 1")[-1].startswith("+OK 1 ")


def test_sizes_are_those_of_the_messages() -> None:
    server = player(BOX)
    listed = dict(row.split() for row in answers(server, *LOGIN, "LIST")[3:-1])
    for number, size in listed.items():
        _, *lines, _ = answers(server, f"RETR {number}")
        assert sum(len(line.removeprefix(".")) + 2 for line in lines) == int(size)


def test_a_refusal_of_a_login_does_not_do_for_others() -> None:
    refused = (
        "pop3\n<-  +OK\n -> AUTH PLAIN <secret: PLAIN, user alice, password 5 characters>\n<-  -ERR wrong password\n"
    )
    assert answers(player(refused), "XYZZY") == ["-ERR Unknown command"]
    known = "pop3\n<-  +OK\n -> XFOO\n<-  -ERR Eh?\n"
    assert answers(player(known), "XBAR", "LANG") == ["-ERR Eh?", "-ERR Eh?"]


OFFERED = "pop3\n<-  +OK\n -> CAPA\n<-  +OK\n<-  USER\n<-  STLS\n<-  .\n -> STLS\n<-  +OK begin\n"


def test_tls_is_not_offered_within_tls() -> None:
    server = player(OFFERED)
    assert answers(server, "STLS") == ["+OK begin"]
    server.secure()
    assert answers(server, "CAPA", "STLS") == ["+OK", "USER", ".", "-ERR TLS has begun already"]


LEFT = """pop3
  0.000 <-  +OK ready
  1.000  -> RETR 1
  1.000 <-  +OK 60 octets
  1.000 <-  Subject: two
  1.000 <-
  1.500 <-  end of wh\\
{:7.3f} *** closed by the client without QUIT
"""


def test_a_message_in_which_the_client_left_is_made_whole() -> None:
    server = player(LEFT.format(2))
    assert answers(server, "RETR 1", "TOP 1 9", "QUIT") == [
        *("+OK 60 octets", "Subject: two", "", "end of wh", "=== 1 s", "", "-" * 31, "."),
        *("+OK", "Subject: two", "", "end of wh", "."),
        *("+OK Bye", "*** closed"),
    ]
    assert server.remarks[0] == "the record ends within RETR 1, where the client left: what is missing is made up"


def test_a_message_for_which_the_client_waited_in_vain_is_not() -> None:
    assert answers(player(LEFT.format(62)), "RETR 1", "NOOP")[-1] == "end of wh"
