"""Whatever a client says to a practice server: recorded, and both parts played again, it is the same session."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailproxy.analysis.diff import compare
from mailproxy.model.octets import Entry, Side
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import named
from mailproxy.talk.actions import Record
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.client import Login
from mailproxy.talk.practice import lmtp, pop2, pop3, smtp
from mailproxy.talk.practice.accounts import PASSWORD
from mailproxy.talk.practice.conversation import Action, Close, Party, Reset, Send
from mailproxy.talk.practice.office import PostOffice
from mailproxy.talk.relay import Relay
from tests.talk.play.client_stage import client, meet

FULLY: Final = Acting(deliver=True, delete=True, clear_ok=True)
LETTER: Final = b"Subject: x\r\n\r\n..dot\r\nx\r\n.\r\n"
WRONG: Final = b"AUTH PLAIN " + b64encode(b"\0alice\0" + b"w" * len(PASSWORD)) + b"\r\n"
SENT: Final = [
    b"EHLO client.example\r\n", b"HELO client.example\r\n", b"LHLO client.example\r\n", b"NOOP\r\n", b"RSET\r\n",
    b"MAIL FROM:<carol@example.org>\r\n", b"MAIL FROM:<> SIZE=100\r\n", b"MAIL FROM:<x> SIZE=999999999\r\n",
    b"RCPT TO:<alice@example.org>\r\n", b"RCPT TO:<bob@example.org>\r\n", b"RCPT TO:<nobody@example.org>\r\n",
    b"RCPT TO:<full@example.org>\r\n", b"DATA\r\n", LETTER, b"BDAT 3\r\nabc", b"BDAT 5 LAST\r\nde\r\nf",
    b"VRFY bob\r\n", WRONG, b"HELP\r\n", b"WHAT\r\n", b"\r\n", b"mail from:<carol@example.org>\n",
    b"QUIT\r\n",
]  # fmt: skip
FETCHED: Final = [
    b"CAPA\r\n", b"USER alice\r\n", b"USER bob\r\n", b"STAT\r\n", b"LIST\r\n", b"LIST 2\r\n", b"UIDL\r\n",
    b"UIDL 1\r\n", b"RETR 1\r\n", b"RETR 2\r\n", b"RETR 9\r\n", b"TOP 1 0\r\n", b"TOP 3 5\r\n", b"DELE 1\r\n",
    b"DELE 3\r\n", b"NOOP\r\n", b"RSET\r\n", b"LAST\r\n", b"WHAT\r\n", b"\r\n", b"retr 1\n", b"QUIT\r\n",
]  # fmt: skip
LOGGED_IN: Final = [b"USER alice\r\n", f"PASS {PASSWORD}\r\n".encode()]
READ: Final = [
    b"READ 1\r\n", b"READ\r\n", b"RETR\r\n", b"ACKS\r\n", b"ACKD\r\n", b"NACK\r\n", b"FOLD INBOX\r\n", b"READ 3\r\n",
    b"WHAT\r\n", b"QUIT\r\n",
]  # fmt: skip
HELLO: Final = f"HELO alice {PASSWORD}\r\n".encode()


class Taken:
    """What is taken down of a conversation."""

    def __init__(self, protocol: str) -> None:
        self.relay = Relay(named(protocol).dialogue())
        self.entries: list[Entry] = []

    def said(self, side: Side, octets: bytes) -> None:
        self.entries += self.relay.received(side, octets, 0).entries

    def ended(self, side: Side) -> None:
        for order in self.relay.ended(side, 0):
            if isinstance(order, Record):
                self.entries += order.entries

    def did(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(octets):
                    self.said(Side.SERVER, octets)
                case Close() | Reset():
                    self.ended(Side.SERVER)
                case _:
                    pass


def recorded(protocol: str, serve: Callable[[PostOffice], Party], said: Sequence[bytes]) -> Recording:
    """What is recorded of a client that says this, each piece once the one before it is answered, and then leaves."""
    taken, party = Taken(protocol), serve(PostOffice())
    taken.did(party.receive())
    for piece in said:
        if not taken.relay.endings:
            taken.said(Side.CLIENT, piece)
            taken.did(party.receive(piece))
    taken.ended(Side.CLIENT)
    party.leave()
    exchanges = sorted(taken.relay.dialogue.exchanges, key=lambda each: each.number)
    return Recording(Session(1, protocol, datetime(2026, 1, 6, 12, tzinfo=UTC)), tuple(taken.entries), tuple(exchanges))


def again(recording: Recording) -> Recording:
    """Both parts played, as the client's mailproxy records it."""
    met = meet(client(recording, FULLY, Login("", PASSWORD)), recording)
    exchanges = tuple(sorted(met.exchanges, key=lambda each: each.number))
    return Recording(replace(recording.session, replays="client of 1"), tuple(met.entries), exchanges)


def same(protocol: str, serve: Callable[[PostOffice], Party], said: Sequence[bytes]) -> None:
    recording = recorded(protocol, serve, said)
    assert [each.told for each in compare(recording, again(recording)).differences] == []


def pieces(of: Sequence[bytes]) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.sampled_from(of), max_size=12)


@settings(max_examples=300, deadline=None)
@given(pieces(SENT))
def test_smtp(said: list[bytes]) -> None:
    same("smtp", smtp, said)


@settings(max_examples=200, deadline=None)
@given(pieces(SENT))
def test_lmtp(said: list[bytes]) -> None:
    same("lmtp", lmtp, said)


@settings(max_examples=300, deadline=None)
@given(pieces(FETCHED), st.booleans())
@example([b"DELE 1\r\n", b"UIDL\r\n", b"RSET\r\n", b"UIDL 1\r\n"], True)
@example([b"USER bob\r\n"], True)
def test_pop3(said: list[bytes], logged_in: bool) -> None:
    same("pop3", pop3, [*LOGGED_IN, *said] if logged_in else said)


@settings(max_examples=200, deadline=None)
@given(pieces(READ), st.booleans())
@example([b"READ 1\r\n", b"FOLD INBOX\r\n", b"RETR\r\n"], True)
def test_pop2(said: list[bytes], logged_in: bool) -> None:
    same("pop2", pop2, [HELLO, *said] if logged_in else said)
