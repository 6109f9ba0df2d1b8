"""Recordings as captures: what dpkt, tshark and our own reader make of them."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailproxy.app.library import complete
from mailproxy.formats import pcap, talk
from mailproxy.formats.pcap_packet import checksum
from mailproxy.model.octets import Frame, Kind, Side
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.protocols.turn import MASKED
from tests.whole import need

from .capture import lines, recordings

CORPUS: Final = sorted((Path(__file__).parents[2] / "replay").glob("*.talk"))
NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
LOGIN: Final = """smtp 25
=== connected to mail.example.org (192.0.2.25)
   0.100 <-  220 mail.example.org ESMTP
   0.200  -> EHLO me.example
   0.300 <-  250-mail.example.org
   0.300 <-  250 AUTH PLAIN
   0.400  -> AUTH PLAIN AGFsaWNlAHNlY3JldA==
   0.500 <-  235 welcome
   0.600  -> MAIL FROM:<alice@example.org>
   0.700 <-  250 ok
   0.800  -> QUIT
   0.900 <-  221 bye
   1.000 *** closed by the server
"""


def read(text: str) -> list[Recording]:
    return [complete(each, "x.talk", MASKED) for each in talk.read(text, now=NOW)]


def written(*found: Recording, leg: Side = Side.SERVER) -> bytes:
    return b"".join(pcap.write(found, leg))


def again(recording: Recording, leg: Side = Side.SERVER) -> Recording:
    [found] = recordings(written(recording, leg=leg))
    return found


def streams(recording: Recording) -> list[bytes]:
    """What both sides said in clear."""
    found = Streams(recording.entries)
    return [found.octets(found.whole(side)) for side in Side]


def tshark(folder: Path, octets: bytes, *arguments: str) -> list[str]:
    """What tshark prints of a capture, line by line."""
    path = folder / "session.pcap"
    path.write_bytes(octets)
    command = [need.program("tshark"), "-n", "-r", str(path), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.parametrize("leg", Side)
def test_a_capture_is_read_again_as_what_it_was(leg: Side) -> None:
    [recording] = read(LOGIN)
    found = again(recording, leg)
    assert lines(found) == [
        line.replace("mail.example.org (192.0.2.25)", found.session.server.address) for line in lines(recording)
    ]
    assert found.exchanges == recording.exchanges
    assert found.session.started == NOW
    assert found.session.duration == 1_000_000


def test_of_a_masked_secret_the_mask_is_sent() -> None:
    octets = written(*read(LOGIN))
    assert b"<secret: PLAIN, user alice, password 6 characters>" in octets
    assert b"AGFsaWNl" not in octets


def test_names_are_written_as_addresses_for_examples() -> None:
    unknown, known, six = (
        again(each).session
        for text in (
            "smtp\n<-  220 x\n",
            "smtp 25\n=== connected to x (198.51.100.9)\n<-  220 x\n",
            "pop3\n=== connected to x (2001:db8::9)\n<-  +OK\n",
        )
        for each in read(text)
    )
    assert (unknown.client.address, unknown.server.address, unknown.server.port) == ("192.0.2.1", "192.0.2.25", 25)
    assert (known.client.address, known.server.address) == ("192.0.2.1", "198.51.100.9")
    assert (six.client.address, six.server.address, six.server.port) == ("2001:db8::1", "2001:db8::9", 110)


def test_what_was_under_tls_is_in_clear_and_on_the_port_for_that() -> None:
    [recording] = read(
        "smtp 465\n=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3\n<~  220 x\n ~> QUIT\n"
    )
    found = again(recording)
    assert found.session.server.port == 25
    assert found.exchanges == recording.exchanges


def test_octets_that_are_not_there_leave_short_packets() -> None:
    [recording] = read("smtp 25\n<-  220 x\n -> DATA\n<-  354 go\n -> (message, 90 lines, 4000 octets)\n<-  250 ok\n")
    found = again(recording)
    assert found.exchanges == recording.exchanges
    assert [entry.wire for entry in found.entries if isinstance(entry, Frame) and entry.kind is Kind.OMITTED] == [4000]


def test_endings_and_connections_that_never_were() -> None:
    for told, seen in {
        "<-  220 x\n*** reset by the client\n": "*** reset by the client",
        "<-  220 x\n*** reset by the server\n": "*** reset by the server",
        "<-  220 x\n*** closed by the client\n": "*** closed by the client without QUIT",
        "*** connection refused\n": "*** connection refused",
        "*** connection timed out\n": "*** connection timed out: no answer was captured",
    }.items():
        [recording] = read("smtp 25\n" + told)
        assert lines(again(recording))[-1] == seen
    [never] = read("smtp 25\n*** no such host\n")
    assert not pcap.carries(never)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_corpus_is_read_again_with_the_same_exchanges(path: Path) -> None:
    for recording in read(path.read_text(encoding="utf-8", errors="surrogateescape")):
        kinds = {entry.kind for entry in recording.entries if isinstance(entry, Frame)}
        if recording.session.protocol == "blind" or not kinds or Kind.OPAQUE in kinds:
            continue
        found = again(recording)
        assert streams(found) == streams(recording)
        assert [each._replace(flags=frozenset()) for each in found.exchanges] == [
            each._replace(flags=frozenset()) for each in recording.exchanges
        ]


OCTETS = some.binary(min_size=1, max_size=40) | some.binary(min_size=1400, max_size=3200)


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(Side), OCTETS), max_size=8))
def test_whatever_was_said_is_said_again(said: list[tuple[Side, bytes]]) -> None:
    frames = [Frame(side, octets, number * 1000, 0, len(octets)) for number, (side, octets) in enumerate(said)]
    [blank] = read("smtp 25\n=== connected\n<-  220 x\n")
    recording = complete(Recording(blank.session, (*blank.entries, *frames)), "x", MASKED)
    found = again(recording)
    assert streams(found) == streams(recording)
    assert found.exchanges == recording.exchanges


@given(some.binary(max_size=64))
def test_a_right_checksum_comes_to_nothing(octets: bytes) -> None:
    octets += bytes(len(octets) % 2)
    assert checksum(octets + checksum(octets)) == b"\0\0"


def test_tshark_sees_the_same_commands(tmp_path: Path) -> None:
    [smtp] = read(LOGIN)
    [pop3] = read(
        "pop3 110\n<-  +OK\n -> CAPA\n<-  +OK\n<-  UIDL\n<-  .\n -> QUIT\n<-  +OK\n*** closed by the client\n"
    )
    octets = written(smtp, pop3)
    fields = [
        "-T",
        "fields",
        "-e",
        "smtp.req.command",
        "-e",
        "smtp.response.code",
        "-e",
        "pop.request.command",
        "-e",
        "pop.response.indicator",
    ]
    seen = [line.replace("\t", "") for line in tshark(tmp_path, octets, "-Y", "smtp || pop", *fields)]
    assert sorted(each for each in seen if each.isalpha()) == ["AUTH", "CAPA", "EHLO", "MAIL", "QUIT", "QUIT"]
    assert {"220", "250", "235", "221", "+OK"} <= {word for each in seen for word in each.split(",")}


def test_tshark_finds_nothing_wrong_with_any_of_the_corpus(tmp_path: Path) -> None:
    found = [each for path in CORPUS for each in read(path.read_text(encoding="utf-8", errors="surrogateescape"))]
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    wrong = "tcp.analysis.flags || (tcp.checksum.status == 0 && frame.cap_len == frame.len) || ip.checksum.status == 0"
    assert tshark(tmp_path, written(*found), *checks, "-Y", wrong) == []


def test_tshark_follows_the_stream(tmp_path: Path) -> None:
    text = tshark(tmp_path, written(*read(LOGIN)), "-q", "-z", "follow,tcp,ascii,0")
    assert [line for line in text if line.endswith(("ESMTP", "me.example", "characters>", "welcome"))] == [
        "220 mail.example.org ESMTP",
        "EHLO me.example",
        "AUTH PLAIN <secret: PLAIN, user alice, password 6 characters>",
        "235 welcome",
    ]
