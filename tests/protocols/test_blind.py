"""What is no mail: it goes on as it is, is counted, and no octet of it is kept."""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.app.judging import judge
from mailproxy.formats.talk import read, write
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Side
from mailproxy.model.session import How, Recording, Session
from mailproxy.protocols import BLIND, named, names, reading
from mailproxy.protocols.blind import BlindDialogue
from mailproxy.store.engine import open_database
from mailproxy.store.library import add, load
from mailproxy.talk.relay import Relay
from tests.play import Script, hear

CLIENT, SERVER = Side.CLIENT, Side.SERVER
HOST = "login.example.org"
LOGIN = [
    (CLIENT, b"POST /login HTTP/1.1\r\nHost: login.example.org\r\n\r\nuser=alice&password=xyzzy"),
    (SERVER, b"HTTP/1.1 302 Found\r\nLocation: /mail?code=s3cr3t\r\n\r\n"),
    (CLIENT, b"\xff\xfd\x06\xff\xff"),
]
COUNTED = "passed blind, 79 octets of the client, 51 of the server"


def recording(said: Script) -> Recording:
    entries, exchanges, _ = hear("blind", said)
    return Recording(Session(0, "blind", datetime(2026, 1, 31, 12, tzinfo=UTC)), tuple(entries), tuple(exchanges))


def counts(entries: tuple[Entry, ...] | list[Entry]) -> list[tuple[Side, int]]:
    """How many octets of whom, in turn."""
    told: list[tuple[Side, int]] = []
    for frame in (entry for entry in entries if isinstance(entry, Frame)):
        before = told.pop()[1] if told and told[-1][0] is frame.side else 0
        told.append((frame.side, before + frame.wire))
    return told


def notes(entries: tuple[Entry, ...] | list[Entry]) -> list[str]:
    return [f"{entry.mark} {entry.text}" for entry in entries if isinstance(entry, Note)]


def handshake() -> Iterator[tuple[Side, bytes]]:
    """What a real TLS client and server say until both are content, and a word under it."""
    authority = trustme.CA()
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    offering, presenting = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(offering)
    authority.issue_cert(HOST).configure_cert(presenting)
    client = offering.wrap_bio(to_client, to_server, server_hostname=HOST)
    server = presenting.wrap_bio(to_server, to_client, server_side=True)
    for side, ours, theirs in ((CLIENT, client, to_server), (SERVER, server, to_client)) * 3:
        with suppress(ssl.SSLWantReadError):
            ours.do_handshake()
        if theirs.pending:
            said = theirs.read()
            theirs.write(said)
            yield side, said
    client.write(b"password=xyzzy")
    yield CLIENT, to_server.read()


def test_it_is_found_by_name_and_there_is_no_route_of_it() -> None:
    assert named("blind") is BLIND
    assert "blind" not in names()


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(min_size=1) | st.just(b"\xff\xfa\x18")), max_size=12))
def test_any_octets_go_on_and_only_their_number_is_kept(said: list[tuple[Side, bytes]]) -> None:
    dialogue = BlindDialogue()
    entries: list[Entry] = []
    for at, (side, octets) in enumerate(said):
        heard = dialogue.feed(side, octets, at)
        assert (heard.forward, heard.answer) == (octets, b"")
        entries += heard.entries
    for side in Side:
        assert dialogue.close(side, len(said)).forward == b""
    entries += dialogue.finish(len(said))
    frames = [entry for entry in entries if isinstance(entry, Frame)]
    assert {(frame.kind, frame.octets) for frame in frames} <= {(Kind.OPAQUE, b"")}
    assert [(frame.side, frame.wire) for frame in frames] == [(side, len(octets)) for side, octets in said]
    assert dialogue.exchanges == []


def test_nothing_that_was_said_is_in_the_record() -> None:
    told = repr(recording(LOGIN))
    assert "xyzzy" not in told
    assert "s3cr3t" not in told
    assert "alice" not in told


