"""Any octets of any client, in any pieces: no exception, and the same answers."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.model.session import Recording
from mailproxy.talk.play.edit import parse
from mailproxy.talk.play.manner import Manner
from mailproxy.talk.play.server import ServerPlayer
from mailproxy.talk.practice.conversation import Action, Send
from mailproxy.wire.tls import hello
from tests.talk.play.server_stage import REPLAY, corpus, recorded

NAMES = sorted(path.stem for path in REPLAY.glob("*.talk") if not path.stem.startswith("blind"))
PLAYED = [name for name in NAMES if not ServerPlayer(corpus(name)).absent()]
read = cache(corpus)

WORDS = [
    b"EHLO x\r\n", b"HELO x\r\n", b"LHLO x\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n",
    b"DATA\r\n", b"Subject: x\r\n\r\nx.\r\n..\r\n", b".\r\n", b".\n", b"\n", b"BDAT 5 LAST\r\nabcde", b"BDAT 3\r\nabc",
    b"BDAT x\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"AUTH LOGIN\r\n", b"YQ==\r\n",
    b"*\r\n", b"AUTH CRAM-MD5\r\n", b"AUTH SCRAM-SHA-1\r\n", b"AUTH\r\n", b"STARTTLS\r\n", b"STLS\r\n", b"USER a\r\n",
    b"PASS b\r\n", b"STAT\r\n", b"LIST\r\n", b"LIST 1\r\n", b"UIDL\r\n", b"RETR 1\r\n", b"RETR 99\r\n", b"TOP 1 2\r\n",
    b"DELE 1\r\n", b"CAPA\r\n", b"LAST\r\n", b"READ 1\r\n", b"RETR\r\n", b"ACKS\r\n", b"FOLD x\r\n", b"\xff\xf6",
    b"\xff\xfd\x01", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"NOOP", b"\r", b"\0",
]  # fmt: skip
LONG = b"x" * 70_000
octets = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)), max_size=14).map(b"".join)
EDITED = Manner(edits=(parse("s/250/450/"), parse("RCPT 1 550 5.1.1 no"), parse(r"GREETING s/\n/ /")))


def outcome(recording: Recording, said: Sequence[bytes], manner: Manner) -> tuple[bytes, list[type], list[str]]:
    server = ServerPlayer(recording, manner)
    actions: list[Action] = server.receive()
    for part in said:
        actions += server.receive(part)
    actions += server.ended()
    server.leave()
    sent = b"".join(action.octets for action in actions if isinstance(action, Send))
    return sent, [type(action) for action in actions if not isinstance(action, Send)], server.remarks


def torn(whole: bytes, size: int) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLAYED), octets, st.sampled_from([Manner(), Manner(strict=True), EDITED]))
def test_it_answers_alike_however_it_is_asked(name: str, said: bytes, manner: Manner) -> None:
    alike(read(name), said, manner)


@pytest.mark.parametrize("name", ["smtp-send-good", "pop3-article", "pop2-session-good"])
def test_a_line_without_end_is_answered_alike(name: str) -> None:
    alike(read(name), LONG + b"\r\nNOOP\r\n" + LONG, Manner())


def alike(recording: Recording, said: bytes, manner: Manner) -> None:
    whole = outcome(recording, [said], manner)
    assert outcome(recording, torn(said, 7 if len(said) < 3000 else 777), manner) == whole
    assert outcome(recording, torn(said, 1 if len(said) < 3000 else 1000), manner) == whole


@pytest.mark.parametrize("name", PLAYED)
def test_the_recorded_client_gets_what_it_got(name: str) -> None:
    recording = read(name)
    server = ServerPlayer(recording)
    actions: list[Action] = server.receive()
    secure = False
    for entry in recording.entries:
        under_tls = entry.secure if isinstance(entry, Frame) else entry.text.startswith("TLS with the server")
        if under_tls and not secure:
            secure = True
            server.secure()
        if isinstance(entry, Frame) and entry.side is Side.CLIENT and entry.kind in {Kind.SPEECH, Kind.CONTENT}:
            actions += server.receive(entry.octets)
        elif isinstance(entry, Frame) and entry.side is Side.CLIENT and entry.kind is Kind.OPAQUE and not secure:
            actions += server.receive(hello())
    said = b"".join(action.octets for action in actions if isinstance(action, Send))
    assert said.startswith(said_by_server(recording))
    unheard = ("QUIT", "no word", "greeting")  # what the client left before
    assert all(any(word in remark for word in unheard) for remark in server.remarks), server.remarks


def said_by_server(recording: Recording) -> bytes:
    return b"".join(
        entry.octets
        for entry in recording.entries
        if isinstance(entry, Frame) and entry.side is Side.SERVER and entry.kind in {Kind.SPEECH, Kind.CONTENT}
    )


def test_long_sessions_are_answered_one_by_one() -> None:
    lines = [f" -> RCPT TO:<{n}@example.org>\n<-  250 2.1.5 {n}\n" for n in range(10_000)]
    server = ServerPlayer(recorded("smtp\n<-  220 mail.example.org\n" + "".join(lines)))
    server.receive()
    for n in reversed(range(10_000)):
        (answer,) = server.receive(f"RCPT TO:<{n}@example.org>\r\n".encode())
        assert answer == Send(f"250 2.1.5 {n}\r\n".encode())
    assert server.remarks == []
