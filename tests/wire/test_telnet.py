"""Telnet commands as real clients send them, and octets that only look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.wire.telnet import Short, Telnet, parse

PLINK_OPENING = bytes.fromhex("fffb1f fffb20 fffb18 fffb27 fffd01 fffb03 fffd03".replace(" ", ""))


def commands(octets: bytes) -> list[Telnet]:
    """Every command of `octets`, which hold nothing else."""
    found = []
    while octets:
        command = parse(octets)
        assert isinstance(command, Telnet)
        found.append(command)
        octets = octets[command.length :]
    return found


def test_what_putty_opens_with_is_seven_requests_each_refused_once() -> None:
    answers = b"".join(command.answer for command in commands(PLINK_OPENING))
    assert answers == bytes.fromhex("fffe1ffffe20fffe18fffe27fffc01fffe03fffc03")


def test_an_interrupt_and_a_timing_mark() -> None:
    assert commands(b"\xff\xf4\xff\xfd\x06") == [Telnet(2, b""), Telnet(3, b"\xff\xfc\x06")]


@pytest.mark.parametrize("octets", [b"\xff\xff", b"\xff\r\n", b"\xffa", b"\xff\xf0", b"\xff\xef"])
def test_an_octet_that_begins_no_command_is_data(octets: bytes) -> None:
    assert parse(octets) is None


@pytest.mark.parametrize("octets", [b"\xff", b"\xff\xfd", b"\xff\xfa", b"\xff\xfa\x18\x00x", b"\xff\xfa\x18\xff"])
def test_a_command_that_may_go_on(octets: bytes) -> None:
    assert parse(octets) == Short()


def test_a_subnegotiation_ends_at_iac_se_and_not_at_a_doubled_iac() -> None:
    assert parse(b"\xff\xfa\x18\xff\xff\x00\xff\xf0rest") == Telnet(8, b"")


def test_a_subnegotiation_without_an_end_is_data() -> None:
    assert parse(b"\xff\xfa" + b"x" * 600) is None


@given(st.binary())
def test_any_octets_are_read_and_none_beyond_them(octets: bytes) -> None:
    command = parse(b"\xff" + octets)
    if isinstance(command, Telnet):
        assert 2 <= command.length <= len(octets) + 1


def test_an_end_of_file_as_plink_says_it() -> None:
    assert commands(b"\xff\xec") == [Telnet(2, b"")]
