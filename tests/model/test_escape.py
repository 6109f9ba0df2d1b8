"""Octets as text, and back to the last bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailproxy.model.escape import escape, escape_text, unescape


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"250 OK", "250 OK"),
        (b"C:\\mail", r"C:\\mail"),
        ("Grüße, 世界".encode(), "Grüße, 世界"),
        (b"Gr\xfc\xdfe", r"Gr\xfc\xdfe"),
        (b"a\x00b\x1b[31m\r\n", r"a\x00b\x1b[31m\x0d\x0a"),
        ("\u202e".encode(), r"\xe2\x80\xae"),
        ("a\u00adb\u2028c\ufeff".encode(), r"a\xc2\xadb\xe2\x80\xa8c\xef\xbb\xbf"),
        (b"\xed\xb2\x80", r"\xed\xb2\x80"),
        (b"", ""),
    ],
)
def test_octets_and_their_text(octets: bytes, text: str) -> None:
    assert escape(octets) == text
    assert unescape(text) == octets


def test_a_backslash_that_begins_no_escape_stands_for_itself() -> None:
    assert unescape(r"C:\mail\x4 \xzz") == rb"C:\mail\x4 \xzz"


def test_hexadecimal_digits_may_be_in_either_case() -> None:
    assert unescape(r"\xFF\xff") == b"\xff\xff"


def test_a_text_that_is_no_octets_harms_no_terminal() -> None:
    assert escape_text("two\nlines\x1b \udc80 \ud800") == r"two\x0alines\x1b \x80 \xed\xa0\x80"


@given(some.binary())
def test_any_octets_come_back(octets: bytes) -> None:
    text = escape(octets)
    assert unescape(text) == octets
    assert text == "" or text.isprintable()
