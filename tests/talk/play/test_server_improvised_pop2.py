"""A played POP2 server and a client that reads other messages than the recorded one did (RFC 937)."""

import pytest

from tests.talk.play.server_stage import answers, player

BOX = """pop2
<-  + ready
 -> HELO alice <secret: 5 characters>
<-  #4 messages
 -> READ 1
<-  =5 octets
 -> RETR
<-  one
 -> ACKS
<-  =5 octets
 -> RETR
<-  two
 -> ACKD
<-  =7 octets
 -> FOLD letters
<-  #1 messages
 -> READ
<-  =8 octets
 -> RETR
<-  letter
 -> QUIT
<-  + Bye
*** closed by the server
"""
MADE = ["Subject: (not in the record)", "", "This message is not in the record."]

READ = [
    ("READ 2\nRETR", ["=5 octets in message 2", "two"]),
    ("READ 1\nRETR\nREAD 2\nRETR", ["=5 octets", "one", "=5 octets in message 2", "two"]),
    ("READ 2\nRETR\nREAD 1\nRETR", ["=5 octets in message 2", "two", "=5 octets", "one"]),
    ("READ 1\nRETR\nNACK\nRETR", ["=5 octets", "one", "=5 octets in message 1", "one"]),
    ("READ 1\nRETR\nACKD\nRETR", ["=5 octets", "one", "=5 octets", "two"]),
    ("READ\nRETR\nACKS\nRETR\nACKS", ["=5 octets", "one", "=5 octets", "two", "=7 octets"]),
    ("READ 3\nRETR", ["=7 octets in message 3", "Subject"]),
    ("READ 4\nRETR", ["=68 octets in message 4", *MADE]),
    ("READ 5", ["=0 octets in message 5"]),
    ("READ 5\nRETR", ["=0 octets in message 5", "- There is no message to be had", "*** closed"]),
    ("RETR", ["- There is no message to be had", "*** closed"]),
    ("FOLD LETTERS\nREAD 1\nRETR", ["#1 messages", "=8 octets", "letter"]),
    ("FOLD letters\nREAD\nFOLD INBOX\nREAD 2\nRETR",
        ["#1 messages", "=8 octets", "#4 messages", "=5 octets in message 2", "two"]),
    ("FOLD other\nREAD", ["#0 messages", "=0 octets in message 1"]),
    ("HELO alice x", ["- Logged in already", "*** closed"]),
    ("NOOP", ["- Unknown command", "*** closed"]),
    ("QUIT", ["+ Bye", "*** closed"]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "lines"), READ)
def test_each_gets_the_message_that_it_asks_for(asked: str, lines: list[str]) -> None:
    assert answers(player(BOX), "HELO bob x", *asked.split("\n"))[1:] == lines


@pytest.mark.parametrize("verb", ["ACKS", "NACK", "FOLD x"])
def test_nothing_comes_before_the_login(verb: str) -> None:
    assert answers(player(BOX.split(" -> READ 1")[0]), verb) == ["- HELO comes first", "*** closed"]


def test_a_message_in_which_the_client_left_is_as_long_as_promised() -> None:
    left = """pop2
  0.000 <-  + ready
  1.000  -> HELO alice <secret: 5 characters>
  1.000 <-  #1 messages
  1.000  -> READ 1
  1.000 <-  =20 octets
  2.000  -> RETR
  2.000 <-  begun
  3.000 *** closed by the client without QUIT
"""
    said = answers(player(left), "HELO alice x", "READ 1", "RETR", "QUIT")
    assert said[2:] == ["begun", "=== 1 s", "-" * 11, "+ Bye", "*** closed"]
