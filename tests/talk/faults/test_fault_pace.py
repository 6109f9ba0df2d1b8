"""Time and pieces."""

import pytest

from mailproxy.talk.faults.orders import Hand, Pass, Wait
from tests.talk.faults.fault_stage import CUTS, Stage, transcript

cuts = pytest.mark.parametrize("cut", CUTS)


@cuts
def test_a_pause_at_a_command(cut: str) -> None:
    stage = Stage("smtp", "at EHLO delay 35", cut=cut).play("<-  220 mx").play(" -> NOOP\n -> EHLO x")
    assert stage.talk() == transcript("""
<-  220 mx
 -> NOOP
=== delay of 35 s by mailproxy before EHLO 1
... 35 s
 -> EHLO x
""")


@cuts
def test_a_pause_behind_a_greeting(cut: str) -> None:
    stage = Stage("smtp", "after greeting delay 0.5", cut=cut).play("<-  220 mx").play(" -> EHLO x")
    assert stage.talk()[-2:] == ["... 0.5 s", " -> EHLO x"]


def test_all_comes_late() -> None:
    stage = Stage("smtp", "delay 2").play("<-  220 mx").play(" -> EHLO x")
    assert stage.talk() == [
        "=== delay of 2 s by mailproxy from the start", "... 2 s", "<-  220 mx", "... 2 s", " -> EHLO x",
    ]  # fmt: skip


def test_so_many_octets_a_second() -> None:
    stage = Stage("smtp", "throttle 40").play("<-  220 mx").play(" -> QUIT")
    assert stage.orders[1:] == [
        Wait(0.1), Hand(b"220 "), Wait(0.1), Hand(b"mx\r\n"), Wait(0.1), Pass(b"QUIT"), Wait(0.05), Pass(b"\r\n"),
    ]  # fmt: skip


def test_from_a_message_on() -> None:
    stage = Stage("smtp", "at content throttle 10").play("<-  220 mx").play(" -> DATA").play("<-  354 go")
    before = len(stage.orders)
    stage.play(" -> ab\n -> .")
    assert [order for order in stage.orders[:before] if isinstance(order, Wait)] == []
    assert stage.orders[before + 1 : before + 5] == [Wait(0.1), Pass(b"a"), Wait(0.1), Pass(b"b")]


def test_slices_with_time_to_read_each() -> None:
    stage = Stage("smtp", "slice 4,2 every 10ms").play("<-  220 mx")
    assert stage.told == ["slices of 4, 2 octets every 0.01 s by mailproxy from the start"]
    assert stage.orders[1:] == [
        Wait(0.01), Hand(b"220 "), Wait(0.01), Hand(b"mx"), Wait(0.01), Hand(b"\r\n"),
    ]  # fmt: skip


def test_slices() -> None:
    stage = Stage("smtp", "slice 1,3").play("<-  220 mx").play(" -> QUIT").play(" -> NOOP")
    assert stage.orders[1:] == [
        Hand(b"2"), Hand(b"20 "), Hand(b"m"), Hand(b"x\r\n"),
        Pass(b"Q"), Pass(b"UIT"), Pass(b"\r"), Pass(b"\n"), Pass(b"N"), Pass(b"OOP"), Pass(b"\r"), Pass(b"\n"),
    ]  # fmt: skip
