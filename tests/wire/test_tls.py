"""TLS in memory, against Python's ssl, against itself and against what is no TLS at all."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as some
from OpenSSL import SSL

from mailproxy.model.octets import Side
from mailproxy.wire.tls import KEPT
from tests.whole import need

from .pair import HOST, Ours, Theirs, authority, client, indifferent, server, talk

CLIENT, SERVER = Side.CLIENT, Side.SERVER
versions = pytest.mark.parametrize("version", ["1.2", "1.3"])
sizes = pytest.mark.parametrize("size", [0, 1, 7, 1000])
both = pytest.mark.parametrize("peer", Side)
MEGABYTE = bytes(range(256)) * 4096
FATAL_HANDSHAKE_FAILURE = b"\x15\x03\x01\x00\x02\x02\x28"


def pair(peer: Side, version: str = "") -> tuple[Ours, Theirs]:
    """Our end before this peer, and the peer."""
    if peer is CLIENT:
        return Ours(CLIENT, server(version)), Theirs(CLIENT, client(version))
    return Ours(SERVER, indifferent(version), HOST), Theirs(SERVER, server(version))


def opened(peer: Side, version: str = "") -> tuple[Ours, Theirs]:
    ours, theirs = pair(peer, version)
    talk(ours, theirs)
    assert ours.tls.open
    assert theirs.open
    return ours, theirs


@versions
@both
@sizes
def test_a_handshake_however_it_is_cut(peer: Side, version: str, size: int) -> None:
    ours, theirs = pair(peer, version)
    talk(ours, theirs, size)
    ours.say(b"220 x\r\n")
    theirs.say(b"EHLO x\r\n")
    talk(ours, theirs, size)
    assert (theirs.heard, ours.heard) == (b"220 x\r\n", b"EHLO x\r\n")
    assert (ours.tls.version, ours.tls.failure) == (f"TLSv{version}", "")
    assert theirs.ssl.cipher() is not None
    assert ours.tls.cipher
    assert ours.tls.hello is not None
    assert ours.tls.hello.name == HOST
    assert ours.tls.group


@versions
@sizes
def test_both_ends_ours(version: str, size: int) -> None:
    at_client, at_server = Ours(SERVER, indifferent(version)), Ours(CLIENT, server(version))
    at_client.say(b"EHLO x\r\n")
    at_server.say(b"220 x\r\n")
    talk(at_client, at_server, size)
    at_client.end()
    at_server.end()
    talk(at_client, at_server, size)
    assert (at_client.heard, at_server.heard) == (b"220 x\r\n", b"EHLO x\r\n")
    for end in (at_client.tls, at_server.tls):
        assert (end.open, end.ended, end.failure) == (True, True, "")
    assert at_client.tls.cipher == at_server.tls.cipher
    assert at_client.tls.chain()[0]
    assert at_server.tls.chain() == []


@versions
@both
def test_what_was_said_too_early_goes_with_the_last_flight(peer: Side, version: str) -> None:
    ours, theirs = pair(peer, version)
    ours.say(b"first ")
    ours.say(b"second")
    ours.end()
    ours.say(b"never")
    talk(ours, theirs)
    assert (theirs.heard, theirs.ended, theirs.trouble) == (b"first second", True, "")


@both
def test_plaintext_right_behind_the_peers_last_flight(peer: Side) -> None:
    ours, theirs = pair(peer, "1.2" if peer is SERVER else "1.3")
    flights = 0
    while not theirs.open and flights < 6:
        theirs.receive(ours.outgoing())
        if not theirs.open:
            ours.receive(theirs.outgoing())
        flights += 1
    theirs.say(b"at once")
    theirs.end()
    ours.receive(theirs.outgoing())
    assert (ours.tls.open, ours.heard, ours.tls.ended, ours.tls.failure) == (True, b"at once", True, "")


@versions
@both
@sizes
def test_a_megabyte_each_way(peer: Side, version: str, size: int) -> None:
    ours, theirs = opened(peer, version)
    octets = MEGABYTE if size != 1 else MEGABYTE[:20_000]
    ours.say(octets)
    theirs.say(octets)
    talk(ours, theirs, size)
    assert theirs.heard == octets
    assert ours.heard == octets


# Alerts: which, and from whom; and the peer has got ours.


def required(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    return context


def ciphers(context: ssl.SSLContext, names: str) -> ssl.SSLContext:
    context.set_ciphers(names)
    return context


Ends = Callable[[], tuple[Ours, Theirs]]
ALERTS: dict[str, tuple[Ends, str, str]] = {
    "unknown issuer, 1.2": (
        lambda: (Ours(CLIENT, server("1.2")), Theirs(CLIENT, client("1.2", trusts=False))),
        "alert unknown_ca from the client",
        "CERTIFICATE_VERIFY_FAILED",
    ),
    "unknown issuer, 1.3": (
        lambda: (Ours(CLIENT, server("1.3")), Theirs(CLIENT, client("1.3", trusts=False))),
        "alert unknown_ca from the client",
        "CERTIFICATE_VERIFY_FAILED",
    ),
    "another name": (
        lambda: (Ours(CLIENT, server("1.3", "other.example.org")), Theirs(CLIENT, client("1.3"))),
        "alert bad_certificate from the client",
        "CERTIFICATE_VERIFY_FAILED",
    ),
    "a client that is too old": (
        lambda: (Ours(CLIENT, server("1.3")), Theirs(CLIENT, client("1.2"))),
        "alert protocol_version from mailproxy: unsupported protocol",
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ),
    "a client that is too new": (
        lambda: (Ours(CLIENT, server("1.2")), Theirs(CLIENT, client("1.3"))),
        "alert protocol_version from mailproxy: unsupported protocol",
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ),
    "a server that is too old": (
        lambda: (Ours(SERVER, indifferent("1.3")), Theirs(SERVER, server("1.2"))),
        "alert protocol_version from the server",
        "UNSUPPORTED_PROTOCOL",
    ),
    "a server that is too new": (
        lambda: (Ours(SERVER, indifferent("1.2")), Theirs(SERVER, server("1.3"))),
        "alert protocol_version from the server",
        "UNSUPPORTED_PROTOCOL",
    ),
    "no cipher that the client has": (
        lambda: (
            Ours(CLIENT, ciphers(server("1.2"), "ECDHE+AESGCM")),
            Theirs(CLIENT, ciphers(client("1.2"), "ECDHE+CHACHA20")),
        ),
        "alert handshake_failure from mailproxy: no shared cipher",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    ),
    "no cipher that the server has": (
        lambda: (
            Ours(SERVER, ciphers(indifferent("1.2"), "ECDHE+AESGCM")),
            Theirs(SERVER, ciphers(server("1.2"), "ECDHE+CHACHA20")),
        ),
        "alert handshake_failure from the server",
        "NO_SHARED_CIPHER",
    ),
    "a server that wants a certificate, 1.2": (
        lambda: (Ours(SERVER, indifferent("1.2")), Theirs(SERVER, required(server("1.2")))),
        "alert handshake_failure from the server",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    ),
    "a server that wants a certificate, 1.3": (
        lambda: (Ours(SERVER, indifferent("1.3")), Theirs(SERVER, required(server("1.3")))),
        "alert certificate_required from the server",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    ),
}


@pytest.mark.parametrize("what", ALERTS)
@sizes
def test_an_alert_is_told_and_reaches_the_peer(what: str, size: int) -> None:
    make, failure, trouble = ALERTS[what]
    ours, theirs = make()
    talk(ours, theirs, size)
    assert (ours.tls.failure, theirs.trouble) == (failure, trouble)
    by_us = "from mailproxy" in failure
    assert ours.tls.by is (ours.tls.peer.other if by_us else ours.tls.peer)
    assert failure.split()[1] == ours.tls.alert
    assert ours.tls.alert_number is not None


def test_a_certificate_is_asked_for_once_the_handshake_is_over() -> None:
    """With TLS 1.3 a client knows only later: it is open, and then fails."""
    ours, theirs = Ours(SERVER, indifferent("1.3")), Theirs(SERVER, required(server("1.3")))
    theirs.receive(ours.outgoing())
    ours.receive(theirs.outgoing())
    assert (ours.tls.open, ours.tls.failure) == (True, "")
    theirs.receive(ours.outgoing())
    ours.receive(theirs.outgoing())
    assert ours.tls.failure == "alert certificate_required from the server"


def test_an_alert_in_the_place_of_a_hello() -> None:
    ours = Ours(CLIENT, server())
    ours.receive(FATAL_HANDSHAKE_FAILURE)
    assert (ours.tls.failure, ours.tls.by) == ("alert handshake_failure from the client", CLIENT)


def test_an_alert_that_nobody_has_registered() -> None:
    ours = Ours(SERVER, indifferent())
    ours.receive(b"\x15\x03\x03\x00\x02\x02\xc8")
    assert (ours.tls.failure, ours.tls.alert_number) == ("alert number 200 from the server", None)


# Endings.


@versions
@both
@sizes
def test_the_peer_ends_and_still_listens(peer: Side, version: str, size: int) -> None:
    ours, theirs = opened(peer, version)
    theirs.say(b"the last word")
    theirs.end()
    talk(ours, theirs, size)
    assert (ours.heard, ours.tls.ended, ours.tls.failure) == (b"the last word", True, "")
    octets = MEGABYTE[:20_000]
    ours.say(octets)
    ours.end()
    talk(ours, theirs, size)
    assert (theirs.heard == octets, theirs.ended, theirs.trouble) == (True, True, "")


@versions
@both
@sizes
def test_we_end_and_still_listen(peer: Side, version: str, size: int) -> None:
    ours, theirs = opened(peer, version)
    ours.say(b"the last word")
    ours.end()
    ours.end()
    ours.say(b"never")
    talk(ours, theirs, size)
    assert (theirs.heard, theirs.ended, theirs.trouble) == (b"the last word", True, "")
    octets = MEGABYTE[:20_000]
    theirs.say(octets)
    theirs.end()
    talk(ours, theirs, size)
    assert (ours.heard == octets, ours.tls.ended, ours.tls.failure) == (True, True, "")


@versions
@both
def test_the_connection_ends_without_a_word(peer: Side, version: str) -> None:
    ours, _ = opened(peer, version)
    ours.tls.eof()
    assert (ours.tls.ended, ours.tls.failure) == (False, "")


def test_the_connection_ends_before_the_handshake() -> None:
    ours = Ours(CLIENT, server())
    ours.tls.eof()
    assert (ours.tls.failure, ours.tls.by) == ("closed before the handshake", CLIENT)


@versions
def test_the_connection_ends_in_the_middle_of_the_handshake(version: str) -> None:
    ours, theirs = pair(CLIENT, version)
    ours.receive(theirs.outgoing())
    ours.tls.eof()
    assert (ours.tls.failure, ours.tls.by) == ("closed in the middle of the handshake", CLIENT)


def test_a_server_that_hangs_up_has_had_our_hello() -> None:
    ours = Ours(SERVER, indifferent())
    ours.tls.eof()
    assert (ours.tls.failure, ours.tls.by) == ("closed in the middle of the handshake", SERVER)


def test_close_notify_in_the_place_of_a_hello() -> None:
    ours = Ours(SERVER, indifferent())
    ours.receive(b"\x15\x03\x01\x00\x02\x01\x00")
    assert ours.tls.failure == "ended with close_notify in the middle of the handshake"
    assert ours.tls.by is SERVER


# What is no TLS.


@both
@pytest.mark.parametrize("octets", [b"EHLO x\r\n", b"220 x ESMTP\r\n", b"\x80\x2e\x01\x03", b"GET / HTTP/1.1\r\n"])
def test_who_speaks_in_clear_is_heard(peer: Side, octets: bytes) -> None:
    ours, _ = pair(peer)
    ours.outgoing()
    ours.receive(octets)
    ours.receive(b"more")
    assert (ours.tls.clear, ours.tls.failure, ours.tls.by) == (octets, "it speaks in clear", peer)
    assert ours.outgoing() == b""


def test_of_clear_text_not_all_is_kept() -> None:
    ours, _ = pair(CLIENT)
    ours.receive(b"x" * 100_000)
    assert ours.tls.clear == b"x" * KEPT


@both
@pytest.mark.parametrize("first", [20, 21, 22, 23])
def test_garbage_that_begins_like_tls(peer: Side, first: int) -> None:
    ours, _ = pair(peer)
    ours.receive(bytes([first]) + b"garbage and more of it, for the length may be anything" * 2000)
    assert ours.tls.failure
    assert not ours.tls.open


@versions
@both
def test_garbage_behind_the_handshake(peer: Side, version: str) -> None:
    ours, theirs = opened(peer, version)
    theirs.say(b"good")
    ours.receive(theirs.outgoing() + b"garbage")
    assert (ours.heard, ours.tls.failure) == (b"good", "wrong version number")
    theirs.receive(ours.outgoing())
    assert "ALERT" in theirs.trouble


@both
def test_nothing_is_nothing(peer: Side) -> None:
    ours, theirs = pair(peer)
    ours.receive(b"")
    ours.say(b"")
    assert not ours.tls.peer_spoke
    talk(ours, theirs)
    ours.receive(b"")
    ours.say(b"")
    assert ours.outgoing() == b""
    assert (ours.tls.open, ours.tls.failure) == (True, "")


@both
def test_a_reason_of_our_own_is_the_first_and_the_last(peer: Side) -> None:
    ours, theirs = pair(peer)
    ours.tls.give_up("nothing was said within 60 s")
    talk(ours, theirs)
    ours.tls.eof()
    assert (ours.tls.failure, ours.tls.open) == ("nothing was said within 60 s", False)


@pytest.mark.parametrize("name", [".example.org", "a" * 64 + ".example.org", "a..example.org"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Ours(SERVER, indifferent(), name)


class Renegotiating:
    """A server, in OpenSSL's own terms, that wants another handshake (RFC 5246 section 7.4.1.1)."""

    def __init__(self) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        leaf = authority().issue_cert(HOST)
        context.use_privatekey(load_pem_private_key(leaf.private_key_pem.bytes(), None))  # type: ignore[arg-type]
        context.use_certificate(x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()))
        self.ssl = SSL.Connection(context, None)
        self.ssl.set_accept_state()
        self.heard = b""

    def receive(self, octets: bytes) -> None:
        self.ssl.bio_write(octets)
        with suppress(SSL.WantReadError, SSL.ZeroReturnError):
            if not self.ssl.total_renegotiations():
                self.ssl.do_handshake()
            while True:
                self.heard += self.ssl.recv(65_536)

    def outgoing(self) -> bytes:
        with suppress(SSL.WantReadError):
            return self.ssl.bio_read(1 << 20)
        return b""


