"""What TCP carried comes in its order, whatever the network did to its segments."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from mailproxy.formats.tcp import Missing, Said, Stream, Told
from mailproxy.model.octets import Side

CLIENT = Side.CLIENT
STARTS = some.integers(0, 2**32 - 1) | some.integers(2**32 - 40, 2**32 - 1)


def heard(told: list[Told]) -> bytes:
    """What was said; a blank for each octet that is missing."""
    return b"".join(each.octets if isinstance(each, Said) else b" " * each.number for each in told)


def begun(start: int) -> Stream:
    stream = Stream(CLIENT)
    stream.begin(start)
    return stream


def add(stream: Stream, seq: int, octets: bytes, fin: bool = False) -> list[Told]:
    return stream.add(seq & 0xFFFFFFFF, octets, len(octets), fin)


@given(STARTS, some.binary(min_size=1, max_size=60), some.data())
def test_any_segments_in_any_order_are_the_stream(start: int, said: bytes, data: some.DataObject) -> None:
    cuts = data.draw(some.lists(some.tuples(some.integers(0, len(said)), some.integers(0, len(said))), max_size=12))
    pieces = [(min(cut), said[min(cut) : max(cut)]) for cut in cuts]
    bounds = sorted({0, len(said), *(place for place, _ in pieces)})
    pieces += [(one, said[one:two]) for one, two in pairwise(bounds)]
    stream = begun(start)
    told: list[Told] = []
    for place, octets in data.draw(some.permutations(pieces)):
        told += add(stream, start + 1 + place, octets, fin=place + len(octets) == len(said))
    assert heard(told) == said
    assert stream.ended


@given(STARTS, some.binary(min_size=1, max_size=60).map(lambda octets: octets.replace(b" ", b"_")), some.data())
def test_what_never_came_is_counted_at_its_place(start: int, said: bytes, data: some.DataObject) -> None:
    there = data.draw(some.lists(some.integers(0, len(said) - 1), min_size=1, unique=True))
    stream = begun(start)
    told: list[Told] = []
    for place in there:
        told += add(stream, start + 1 + place, said[place : place + 1])
    told += stream.flush()
    told += stream.lose((start + 1 + len(said)) & 0xFFFFFFFF)
    kept = bytes(octet if place in there else 0x20 for place, octet in enumerate(said))
    assert heard(told) == kept


def test_of_two_versions_the_first_holds() -> None:
    stream = begun(0)
    assert heard(add(stream, 1, b"abc") + add(stream, 2, b"XYZ")) == b"abcZ"


def test_octets_that_were_cut_off_are_missing_at_once() -> None:
    stream = begun(0)
    assert stream.add(1, b"abc", 10, False) == [Said(CLIENT, b"abc"), Missing(CLIENT, 7)]
    assert stream.add(11, b"d", 1, False) == [Said(CLIENT, b"d")]


def test_an_acknowledged_end_is_no_lost_octet() -> None:
    stream = begun(0)
    assert stream.add(4, b"", 0, True) == []
    assert stream.lose(5) == [Missing(CLIENT, 3)]
    assert stream.ended


def test_what_waits_is_bounded() -> None:
    stream = begun(0)
    told: list[Told] = []
    for number in range(1 << 15):
        told += add(stream, 100 + 2 * number, b"x")
    assert told[0] == Missing(CLIENT, 99)
    assert sum(isinstance(each, Said) for each in told) >= 1 << 14


def test_segments_from_nowhere_are_no_part_of_it() -> None:
    stream = begun(0)
    assert add(stream, 1 + (1 << 31), b"x") == add(stream, 2 + (1 << 30), b"x") == []
    assert stream.flush() == []