def test_how_much_has_passed_is_told_once() -> None:
    made = recording(LOGIN)
    assert counts(made.entries) == [(CLIENT, 74), (SERVER, 51), (CLIENT, 5)]
    assert notes(made.entries) == ["=== connected", f"=== {COUNTED}"]
    again = reading.read("blind", made.entries)
    assert again.entries == made.entries
    assert again.exchanges == ()


def test_what_a_tls_handshake_shows_in_clear_is_noted() -> None:
    made = recording(list(handshake()))
    told = notes(made.entries)
    assert f"for {HOST}" in told[1]
    assert told[2].startswith("=== TLS passes through: the server chose TLSv1.3")
    assert told[-1].startswith("=== passed blind, ")
    assert judge(made) == (told[-1].replace("===", "ok:"), False)


def test_tls_cut_in_octets_is_the_same() -> None:
    said = list(handshake())
    torn = [(side, octets[i : i + 1]) for side, octets in said for i in range(len(octets))]
    whole, cut = recording(said), recording(torn)
    assert (notes(cut.entries), counts(cut.entries)) == (notes(whole.entries), counts(whole.entries))


def test_the_server_speaks_first_and_what_looks_like_tls_is_none() -> None:
    made = recording([(SERVER, b"\x15\x03\x03\x00\x02\x02\x28"), (CLIENT, b"hello")])
    assert notes(made.entries) == ["=== connected", "=== passed blind, 5 octets of the client, 7 of the server"]


def test_it_goes_into_the_database_and_comes_back(tmp_path: Path) -> None:
    made = recording(LOGIN)
    engine = open_database(tmp_path / "mail.db")
    again = load(engine, add(engine, made))
    engine.dispose()
    assert again.session.protocol == "blind"
    assert again.entries == made.entries
    assert reading.read("blind", again.entries).entries == made.entries


@pytest.mark.parametrize("fold", [False, True])
def test_its_transcript_is_read_again(fold: bool) -> None:
    made = recording(LOGIN)
    lines = list(write(made, fold=fold))
    client = ["=== 74 octets of the client, not in clear", "=== 5 octets of the client, not in clear"]
    server = "=== 51 octets of the server, not in clear"
    apart = [client[0], server, client[1]]
    passed = ["=== 79 octets of the client, not in clear", server] if fold else apart
    assert lines[1:] == ["blind", "=== connected", *passed, f"=== {COUNTED}"]
    (again,) = read("\n".join(lines) + "\n")
    read_again = reading.read(again.session.protocol, again.entries)
    together = [(side, sum(n for each, n in counts(made.entries) if each is side)) for side in Side]
    assert counts(read_again.entries) == (together if fold else counts(made.entries))
    assert notes(read_again.entries) == notes(made.entries)
    assert judge(again) == judge(made)


@pytest.mark.parametrize(
    ("said", "trouble", "outcome", "failed"),
    [
        (LOGIN, "", f"ok: {COUNTED}", False),
        (LOGIN, "closed by the server", f"ok: {COUNTED}", False),
        (LOGIN, "cut off: mailproxy was stopped", f"unfinished: {COUNTED}, cut off: mailproxy was stopped", False),
        (LOGIN[:1], "connection refused", "failed: connection refused", True),
        ([], "no such host", "failed: no such host", True),
    ],
)
def test_what_came_of_it(said: Script, trouble: str, outcome: str, failed: bool) -> None:
    made = recording(said)
    troubles = (Note(Mark.TROUBLE, trouble, 9),) if trouble else ()
    assert judge(Recording(made.session, made.entries + troubles)) == (outcome, failed)


def test_nobody_has_to_say_quit() -> None:
    relay = Relay(BlindDialogue())
    relay.connected(HOST, "192.0.2.7", 0)
    assert relay.received(CLIENT, b"GET / HTTP/1.1\r\n\r\n", 1).forward == b"GET / HTTP/1.1\r\n\r\n"
    assert "closed by the client'" in repr(relay.ended(CLIENT, 2))
    assert "18 octets of the client, 0 of the server" in repr(relay.ended(SERVER, 3))
    assert relay.endings[CLIENT].how is How.CLOSED
