"""A protocol is one package and one line: a toy one goes through relay, record, transcript, diff, players, verdict."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailproxy import protocols
from mailproxy.analysis.diagnose import diagnose
from mailproxy.analysis.diff import compare
from mailproxy.app.library import complete, keep, make_library, recordings
from mailproxy.app.routes import parse
from mailproxy.app.take_out import as_talk
from mailproxy.formats.talk import read
from mailproxy.model.exchange import Reply
from mailproxy.model.finding import Outcome
from mailproxy.model.octets import Entry, Frame, Side
from mailproxy.model.session import Recording, Session
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import Steps, Terms, text
from mailproxy.talk import typist
from mailproxy.talk.play.client import ClientPlayer
from mailproxy.talk.play.server import ServerPlayer
from mailproxy.talk.relay import Relay
from tests.play import hear, timeless
from tests.talk.play.server_stage import told


class EchoDialogue(Dialogue):
    """`SAY word` is answered by `YES word`, `PASS word` by `NO`."""

    known = frozenset({b"SAY"})

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
    protocol = Protocol("echo", 7, 2007, EchoDialogue, "ECHO")
    monkeypatch.setattr(protocols, "PROTOCOLS", (*protocols.PROTOCOLS, protocol))


SAID = [
    (Side.CLIENT, b"SAY hello\r\n"),
    (Side.SERVER, b"YES hello\r\n"),
    (Side.CLIENT, b"PASS hunter22\r\n"),
    (Side.SERVER, b"NO hunter22\r\n"),
]


def test_it_is_relayed() -> None:
    relay = Relay(EchoDialogue())
    assert [relay.received(side, octets, 0).forward for side, octets in SAID] == [octets for _, octets in SAID]


def test_it_is_recorded_and_read_again(tmp_path: Path) -> None:
    entries, exchanges, _ = hear("echo", SAID)
    assert [(each.verb, each.reply and each.reply.code) for each in exchanges] == [("SAY", "YES"), ("PASS", "NO")]
    recording = complete(Recording(Session(0, "echo", datetime.now(UTC)), tuple(entries)), "", Terms())
    engine = make_library(str(tmp_path / "x.sqlite"))
    number = keep(engine, recording).id
    engine.dispose()
    (found,) = recordings(str(tmp_path / "x.sqlite"), [str(number)])
    assert spoken(found.entries) == spoken(recording.entries)
    assert timeless(found.exchanges) == timeless(exchanges)
    assert found.session == replace(recording.session, id=number)


def test_its_transcript_is_read_again() -> None:
    entries, exchanges, _ = hear("echo", SAID)
    talk = as_talk(Recording(Session(0, "echo", datetime.now(UTC)), tuple(entries), tuple(exchanges)))
    assert "hunter22" not in talk
    (again,) = read(talk)
    assert timeless(complete(again, "", Terms()).exchanges) == timeless(exchanges)


def test_a_protocol_may_be_a_key() -> None:
    assert set(protocols.PROTOCOLS) >= {protocols.named("echo")}


def test_its_route_is_understood() -> None:
    route = parse("echo://example.org")
    assert (route.listen_port, route.port) == (2007, 7)


def spoken(entries: tuple[Entry, ...]) -> list[tuple[Side, bytes]]:
    return [(entry.side, entry.octets) for entry in entries if isinstance(entry, Frame)]


SAID_AGAIN = [*SAID[:3], (Side.SERVER, b"YES hunter22\r\n")]


def recorded(said: list[tuple[Side, bytes]]) -> Recording:
    entries, _, _ = hear("echo", said)
    return complete(Recording(Session(0, "echo", datetime.now(UTC)), tuple(entries)), "", Terms())


def test_it_is_compared() -> None:
    good, bad = recorded(SAID_AGAIN), recorded(SAID)
    assert compare(good, good, strict=True).differences == ()
    assert [each.told for each in compare(good, bad).differences] == [
        "PASS was answered NO, and YES in the good session."
    ]


def test_its_server_is_played() -> None:
    player = ServerPlayer(recorded([*SAID[:2], (Side.CLIENT, b"SAY no\r\n"), (Side.SERVER, b"NO\r\n")]))
    assert told(player.receive()) == []
    assert told(player.receive(b"SAY no\r\nSAY what\r\n")) == ["NO", "YES hello"]
    assert told(player.receive(b"TELL\r\n")) == ["*** closed"]
    assert player.remarks == [
        "a command that is none of the protocol is not in the record, and nothing is known to answer: "
        "the connection is closed"
    ]


def test_its_client_is_played() -> None:
    player = ClientPlayer(recorded(SAID[:2]))
    said = [each for each in player.connected("mail.example.org", "192.0.2.25", 0) if isinstance(each, typist.Send)]
    assert [each.octets for each in said] == [b"SAY hello\r\n"]
    player.heard(b"YES hello\r\n", 1)
    assert player.stopped == "the record ends behind SAY"


def test_it_is_diagnosed() -> None:
    assert diagnose(recorded(SAID)).outcome in set(Outcome)
