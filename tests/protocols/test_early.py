"""A login that is sent before its time: behind a command that the server has still to decide about."""

import pytest

from mailproxy.model.octets import Frame, Side
from tests.play import hear, segmentations, told

CODED = b"c2VjcmV0LXNlY3JldA=="


@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_what_stands_behind_auth_is_no_less_secret_for_being_early(end: bytes) -> None:
    said = [
        (Side.SERVER, b"220 x\r\n"),
        (Side.CLIENT, b"DATA\r\nAUTH LOGIN\r\n" + CODED + end),
        (Side.SERVER, b"503 no\r\n503 no\r\n"),
    ]
    for name, cut in segmentations(said):
        entries, exchanges, _ = hear("smtp", cut)
        recorded = b"".join(entry.octets for entry in entries if isinstance(entry, Frame))
        assert CODED not in recorded, name
        assert told(exchanges).splitlines()[1:3] == ["DATA -> 503 early", "AUTH LOGIN -> 503 early"], name


def test_a_line_that_has_begun_before_it_was_a_secret_comes_to_an_end() -> None:
    said = [
        (Side.SERVER, b"220 x\r\n"),
        (Side.CLIENT, b"DATA\r\nAUTH\r\nxyz"),
        (Side.SERVER, b"503 no\r\n503 no\r\n"),
        (Side.CLIENT, b"zy\r\nNOOP\r\n"),
    ]
    _, exchanges, _ = hear("smtp", said)
    assert [each.verb for each in exchanges][-1] == "NOOP"