@sizes
def test_a_server_that_wants_another_handshake(size: int) -> None:
    """What is to be sent meanwhile is sent behind it."""
    ours, theirs = Ours(SERVER, indifferent("1.2")), Renegotiating()
    talk(ours, theirs, size)
    assert ours.tls.open
    assert theirs.ssl.renegotiate()
    theirs.ssl.do_handshake()
    ours.receive(theirs.outgoing())
    ours.say(b"in the middle ")
    ours.say(b"of it")
    talk(ours, theirs, size)
    ours.say(b", and behind")
    ours.end()
    talk(ours, theirs, size)
    assert (ours.tls.failure, theirs.heard) == ("", b"in the middle of it, and behind")
    assert theirs.ssl.total_renegotiations() == 1


def test_a_key_update() -> None:
    """TLS 1.3 (RFC 8446 section 4.6.3): openssl wants new keys, and gets them with what is said next."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with authority().issue_cert(HOST).private_key_and_cert_chain_pem.tempfile() as chain:
        command = [need.program("openssl"), "s_server", "-tls1_3", "-num_tickets", "0", "-naccept", "1", "-cert", chain]
        process = subprocess.Popen(
            [*command, "-accept", f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        patience = threading.Timer(30, process.kill)
        patience.start()
        try:
            with_new_keys(process, port)
        finally:
            patience.cancel()
            process.kill()
            process.communicate()


def with_new_keys(process: subprocess.Popen[bytes], port: int) -> None:
    assert process.stdout is not None
    assert process.stdin is not None
    assert any(b"ACCEPT" in line for line in process.stdout)
    ours = Ours(SERVER, indifferent("1.3"))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        while not ours.tls.open:
            sock.sendall(ours.outgoing())
            ours.receive(sock.recv(65_536))
        sock.sendall(ours.outgoing())
        assert any(b"CIPHER is" in line for line in process.stdout)
        process.stdin.write(b"K\n")
        process.stdin.flush()
        ours.receive(sock.recv(65_536))
        process.stdin.write(b"behind\n")
        process.stdin.flush()
        while not ours.heard:
            ours.receive(sock.recv(65_536))
        ours.say(b"and we\n")
        ours.end()
        sock.sendall(ours.outgoing())
        assert any(b"and we" in line for line in process.stdout)
    assert (ours.heard, ours.tls.failure) == (b"behind\n", "")


moments = some.integers(0, 12)


@settings(max_examples=300)
@given(some.sampled_from(Side), some.sampled_from(["1.2", "1.3"]), moments, some.integers(0, 5000), some.data())
def test_any_octets_at_any_point_raise_nothing(peer: Side, version: str, when: int, where: int, data: object) -> None:
    """The peer's octets, but for some that are put among them, or in their place."""
    assert isinstance(data, some.DataObject)
    ours, theirs = pair(peer, version)
    put = data.draw(some.binary(min_size=1, max_size=40))
    for step in range(8):
        theirs.receive(ours.outgoing())
        octets = theirs.outgoing()
        if step == when % 4:
            at = where % (len(octets) + 1)
            rest = octets[at + len(put) :] if when > 6 else octets[at:]
            octets = octets[:at] + put + rest
        for at in range(0, len(octets), 900):
            ours.receive(octets[at : at + 900])
        if theirs.open and step == 4 and not (theirs.ended or theirs.trouble):
            theirs.say(b"said")
            theirs.end()
        if step == 3:
            ours.say(b"said")
    ours.end()
    ours.tls.eof()
    assert (ours.tls.version, ours.tls.cipher, ours.tls.alpn, ours.tls.group) is not None
    assert isinstance(ours.tls.chain(), list)


@given(some.sampled_from(Side), some.lists(some.binary(max_size=60), max_size=8))
def test_octets_of_nobody_raise_nothing(peer: Side, octets: list[bytes]) -> None:
    ours, _ = pair(peer)
    for each in octets:
        ours.receive(b"\x16\x03\x01" + each if len(each) % 2 else each)
    ours.tls.eof()
    assert ours.tls.failure
    assert ours.tls.chain() == []
