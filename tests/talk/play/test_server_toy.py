"""A protocol that says nothing of answering: what was recorded is played again, and nothing else."""

from datetime import UTC, datetime

import pytest

from mailproxy import protocols
from mailproxy.model.exchange import Reply
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording, Session
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Steps, text
from mailproxy.talk.play.server import ServerPlayer
from tests.play import hear
from tests.talk.play.server_stage import told


class AskDialogue(Dialogue):
    """`ASK word` is answered by a line."""

    known = frozenset({b"ASK"})

    def hear_client(self) -> Steps:
        while True:
            self.ask((yield from self.command_line()))

    def hear_server(self) -> Steps:
        self.greeted = True
        while True:
            line = yield from self.server_line()
            assert line is not None
            code, _, said = text(line.said).partition(" ")
            self.reply(self.pending[0], Reply(code, "", said, line.span, self.at))


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = Protocol("ask", 7, 2007, AskDialogue, "ASK")
    monkeypatch.setattr(protocols, "PROTOCOLS", (*protocols.PROTOCOLS, protocol))


def test_it_plays_what_was_recorded() -> None:
    said = [
        (Side.CLIENT, b"ASK a\r\n"),
        (Side.SERVER, b"YES a\r\n"),
        (Side.CLIENT, b"ASK b\r\n"),
        (Side.SERVER, b"NO\r\n"),
    ]
    entries, exchanges, _ = hear("ask", said)
    server = ServerPlayer(Recording(Session(1, "ask", datetime.now(UTC)), tuple(entries), tuple(exchanges)))
    assert told(server.receive()) == []
    assert told(server.receive(b"ASK b\r\nASK c\r\n")) == ["NO", "YES a"]
    assert told(server.receive(b"TELL\r\n")) == ["*** closed"]
    assert server.remarks == [
        "a command that is none of the protocol is not in the record, and nothing is known to answer: "
        "the connection is closed"
    ]
