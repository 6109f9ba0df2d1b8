"""A message as a comparison reads it: what is taken apart here says what Python's `email` says."""

import base64
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from mailproxy.analysis.differences import message
from mailproxy.analysis.differences.message import by_email, read

PIECES = some.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b"\r\n\r\n",
            b":",
            b" ",
            b"\t",
            b"x",
            b"\xff",
            b"\xc3\xbc",
            b"\0",
            b"\x1c",
            b"..",
            b"=",
        ),
        *(b"Subject: Hello\r\n", b"Subject: again\r\n", b"To: a,\r\n b\r\n", b"From alice\r\n", b"Folded:\r\n\tx\r\n"),
        *(b"X:\r\n", b"Blank here: x\r\n", b"Caf\xe9: x\r\n", b"MIME-Version: 1.0\r\n"),
        *(b"Content-Type: text/plain\r\n", b"CONTENT-TYPE: Text/HTML; Charset=UTF-8\r\n", b"Content-Type: \r\n"),
        *(b'Content-Type: text/plain;\r\n charset="x-none"\r\n', b'Content-Type: text/plain; name="a.txt"\r\n'),
        *(
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"--b\r\n",
            b"--b--\r\n",
            b"Content-Type: message/rfc822\r\n",
        ),
        *(b"Content-Transfer-Encoding: 8bit\r\n", b"content-transfer-encoding: BASE64\r\n", b"SGVsbG8=\r\n"),
        *(b"Content-Transfer-Encoding: quoted-printable\r\n", b"=C3=BC\r\n", b"Content-Disposition: x; filename=f\r\n"),
    ]
)
MESSAGES = some.lists(PIECES | some.binary(max_size=6), max_size=12).map(b"".join)


@given(MESSAGES)
@example(b"")
@example(b"\r\n")
@example(b"Subject: x\r\n\r\nHello \xff\r\n\r\n")
@example(b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc\n\r\n")
@example(b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx")
def test_it_says_what_email_says(octets: bytes) -> None:
    assert read(octets) == by_email(octets)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"From: a@example.org\r\nSubject: Hello\r\n",
        b"Received: from a\r\n\tby b; today\r\nX: \xff\r\n",
        b'MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n',
    ],
)
def test_a_plain_text_is_read_without_email(head: bytes) -> None:
    with mock.patch.object(message, "by_email", side_effect=AssertionError):
        assert len(read(head + b"\r\nHello\r\n").parts) == 1


def test_what_is_encoded_is_decoded() -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    (encoded,) = read(head + base64.encodebytes(b"Hello, world")).parts
    (plain,) = read(b"\r\nHello, world\r\n").parts
    assert str(encoded) == "text/plain in utf-8, 12 octets"
    assert encoded.digest == plain.digest


def test_fields_are_unfolded_and_told_together() -> None:
    found = read(b"To: a,\r\n  b\r\nReceived: one\r\nreceived: two\r\n\r\n").fields
    assert found == {"to": "a, b", "received": "one / two"}
