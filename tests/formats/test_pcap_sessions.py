"""What a capture tells of mail: who said what, what is missing, how it ended."""

import io
import re
import ssl
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailproxy.formats import pcap
from mailproxy.formats.error import FormatError
from mailproxy.formats.pcap_packet import Packet
from mailproxy.formats.tcp import ACK, SYN
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side
from mailproxy.model.session import Ending, How, Leg

from .capture import STARTED, Tape, cut, file, lines, recordings, told

CLIENT, SERVER = Side.CLIENT, Side.SERVER
GREETING = b"<220 mail.example.org ESMTP\r\n"
TALK = (GREETING, b"EHLO me.example\r\n", b"<250 mail.example.org\r\n", b"QUIT\r\n", b"<221 bye\r\n")
SAID = ["<-  220 mail.example.org ESMTP", " -> EHLO me.example", "<-  250 mail.example.org", " -> QUIT", "<-  221 bye"]
CONNECTED = "=== connected to 192.0.2.25"
SIX = "2001:db8::1", "2001:db8::25"
ETHERNET = b"\x02" * 12
COOKED = b"\0\0\0\1\0\6" + bytes(8)
COOKED_2 = bytes(6) + b"\0\1\0\1\0\6" + bytes(6)


def verbs(exchanges: tuple[Exchange, ...]) -> list[str]:
    return [f"{each.verb} {each.reply.code if each.reply else '-'}".strip() for each in exchanges]


def test_a_session_has_its_times_addresses_and_endings() -> None:
    tape = Tape().open().talk(*TALK).close(SERVER, CLIENT)
    [recording] = recordings(file(tape.packets))
    session = recording.session
    assert lines(recording) == [CONNECTED, *SAID, "*** closed by the server"]
    assert (session.started, session.duration, session.upstream) == (STARTED, 10_000, "smtp://192.0.2.25:25")
    assert session.client == Leg(
        CLIENT, "192.0.2.1", "192.0.2.1", 50000, "192.0.2.25", 25, 0, Ending(CLIENT, How.CLOSED, 10_000)
    )
    assert session.server == Leg(
        SERVER, "192.0.2.25", "192.0.2.25", 25, "192.0.2.1", 50000, 1000, Ending(SERVER, How.CLOSED, 8000)
    )
    assert [each.at for each in recording.exchanges] == [3000, 4000, 6000]


@pytest.mark.parametrize(
    ("link", "around", "four", "six"),
    [
        (1, ETHERNET, b"\x08\x00", b"\x86\xdd"),
        (1, ETHERNET + b"\x81\x00\x00\x07", b"\x08\x00", b"\x86\xdd"),
        (1, ETHERNET + b"\x88\xa8\x00\x07\x81\x00\x00\x08", b"\x08\x00", b"\x86\xdd"),
        (113, COOKED, b"\x08\x00", b"\x86\xdd"),
        (0, b"", b"\2\0\0\0", b"\x1e\0\0\0"),
        (0, b"", b"\0\0\0\2", b"\0\0\0\x0a"),
        (108, b"", b"\0\0\0\2", b"\0\0\0\x18"),
        (12, b"", b"", b""),
        (101, b"", b"", b""),
    ],
)
def test_every_link_carries_both_versions(link: int, around: bytes, four: bytes, six: bytes) -> None:
    old, new = Tape().open().talk(*TALK), Tape(client=SIX[0], server=SIX[1]).open().talk(*TALK)
    for tape, kind, address in ((old, four, "192.0.2.25"), (new, six, SIX[1])):
        [recording] = recordings(file(tape.packets, link, lambda packet, kind=kind: around + kind + packet))  # type: ignore[misc]
        assert lines(recording)[:-1] == [f"=== connected to {address}", *SAID]
        assert recording.session.server.address == address


def test_linux_cooked_of_version_2() -> None:
    octets = file(Tape().open().talk(*TALK).packets, 276, lambda packet: b"\x08\x00" + COOKED_2 + packet)
    assert lines(recordings(octets)[0])[1:-1] == SAID


