"""Handshakes of a real TLS library, overheard, and octets that are none."""

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.octets import Side
from mailproxy.wire.hello import Alert, Fact, Handshake

Said = list[tuple[Side, bytes]]
Cut = Callable[[bytes], Iterator[bytes]]
HOST = "mail.example.org"
CLIENT, SERVER = Side.CLIENT, Side.SERVER


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away certificate of HOST that nobody vouches for, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    request = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run([*request, "-keyout", path, "-out", path], check=True, capture_output=True)
    return path


def client_context(trusted: Path | None = None) -> ssl.SSLContext:
    """A client that trusts this certificate, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted:
        context.load_verify_locations(trusted)
    return context


def server_context(certificate: Path) -> ssl.SSLContext:
    """A server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Peer:
    """One end of a handshake, over buffers."""

    def __init__(self, context: ssl.SSLContext, name: str | None = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=name is None, server_hostname=name)
        self.over = False

    def step(self) -> bytes:
        """Go on with the handshake; what it says."""
        try:
            if not self.over:
                self.tls.do_handshake()
                self.over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.over = True
        return self.outgoing.read()


def converse(client: Peer, server: Peer) -> Said:
    """What both say, in turn, until neither has more to say."""
    said: Said = []
    while True:
        asked = client.step()
        server.incoming.write(asked)
        answered = server.step()
        client.incoming.write(answered)
        if not asked and not answered:
            return said
        said += [(side, octets) for side, octets in ((CLIENT, asked), (SERVER, answered)) if octets]


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def octet_by_octet(octets: bytes) -> Iterator[bytes]:
    yield from (octets[at : at + 1] for at in range(len(octets)))


def torn(octets: bytes) -> Iterator[bytes]:
    yield from (octets[at : at + 7] for at in range(0, len(octets), 7))


@pytest.fixture(params=[whole, octet_by_octet, torn])
def cut(request: pytest.FixtureRequest) -> Cut:
    """How the octets come in."""
    chosen: Cut = request.param
    return chosen


def hear(said: Said, cut: Cut = whole) -> list[Fact]:
    """All that is understood of it."""
    handshake = Handshake()
    return [fact for side, octets in said for piece in cut(octets) for fact in handshake.hear(side, piece)]


def overheard(said: Said, cut: Cut = whole) -> Handshake:
    """The handshake, once it has heard all that."""
    handshake = Handshake()
    for side, octets in said:
        for piece in cut(octets):
            handshake.hear(side, piece)
    return handshake


def texts(said: Said, cut: Cut = whole) -> list[str]:
    """The same as lines, marked as in a transcript."""
    return [f"{'***' if fact.trouble else '==='} {fact.text}" for fact in hear(said, cut)]


def test_both_hellos_of_tls_1_3(certificate: Path, cut: Cut) -> None:
    said = converse(Peer(client_context(certificate), HOST), Peer(server_context(certificate)))
    assert texts(said, cut) == [
        "=== TLS passes through: the client offers TLSv1.3, TLSv1.2 for mail.example.org",
        "=== TLS passes through: the server chose TLSv1.3, TLS_AES_256_GCM_SHA384",
    ]


def test_the_same_as_values(certificate: Path) -> None:
    client = client_context(certificate)
    client.set_alpn_protocols(["smtp", "lmtp"])
    handshake = overheard(converse(Peer(client, HOST), Peer(server_context(certificate))))
    hello, server = handshake.client, handshake.server
    assert hello
    assert hello[:3] == (("TLSv1.3", "TLSv1.2"), HOST, ("smtp", "lmtp"))
    assert "TLS_AES_256_GCM_SHA384" in hello.ciphers
    assert {"server_name", "supported_groups", "key_share"} <= set(hello.extensions)
    assert server
    assert server[:2] == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert server.group in hello.groups


def test_the_facts_hold_the_same_values(certificate: Path) -> None:
    said = converse(Peer(client_context(certificate), HOST), Peer(server_context(certificate)))
    handshake = overheard(said)
    assert [fact.heard for fact in hear(said)] == [handshake.client, handshake.server]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("curve", "group"), [("prime256v1", "secp256r1"), ("secp521r1", "secp521r1")])
def test_the_group_of_the_key_exchange(
    certificate: Path, version: ssl.TLSVersion, curve: str, group: str, cut: Cut
) -> None:
    client, server = client_context(certificate), server_context(certificate)
    client.maximum_version = version
    server.set_ecdh_curve(curve)  # in TLSv1.3 the client has to send another key
    handshake = overheard(converse(Peer(client, HOST), Peer(server)), cut)
    assert handshake.group == group


def test_the_protocol_that_was_agreed_on(certificate: Path) -> None:
    client, server = client_context(certificate), server_context(certificate)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_alpn_protocols(["smtp"])
    server.set_alpn_protocols(["lmtp", "smtp"])
    hello = overheard(converse(Peer(client, HOST), Peer(server))).server
    assert hello
    assert hello.alpn == "smtp"


