"""Any octets, in any order and however they are cut."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from mailproxy.model.octets import Side
from mailproxy.protocols import PROTOCOLS
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.fault import Fault
from mailproxy.talk.faults.orders import Hand, Order, Pass, Tell
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults

Script = Sequence[tuple[Side, bytes]]
SERVER = b"220 |250 |250-|354 |334 |421 |552 |+OK |-ERR |+ |=|#|- |=5".split(b"|")
CLIENT = b"LAST|PLAIN|LOGIN|5|1|0|*|\xff\xfb\x18|\xff|\xff\xff|EHLO x\r\n|RETR 1\r\n|DATA\r\n|CAPA\r\n".split(b"|")
ENDS = b".|\r\n|\n|\r|\r\n.\r\n|\n.\n|\r\n\r\n|\x16\x03\x01|\0|\xc3\xa9|BDAT 5 LAST\r\nabcde".split(b"|")
VERBS = [verb + b" " for protocol in PROTOCOLS for verb in sorted(protocol.dialogue.known)]
octets = st.lists(st.sampled_from([*VERBS, *SERVER, *CLIENT, *ENDS]) | st.binary(max_size=4), min_size=1, max_size=6)
scripts = st.lists(st.tuples(st.sampled_from(Side), octets.map(b"".join)), max_size=12)
protocols = st.sampled_from([protocol.name for protocol in PROTOCOLS])
IDLE = tuple(
    parse(f"{text} in session 2")
    for text in (
        "at RCPT answer 452 no", "at RETR drop", "at content close", "at content close after 3 octets", "code only",
        "bare LF", "strip tls", "hide SIZE", "at greeting answer 421 no", "at DATA 1 reset", "octets behind x",
        "after EHLO close", "at octet 3 close", "throttle 3", "slice 2", "unstuffed dot", "wrong count", "no last LF",
    )
)  # fmt: skip
EXAMPLES = [parse(kind.example.removesuffix(" one in 20")) for kind in FAULTS]


def played(protocol: str, script: Script, faults: Sequence[Fault], size: int) -> list[Order]:
    spoiler = Faults(tuple(faults)).session(protocol)
    orders = spoiler.connected()
    for side, said in script:
        for at in range(0, len(said), size):
            part = said[at : at + size]
            orders += spoiler.asked(part) if side is Side.CLIENT else spoiler.said(part)
    return [*orders, *spoiler.client_ended(), *spoiler.ended(None)]


def passed(orders: Sequence[Order], way: type[Hand] | type[Pass]) -> bytes:
    return b"".join(order.octets for order in orders if isinstance(order, way))


@settings(max_examples=200)
@given(protocols, scripts, st.integers(1, 50))
def test_without_a_fault_everything_passes_at_once(protocol: str, script: Script, size: int) -> None:
    spoiler = Faults(()).session(protocol)
    assert spoiler.connected() == []
    for side, said in script:
        for at in range(0, len(said), size):
            part = said[at : at + size]
            if side is Side.CLIENT:
                assert spoiler.asked(part) == [Pass(part)]
            else:
                assert spoiler.said(part) == [Hand(part)]


@settings(max_examples=300)
@given(protocols, scripts, st.integers(1, 50))
def test_what_no_fault_touches_passes(protocol: str, script: Script, size: int) -> None:
    orders = played(protocol, script, IDLE, size)
    for side, way in ((Side.CLIENT, Pass), (Side.SERVER, Hand)):
        assert passed(orders, way) == b"".join(said for by, said in script if by is side)
    assert not any(isinstance(order, Hand) and order.own for order in orders)


@settings(max_examples=300)
@given(protocols, scripts, st.lists(st.sampled_from(EXAMPLES), max_size=4), st.integers(1, 50))
def test_no_octets_are_too_much(protocol: str, script: Script, faults: list[Fault], size: int) -> None:
    played(protocol, script, faults, size)


@settings(max_examples=300)
@given(protocols, scripts, st.lists(st.sampled_from(EXAMPLES), max_size=3), st.integers(1, 9))
def test_it_is_the_same_however_it_is_cut(protocol: str, script: Script, faults: list[Fault], size: int) -> None:
    whole, cut = played(protocol, script, faults, 1000), played(protocol, script, faults, size)
    for way in (Hand, Pass):
        assert passed(cut, way) == passed(whole, way)
    assert [each for each in cut if isinstance(each, Tell)] == [each for each in whole if isinstance(each, Tell)]