def test_padding_of_short_frames_is_no_speech() -> None:
    octets = file(
        Tape().open().talk(*TALK).packets, 1, lambda packet: (ETHERNET + b"\x08\x00" + packet).ljust(60, b"\0")
    )
    assert lines(recordings(octets)[0])[1:-1] == SAID


def test_extension_headers_of_ipv6() -> None:
    def extended(packet: bytes) -> bytes:
        options = b"\x06\x00\x01\x04\x00\x00\x00\x00"
        length = int.from_bytes(packet[4:6]) + 8
        return packet[:4] + length.to_bytes(2) + b"\0" + packet[7:40] + options + packet[40:]

    octets = file(Tape(client=SIX[0], server=SIX[1]).open().talk(*TALK).packets, wrap=extended)
    assert lines(recordings(octets)[0])[1:-1] == SAID


def test_connections_side_by_side_are_sessions_of_their_own() -> None:
    first, second = Tape().open().talk(*TALK), Tape(110, near=50001).open().talk(b"<+OK hello\r\n", b"QUIT\r\n")
    packets = sorted([*first.packets, *second.packets], key=lambda packet: packet.at)
    smtp, pop3 = recordings(file(packets))
    assert (smtp.session.protocol, pop3.session.protocol) == ("smtp", "pop3")
    assert lines(pop3)[1:3] == ["<-  +OK hello", " -> QUIT"]


def test_the_same_ends_may_meet_again() -> None:
    tape = Tape().open().talk(*TALK).close(SERVER, CLIENT)
    later = [packet._replace(at=packet.at + 60_000_000) for packet in tape.packets]
    assert [lines(each)[1:6] for each in recordings(file([*tape.packets, *later]))] == [SAID, SAID]


def test_sessions_come_as_they_end_and_the_file_is_not_held() -> None:
    packets = [
        packet for near in range(50000, 50100) for packet in Tape(near=near).open().talk(*TALK).reset(SERVER).packets
    ]
    capture = io.BytesIO(file(packets))
    next(pcap.read(capture))
    assert capture.tell() < 2000 < len(capture.getvalue())


# Which are mail.


@pytest.mark.parametrize(
    ("port", "protocol"),
    [(25, "smtp"), (587, "smtp"), (2525, "smtp"), (24, "lmtp"), (110, "pop3"), (2110, "pop3"), (109, "pop2")],
)
def test_ports_tell_what_is_spoken(port: int, protocol: str) -> None:
    [recording] = recordings(file(Tape(port).open().talk(b"<hello\r\n").packets))
    assert recording.session.protocol == protocol


@pytest.mark.parametrize(
    ("said", "protocol"),
    [
        ((b"<220 x ESMTP\r\n", b"EHLO y\r\n"), "smtp"),
        ((b"<220 x LMTP\r\n", b"LHLO y\r\n"), "lmtp"),
        ((b"<2", b"<20-x\r\n"), "smtp"),
        ((b"<+OK\r\n", b"USER a\r\n"), "pop3"),
        ((b"<+ POP2 x\r\n", b"HELO a b\r\n"), "pop2"),
    ],
)
def test_a_greeting_tells_it_on_any_other_port(said: tuple[bytes, ...], protocol: str) -> None:
    [recording] = recordings(file(Tape(4711).open().talk(*said).packets))
    assert recording.session.protocol == protocol
    assert len(lines(recording)) == len(said) + (said[0] != b"<2") + 1


@pytest.mark.parametrize(
    "said",
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"<220 x\r\n"),
        (b"<* OK IMAP4rev1\r\n",),
        (b"<220 x FTP\r\n", b"USER anonymous\r\n"),
        (b"PING\r\n", b"<+OK\r\n"),
    ],
)
def test_what_is_no_mail_is_left_out(said: tuple[bytes, ...]) -> None:
    octets = file(Tape(4711).open().talk(*said).packets)
    with pytest.raises(FormatError, match=r"^test\.pcap: no mail in \d packets: "):
        recordings(octets)


