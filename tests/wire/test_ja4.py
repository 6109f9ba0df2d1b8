"""Hellos made by hand whose fingerprints are published, and real ones beside what their own program tells of them."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import pytest

from mailproxy.model.octets import Side
from mailproxy.wire.hello import ClientHello, Handshake
from mailproxy.wire.hello_parse import grease
from tests.whole.need import missing, program

LIMIT: Final = 30  # seconds
GREASE: Final = [value << 12 | 0xA00 | value << 4 | 0x0A for value in range(16)]  # RFC 8701 section 2
# What Chrome sends, in its order.
CIPHERS: Final = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
SIGNATURES: Final = "0403 0804 0401 0503 0805 0501 0806 0601"
OLDER: Final = "001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b 000a 0015"
NEWER: Final = "002d 0033 0010 fe0d 0017 44cd 0000 000b 000a 002b ff01 0023 0012 0005 000d 001b"


def numbers(text: str) -> list[int]:
    return [int(number, 16) for number in text.split()]


def octets(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(2) for value in values)


def vector(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width) + body


def heard(
    ciphers: Sequence[int],
    extensions: Sequence[int],
    signatures: Sequence[int] = (),
    versions: Sequence[int] = (0x0304, 0x0303),
    alpn: Sequence[bytes] = (b"h2", b"http/1.1"),
    legacy: int = 0x0303,
) -> ClientHello:
    """What is heard of a hello with these numbers in this order."""
    bodies = {
        0: vector(2, b"\0" + vector(2, b"mail.example.org")),
        13: vector(2, octets(signatures)),
        16: vector(2, b"".join(vector(1, protocol) for protocol in alpn)),
        43: vector(1, octets(versions)),
    }
    offered = b"".join(octets([number]) + vector(2, bodies.get(number, b"")) for number in extensions)
    body = octets([legacy]) + bytes(33) + vector(2, octets(ciphers)) + b"\x01\0" + vector(2, offered)
    handshake = Handshake()
    handshake.hear(Side.CLIENT, b"\x16\x03\x01" + vector(2, b"\x01" + vector(3, body)))
    assert handshake.client
    return handshake.client


@pytest.mark.parametrize(
    ("extensions", "fingerprint"),
    [(OLDER, "t13d1516h2_8daaf6152771_e5627efa2ab1"), (NEWER, "t13d1516h2_8daaf6152771_d8a2da3f94cd")],
)
def test_fingerprints_that_are_published(extensions: str, fingerprint: str) -> None:
    assert heard(numbers(CIPHERS), numbers(extensions), numbers(SIGNATURES)).fingerprint == fingerprint


def test_grease_counts_nowhere() -> None:
    ciphers, extensions, signatures = (GREASE + numbers(each) + GREASE for each in (CIPHERS, OLDER, SIGNATURES))
    hello = heard(ciphers, extensions, signatures, versions=[*GREASE, 0x0304, 0x0303])
    assert hello == heard(numbers(CIPHERS), numbers(OLDER), numbers(SIGNATURES))
    assert [hello.versions, len(hello.ciphers), len(hello.extensions)] == [("TLSv1.3", "TLSv1.2"), 15, 16]


def test_what_is_grease() -> None:
    assert [number for number in range(0x10000) if grease(number)] == GREASE


@pytest.mark.parametrize(
    ("alpn", "ends"),
    [
        ([], "00"),
        ([b""], "00"),
        ([b"smtp", b"h2"], "sp"),
        ([b"q"], "qq"),
        ([b"\xab"], "ab"),
        ([b"\xab\xcd"], "ad"),
        ([b"0\xab"], "3b"),
        ([b"01\xab\xcd"], "3d"),
        ([b"0\xab\xcd1"], "01"),
    ],
)
def test_the_ends_of_the_first_protocol(alpn: list[bytes], ends: str) -> None:
    assert heard([0x1301], [16, 43], alpn=alpn).fingerprint[:10] == f"t13i0102{ends}"


def test_a_hello_that_says_nothing() -> None:
    assert heard([], [], legacy=0x0301).fingerprint == "t10i000000_000000000000_000000000000"


@pytest.mark.parametrize(
    ("versions", "told"), [([0x0303, 0x0304], "13"), ([0x0303], "12"), ([0x0302], "11"), ([0x0300], "s3"), ([9], "00")]
)
def test_the_best_version_counts(versions: list[int], told: str) -> None:
    assert heard([0x1301], [43], versions=versions).fingerprint[1:3] == told


def test_no_count_has_more_than_two_digits() -> None:
    assert heard(range(1, 200), range(100, 250)).fingerprint.startswith("t12i999900_")


def test_names_and_numbers_of_what_is_offered() -> None:
    hello = heard([0x1301, 0xC02B, 0xFEFE], [0, 13, 16, 0xFEFE], numbers("0403 0807 fefe"))
    assert hello.ciphers == ("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "0xfefe")
    assert hello.extensions == (
        "server_name",
        "signature_algorithms",
        "application_layer_protocol_negotiation",
        "0xfefe",
    )
    assert hello.signatures == ("ecdsa_secp256r1_sha256", "ed25519", "0xfefe")


def test_python_offers_what_it_says_it_does() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="mail.example.org")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    handshake = Handshake()
    handshake.hear(Side.CLIENT, outgoing.read())
    assert handshake.client
    said = [each["id"] & 0xFFFF for each in context.get_ciphers()] + [0x00FF]  # and that it can renegotiate safely
    found = ",".join(sorted(f"{number:04x}" for number in said))
    count, ciphers, _ = handshake.client.fingerprint.split("_")
    assert (count[:6], ciphers) == (f"t13d{len(said):02}", sha256(found.encode()).hexdigest()[:12])


def overheard(arguments: Sequence[str]) -> tuple[ClientHello, str]:
    """What is heard of the hello of `openssl s_client`, and what it says of it itself."""
    openssl = program("openssl")
    handshake = Handshake()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        where = f"127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            [openssl, "s_client", "-trace", "-connect", where, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as client:  # fmt: skip
            connection, _ = server.accept()
            with connection:
                connection.settimeout(LIMIT)
                while handshake.client is None and (said := connection.recv(4096)):
                    handshake.hear(Side.CLIENT, said)
            told, _ = client.communicate(timeout=LIMIT)
    assert handshake.client
    if "cipher_suites" not in told:
        missing("openssl traces no handshake")
    return handshake.client, told


def shared(told: str, section: str) -> list[int]:
    """The numbers of the lines in a section of the trace."""
    [lines] = re.findall(rf"extension_type={section}\(\d+\), length=\d+\n((?: {{10}}\S.*\n)*)", told)
    return [int(number, 0) for number in re.findall(r"\((0x\w+|\d+)\)$", lines, re.MULTILINE)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-servername", "mail.example.org", "-alpn", "smtp,lmtp"],
        ["-noservername"],
        ["-tls1_2", "-noservername", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        ["-tls1_3", "-servername", "mail.example.org", "-groups", "X448:P-256"],
    ],
)
def test_openssl_traces_the_same(arguments: list[str]) -> None:
    hello, told = overheard(arguments)
    suites = re.findall(r"\{0x(..), 0x(..)\} (\S+)", told)
    assert hello.ciphers == tuple(name for _, _, name in suites)
    kinds = [(name, int(number)) for name, number in re.findall(r"extension_type=(\w+)\((\d+)\)", told)]
    assert hello.extensions == tuple(name for name, _ in kinds)
    signatures = shared(told, "signature_algorithms")
    assert len(hello.groups) == len(shared(told, "supported_groups"))
    version = "12" if "-tls1_2" in arguments else "13"
    named = "d" if "-servername" in arguments else "i"
    alpn = "sp" if "-alpn" in arguments else "00"
    ciphers = ",".join(sorted((first + second).lower() for first, second, _ in suites))
    others = ",".join(sorted(f"{number:04x}" for _, number in kinds if number not in (0, 16)))
    signed = ",".join(f"{number:04x}" for number in signatures)
    hashes = [sha256(text.encode()).hexdigest()[:12] for text in (ciphers, f"{others}_{signed}")]
    start = f"t{version}{named}{len(suites):02}{len(kinds):02}{alpn}"
    assert hello.fingerprint == "_".join([start, *hashes])
