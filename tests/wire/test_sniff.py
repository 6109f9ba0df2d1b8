"""What connects to a mail port and is no mail program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.wire.sniff import OPENINGS, Sniffed, sniff


@pytest.mark.parametrize(
    ("octets", "sniffed"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Sniffed.TLS),
        (b"\x15\x03\x03\x00\x02\x02\x46", Sniffed.TLS_ALERT),
        (b"GET / HTTP/1.1\r\nHost: mail.example.org\r\n", Sniffed.HTTP),
        (b"CONNECT mail.example.org:25 HTTP/1.1\r\n", Sniffed.HTTP),
        (b"OPTIONS * HTTP/1.1\r\n", Sniffed.HTTP),
        (b"HTTP/1.1 400 Bad Request\r\n", Sniffed.HTTP),
        (b"PROXY TCP4 192.0.2.7 192.0.2.25 56324 25\r\n", Sniffed.PROXY),
        (b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", Sniffed.PROXY),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", Sniffed.SSH),
        (b"OPTIONS sip:nm SIP/2.0\r\n", Sniffed.SIP),
    ],
)
def test_a_stranger_is_named(octets: bytes, sniffed: Sniffed) -> None:
    assert sniff(octets) is sniffed


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client.example.org\r\n",
        b"USER alice\r\n",
        b"PASS xyzzy\r\n",
        b"HELO alice xyzzy\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"+OK ready\r\n",
        b"\xff\xfb\x1f",
        b"\r\nQUIT\r\n",
        b"\x80\x2e\x01",
    ],
)
def test_mail_is_none_of_them(octets: bytes) -> None:
    assert sniff(octets) is None


@pytest.mark.parametrize("octets", [b"", b"P", b"PR", b"H", b"\x16", b"\r\n", b"OPTIONS ", b"G"])
def test_it_is_not_guessed_from_too_few_octets(octets: bytes) -> None:
    assert sniff(octets) is Sniffed.SHORT


@pytest.mark.parametrize("opening", OPENINGS)
def test_it_is_told_at_the_first_octet_that_tells_it(opening: bytes) -> None:
    heard = [sniff(opening[:end]) for end in range(len(opening) + 1)]
    assert heard == [Sniffed.SHORT] * len(opening) + [OPENINGS[opening]]


@given(st.binary(), st.binary())
def test_what_was_told_once_is_not_taken_back(octets: bytes, more: bytes) -> None:
    told = sniff(octets)
    assert told is Sniffed.SHORT or sniff(octets + more) is told