def hello(name: str) -> bytes:
    """What a client that calls this name says first under TLS."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


@pytest.mark.parametrize(
    ("port", "before"), [(465, ()), (587, (*TALK[:3], b"STARTTLS\r\n", b"<220 go\r\n")), (995, ())]
)
def test_tls_stays_closed_and_its_beginning_tells_what_it_shows(port: int, before: tuple[bytes, ...]) -> None:
    said = hello("mail.example.org")
    halves = said[:100], said[100:]
    tape = Tape(port).open().talk(*before, *halves, b"<\x15\x03\x03\x00\x02\x02\x28").close(SERVER, CLIENT)
    shown = told(tape)[1 + len(before) :]
    assert f"=== {len(said)} octets of the client, not in clear" in shown
    assert "=== 7 octets of the server, not in clear" in shown
    assert any("mail.example.org" in line for line in shown)
    assert any("handshake_failure" in line for line in shown)


def test_tls_that_began_before_the_capture_is_counted() -> None:
    tape = Tape(995).open().talk(b"\x17\x03\x03\x00\x03abc", b"<\x17\x03\x03\x00\x03def").without(0, 1, 2)
    assert told(tape) == [
        "... the capture begins in the middle of the connection",
        "=== 8 octets of the client, not in clear",
        "=== 8 octets of the server, not in clear",
        "... the capture ends before the connection does",
    ]


# How they end.


def test_endings() -> None:
    def end(tape: Tape) -> list[str]:
        return told(tape)[1:]

    greeted = b"<220 hello\r\n"
    assert end(Tape().open().talk(greeted).close(CLIENT, SERVER))[1:] == ["*** closed by the client without QUIT"]
    assert end(Tape().open().talk(*TALK).close(CLIENT, SERVER))[5:] == ["*** closed by the client"]
    assert end(Tape().open().talk(greeted).reset(SERVER))[1:] == ["*** reset by the server"]
    assert end(Tape().open().talk(greeted).reset(CLIENT))[1:] == ["*** reset by the client"]
    assert end(Tape().open().talk(greeted))[1:] == ["... the capture ends before the connection does"]
    assert end(Tape().open().close(CLIENT).talk(greeted).close(SERVER)) == [
        "*** closed by the client without QUIT", "<-  220 hello", "=== closed by the server too",
    ]  # fmt: skip


def test_no_connection() -> None:
    refused, silent = Tape().send(CLIENT, SYN).reset(SERVER), Tape().send(CLIENT, SYN)
    assert told(refused) == ["*** connection refused"]
    assert told(silent) == ["*** connection timed out: no answer was captured"]
    [recording] = recordings(file(refused.packets))
    assert recording.session.server.connected is None
    assert recording.session.server.ending == Ending(SERVER, How.REFUSED, 1000)


def test_what_follows_an_end_is_no_session() -> None:
    tape = Tape().open().talk(*TALK).close(SERVER, CLIENT).talk(b"<220 late\r\n").reset(CLIENT)
    assert told(tape) == [CONNECTED, *SAID, "*** closed by the server"]


# What the network does.


def test_packets_come_twice_and_in_disorder() -> None:
    tape = Tape().open().talk(*TALK)
    for order in ([0, 1, 2, 4, 3, 5, 6, 7], [0, 1, 2, 3, 3, 5, 4, 7, 6], [0, 0, 1, 2, 3, 6, 5, 4, 6, 7]):
        shuffled = Tape()
        shuffled.packets = [tape.packets[number] for number in order]
        assert told(shuffled)[1:-1] == SAID, order


def test_a_keep_alive_says_nothing() -> None:
    tape = Tape().open().talk(*TALK[:3])
    probe = tape.packets[4]
    alive = Packet(probe.at + 9_000_000, probe.octets[:40], 40)
    [recording] = recordings(file([*tape.packets, alive]))
    assert lines(recording)[1:-1] == SAID[:3]


# What is missing.


def test_a_lost_reply_is_named() -> None:
    assert told(Tape().open().talk(*TALK).without(5))[2:5] == [
        " -> EHLO me.example", "... 22 octets of the server missing: not captured", " -> QUIT",
    ]  # fmt: skip


def test_a_lost_command_stands_before_its_reply() -> None:
    assert told(Tape().open().talk(*TALK).without(4))[1:] == [
        "<-  220 mail.example.org ESMTP",
        "... 17 octets of the client missing: not captured",
        "<-  250 mail.example.org",
        " -> QUIT",
        "<-  221 bye",
        "... the capture ends before the connection does",
    ]


def test_a_part_of_a_message_that_is_lost_counts_in_it() -> None:
    message = [b"Subject: x\r\n\r\n", b"a" * 70 + b"\r\n", b"b" * 70 + b"\r\n", b".\r\n"]
    said = [GREETING, b"DATA\r\n", b"<354 go\r\n", *message, b"<250 fine\r\n", b"QUIT\r\n"]
    [whole] = recordings(file(Tape().open().talk(*said).packets))
    [holed] = recordings(file(Tape().open().talk(*said).without(7).packets))
    assert [each.content and each.content.span for each in holed.exchanges] == [
        each.content and each.content.span for each in whole.exchanges
    ]
    assert "... 72 octets of the client missing: not captured" in lines(holed)
    assert verbs(holed.exchanges) == [" 220".strip(), "DATA 250", "QUIT -"]


@pytest.mark.parametrize("lost", [5, 6, 7])
@pytest.mark.parametrize("login", [b"AUTH LOGIN\r\n", b"AUTH PLAIN\r\n"])
def test_no_secret_shows_behind_what_is_missing(login: bytes, lost: int) -> None:
    tape = Tape().open().talk(
        GREETING, b"EHLO me\r\n", login, b"<334 VXNlcm5hbWU6\r\n", b"c2VjcmV0LW9uZQ==\r\n",
        b"<334 UGFzc3dvcmQ6\r\n", b"c2VjcmV0LXR3bw==\r\n", b"<235 welcome\r\n", b"MAIL FROM:<>\r\n", b"<250 ok\r\n",
    )  # fmt: skip
    said = told(tape.without(lost))
    assert not any("c2Vjcm" in line for line in said)
    assert said[-3:-1] == [" -> MAIL FROM:<>", "<-  250 ok"]


def test_the_rest_of_a_torn_password_does_not_show() -> None:
    tape = Tape(110).open().talk(b"<+OK\r\n", b"PASS sec", b"ret word\r\n", b"<+OK\r\n", b"STAT\r\n", b"<+OK 0 0\r\n")
    assert told(tape.without(4))[2:] == [
        "... 8 octets of the client missing: not captured",
        "<-  +OK",
        "... 10 octets of the client not kept: behind what is missing they may be a secret",
        " -> STAT",
        "<-  +OK 0 0",
        "... the capture ends before the connection does",
    ]


def test_a_capture_that_begins_in_the_middle() -> None:
    tape = Tape().open().talk(*TALK[:3], b"AUTH LOGIN\r\n", b"<334 x\r\n", b"c2VjcmV0\r\n", b"<235 ok\r\n", *TALK[3:])
    for first in range(3, 11):
        begun = (
            Tape().open().talk(*TALK[:3], b"AUTH LOGIN\r\n", b"<334 x\r\n", b"c2VjcmV0\r\n", b"<235 ok\r\n", *TALK[3:])
        )
        said = told(begun.without(*range(first)))
        assert said[0] == "... the capture begins in the middle of the connection"
        assert not any("c2Vj" in line for line in said)
        assert said[-3:-1] == [" -> QUIT", "<-  221 bye"], first
    assert told(tape)[-3:-1] == [" -> QUIT", "<-  221 bye"]


def test_a_limit_of_octets_a_packet_is_named() -> None:
    tape = Tape().open().talk(GREETING, b"DATA\r\n", b"<354 go\r\n", b"x" * 1000 + b"\r\n", b".\r\n", b"<250 fine\r\n")
    [recording] = recordings(file(cut(tape.packets, 96)))
    assert verbs(recording.exchanges)[1:] == ["DATA 250"]
    assert lines(recording)[4:7] == [
        " -> " + "x" * 56 + "\\",
        "... 946 octets of the client missing: not captured",
        "... 946 octets of the client left out",
    ]


def test_of_fragments_the_first_is_read() -> None:
    tape = Tape().open().talk(*TALK)
    old = tape.packets[4].octets
    first = old[:2] + (20 + 24).to_bytes(2) + old[4:6] + b"\x20\x00" + old[8:44]
    rest = old[:2] + (20 + len(old) - 44).to_bytes(2) + old[4:6] + b"\x00\x03" + old[8:20] + old[44:]
    tape.packets[4:5] = [Packet(tape.packets[4].at, each, len(each)) for each in (first, rest)]
    said = told(tape)
    assert "... an IP packet of the client came in fragments, of which only the first is read" in said
    assert "... 13 octets of the client missing: not captured" in said


def test_acknowledgements_of_what_never_was_said_are_no_loss() -> None:
    tape = Tape().open().talk(*TALK[:1])
    packet = tape.packets[2].octets
    wild = packet[:28] + (int.from_bytes(packet[28:32]) + (1 << 30) + 99 & 0xFFFFFFFF).to_bytes(4) + packet[32:]
    tape.packets.append(Packet(tape.packets[-1].at, wild, len(wild)))
    tape.send(CLIENT, ACK)
    assert told(tape)[1:] == [SAID[0], "... the capture ends before the connection does"]


HELLO = (GREETING, b"EHLO a\r\n", b"<250 AUTH PLAIN LOGIN\r\n")
SMTP_LOGIN = (*HELLO, b"AUTH LOGIN\r\n", b"<334 VXNlcm5hbWU6\r\n", b"c2VjcmV0LW9uZQ==\r\n", b"<334 UGFzc3dvcmQ6\r\n")
SMTP_PLAIN = (*HELLO, b"AUTH PLAIN\r\n", b"<334 \r\n", b"AGEAc2VjcmV0LXR3bw==\r\n", b"<535 no\r\n")
POP3_USER = (b"<+OK\r\n", b"USER a\r\n", b"<+OK\r\n", b"PASS c2Vj", b"cmV0\r\n", b"<-ERR\r\n")
LOGINS = (
    (25, (*SMTP_LOGIN, b"c2VjcmV0LXR3bw==\r\n", b"<235 fine\r\n", b"NOOP\r\n", b"<250 ok\r\n")),
    (587, (*SMTP_PLAIN, b"AUTH PLAIN c2VjcmV0LXR3bw==\r\n", b"<535 no\r\n", b"QUIT\r\n")),
    (110, (*POP3_USER, b"AUTH PLAIN\r\n", b"<+ \r\n", b"c2VjcmV0\r\n", b"<+OK\r\n", b"STAT\r\n", b"<+OK 0 0\r\n")),
)


@settings(max_examples=150, deadline=None)
@given(some.sampled_from(LOGINS), some.sets(some.integers(0, 15)), some.integers(40, 80))
def test_no_secret_shows_whatever_is_missing(login: tuple[int, tuple[bytes, ...]], lost: set[int], limit: int) -> None:
    port, said = login
    packets = cut(Tape(port).open().talk(*said).without(*lost).packets, limit)
    with suppress(FormatError):
        for recording in recordings(file(packets)):
            shown = "\n".join(lines(recording)) + str(recording)
            assert not re.search("c2Vj|cmV0|AGEA", shown), shown