def test_both_hellos_of_tls_1_2(certificate: Path, cut: Cut) -> None:
    client = client_context(certificate)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert texts(converse(Peer(client, HOST), Peer(server_context(certificate))), cut) == [
        "=== TLS passes through: the client offers TLSv1.2 for mail.example.org",
        "=== TLS passes through: the server chose TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_knows_no_such_authority(certificate: Path, version: ssl.TLSVersion, cut: Cut) -> None:
    client = client_context()
    client.maximum_version = version
    said = converse(Peer(client, HOST), Peer(server_context(certificate)))
    assert texts(said, cut)[2:] == ["*** TLS failed: alert unknown_ca from the client"]
    assert hear(said)[-1].heard == Alert(CLIENT, True, "unknown_ca")


def test_an_alert_under_encryption_is_known_by_its_length(certificate: Path, cut: Cut) -> None:
    said = converse(Peer(client_context(certificate), HOST), Peer(server_context(certificate)))
    refused = [*said[:2], (CLIENT, record(20, b"\x01") + record(23, bytes(19)))]
    assert texts(refused, cut)[2:] == ["*** TLS failed: an encrypted alert from the client before it had finished"]
    finished = [*said[:2], (CLIENT, record(20, b"\x01") + record(23, bytes(69)) + record(23, bytes(19)))]
    assert texts(finished, cut)[2:] == []


def test_a_server_that_will_not_go_so_low(certificate: Path, cut: Cut) -> None:
    client, server = client_context(certificate), server_context(certificate)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    assert texts(converse(Peer(client, HOST), Peer(server)), cut) == [
        "=== TLS passes through: the client offers TLSv1.2 for mail.example.org",
        "*** TLS failed: alert protocol_version from the server",
    ]


def test_no_cipher_in_common(certificate: Path) -> None:
    client, server = client_context(certificate), server_context(certificate)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    server.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    said = converse(Peer(client, HOST), Peer(server))
    assert texts(said)[1:] == ["*** TLS failed: alert handshake_failure from the server"]


def test_a_server_that_asks_for_another_key_is_heard_once(certificate: Path, cut: Cut) -> None:
    server = server_context(certificate)
    server.set_ecdh_curve("secp384r1")  # OpenSSL's client sends a key of another group first
    said = converse(Peer(client_context(certificate), HOST), Peer(server))
    assert [side for side, _ in said][:4] == [CLIENT, SERVER, CLIENT, SERVER]
    assert len(texts(said, cut)) == 2


def record(kind: int, octets: bytes) -> bytes:
    """One record of TLS."""
    return bytes([kind, 3, 1]) + len(octets).to_bytes(2) + octets


def message(kind: int, body: bytes) -> bytes:
    """One handshake message."""
    return bytes([kind]) + len(body).to_bytes(3) + body


def client_hello(extensions: bytes) -> bytes:
    """A hello of TLSv1.2 with these extensions."""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + len(extensions).to_bytes(2) + extensions
    return message(1, body)


def server_hello(cipher: int) -> bytes:
    """A hello of TLSv1.2 that chooses this cipher."""
    return message(2, b"\x03\x03" + bytes(32) + b"\0" + cipher.to_bytes(2) + b"\0")


def server_name(name: bytes) -> bytes:
    """The extension that names the host (RFC 6066 section 3)."""
    names = b"\0" + len(name).to_bytes(2) + name
    return b"\0\0" + (len(names) + 2).to_bytes(2) + len(names).to_bytes(2) + names


def test_a_name_that_would_harm_a_terminal_is_escaped() -> None:
    hello = record(22, client_hello(server_name(b"a\0\x1b[2J.example")))
    assert texts([(CLIENT, hello)]) == ["=== TLS passes through: the client offers TLSv1.2 for a\\x00\\x1b[2J.example"]


def test_no_name_at_all() -> None:
    assert texts([(CLIENT, record(22, client_hello(b"")))]) == [
        "=== TLS passes through: the client offers TLSv1.2 and names no host"
    ]


def test_a_long_hello_comes_in_many_records(cut: Cut) -> None:
    hello = client_hello(server_name(HOST.encode()) + b"\0\x15\xf0\0" + bytes(0xF000))
    said = [(CLIENT, b"".join(record(22, hello[at : at + 4000]) for at in range(0, len(hello), 4000)))]
    assert texts(said, cut) == ["=== TLS passes through: the client offers TLSv1.2 for mail.example.org"]


def test_the_longest_hello_there_may_be(cut: Cut) -> None:
    room = 0x10000 - 4 - len(client_hello(b"\0\x15" + b"\0\0"))
    hello = client_hello(b"\0\x15" + room.to_bytes(2) + bytes(room))
    said = [(CLIENT, b"".join(record(22, hello[at : at + 0x4000]) for at in range(0, len(hello), 0x4000)))]
    assert texts(said, cut) == ["=== TLS passes through: the client offers TLSv1.2 and names no host"]


def test_a_key_exchange_behind_a_long_chain(cut: Cut) -> None:
    messages = server_hello(0xC02F) + message(11, bytes(200_000)) + message(12, b"\x03\0\x1d" + bytes(99))
    said = [(SERVER, b"".join(record(22, messages[at : at + 0x4000]) for at in range(0, len(messages), 0x4000)))]
    assert overheard(said, cut).group == "x25519"
    assert len(texts(said, cut)) == 1


@pytest.mark.parametrize(
    ("cipher", "exchange", "group"),
    [
        (0xC02F, b"\x03\0\x17", "secp256r1"),
        (0xC02F, b"\x03\x7f\x7f", "0x7f7f"),
        (0xC02F, b"\x01\0\x17", ""),
        (0xC02F, b"\x03", ""),
        (0x009E, b"\x01\0" + b"\xff" + bytes(255), "DH 2048"),
        (0x009E, b"\x03\0" + b"\x0f" + bytes(767), "DH 6140"),
        (0x009E, b"", ""),
        (0x009C, b"\x03\0\x17", ""),
    ],
)
def test_what_a_key_exchange_of_old_tells(cipher: int, exchange: bytes, group: str) -> None:
    said = [(SERVER, record(22, server_hello(cipher) + message(12, exchange)))]
    assert overheard(said).group == group


def test_of_the_alerts_the_first_are_kept() -> None:
    heard = overheard([(SERVER, record(21, b"\x01\x5a")), (CLIENT, record(21, b"\x02\x30"))] * 20)
    assert heard.alerts == [Alert(SERVER, False, "user_canceled"), Alert(CLIENT, True, "unknown_ca")] * 8
    assert (heard.client, heard.server, heard.group) == (None, None, "")


def test_a_hello_beyond_all_bounds_is_given_up() -> None:
    begun = record(22, b"\x01\x01\x00\x01")
    assert texts([(CLIENT, begun), (CLIENT, record(22, client_hello(b"")))]) == []


@pytest.mark.parametrize(
    ("level", "number", "line"),
    [
        (1, 0, "=== TLS ended: alert close_notify from the server"),
        (1, 112, "=== TLS warning: alert unrecognized_name from the server"),
        (2, 112, "*** TLS failed: alert unrecognized_name from the server"),
        (2, 42, "*** TLS failed: alert bad_certificate from the server"),
        (2, 99, "*** TLS failed: alert number 99 from the server"),
    ],
)
def test_an_alert_in_clear(level: int, number: int, line: str) -> None:
    assert texts([(SERVER, record(21, bytes([level, number])))]) == [line]


def test_octets_under_encryption_are_not_taken_for_an_alert() -> None:
    assert texts([(CLIENT, record(20, b"\x01") + record(21, b"\x02\x30"))]) == []


def test_a_mail_dialogue_is_no_handshake() -> None:
    assert texts([(CLIENT, b"EHLO client.example.org\r\n"), (CLIENT, record(22, client_hello(b"")))]) == []


sides = st.sampled_from(Side)
garbage = st.binary(max_size=400)
records = st.builds(record, st.integers(20, 23), garbage)
hellos = st.builds(lambda octets: record(22, client_hello(octets)), garbage)
broken = st.builds(
    lambda kind, octets: record(22, bytes([kind, 0, 0, len(octets) % 256]) + octets),
    sides.map(lambda side: 1 if side is CLIENT else 2),
    garbage,
)
key_exchanges = st.builds(
    lambda cipher, octets: record(22, server_hello(cipher) + message(12, octets)),
    st.sampled_from([0xC02F, 0xC02B, 0x009E, 0xC018, 0x1301]),
    garbage,
)


@given(st.lists(st.tuples(sides, garbage | records | hellos | broken | key_exchanges), max_size=8), st.integers(1, 50))
def test_any_octets_in_any_pieces(said: Said, size: int) -> None:
    def pieces(octets: bytes) -> Iterator[bytes]:
        yield from (octets[at : at + size] for at in range(0, len(octets), size))

    assert texts(said, pieces) == texts(said)
    assert overheard(said, pieces).group == overheard(said).group
    assert all(text.isprintable() for text in texts(said))


@given(st.lists(st.tuples(sides, garbage | records | broken | key_exchanges)))
def test_little_is_kept_of_whatever_comes(said: Said) -> None:
    handshake = Handshake()
    for side, octets in said * 20:
        handshake.hear(side, octets)
    assert all(len(ear._octets) + len(ear._messages) < 100_000 for ear in handshake._ears.values())
