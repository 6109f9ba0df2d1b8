"""A mark tells the shape of a secret and nothing that it was made of."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.mask import MARK, mark, password, sasl


@pytest.mark.parametrize(
    ("secret", "shape"),
    [
        (b"", "empty"),
        (b"x", "1 character"),
        ("été".encode(), "3 characters"),
        (b"hunter2 ", "8 characters, blank at the end"),
        (b" hunter2", "8 characters, blank at the start"),
        (b"hunter2\n", "8 characters, line end at the end"),
    ],
)
def test_a_password_keeps_its_length_and_its_slips(secret: bytes, shape: str) -> None:
    assert password(secret) == shape


@pytest.mark.parametrize(
    ("mechanism", "step", "message", "shape"),
    [
        ("PLAIN", 0, b"\0alice\0correct h", "PLAIN, user alice, password 9 characters"),
        ("PLAIN", 0, b"\0alice\0", "PLAIN, user alice, password empty"),
        ("PLAIN", 0, b"alice", "PLAIN, 1 fields for 3, 5 octets"),
        ("LOGIN", 0, b"alice@example.org", "LOGIN, user alice@example.org"),
        ("LOGIN", 0, b"hunter2", "LOGIN, user name 7 characters"),
        ("LOGIN", 1, b"hunter2", "LOGIN, password 7 characters"),
        ("CRAM-MD5", 0, b"alice " + b"0a" * 16, "CRAM-MD5, user alice, digest"),
        ("XOAUTH2", 0, b"user=a\1auth=Bearer t\1\1", "XOAUTH2, 22 octets"),
    ],
)
def test_a_sasl_message_keeps_its_shape(mechanism: str, step: int, message: bytes, shape: str) -> None:
    assert sasl(mechanism, b64encode(message), step) == shape


def test_what_is_typed_in_clear_is_not_shown() -> None:
    assert sasl("LOGIN", b"hunter2!", 0) == "LOGIN, not base64, 8 characters"


@given(st.sampled_from(["PLAIN", "LOGIN", "CRAM-MD5", "NTLM"]), st.binary(), st.integers(0, 2))
def test_any_response_gives_a_mark_that_is_recognised(mechanism: str, response: bytes, step: int) -> None:
    assert MARK.fullmatch(mark(sasl(mechanism, response, step)))
    assert MARK.fullmatch(mark(sasl(mechanism, b64encode(response), step)))
