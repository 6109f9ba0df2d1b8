"""Two sequences side by side."""

import random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailproxy.analysis.align import MOST, Key, align

LONG: Final = 10_000


def keys(said: str) -> list[Key]:
    """`MAIL RCPT:a RCPT:b` as keys."""
    return [Key(*word.partition(":")[::2]) for word in said.split()]


def shown(left: str, right: str) -> str:
    """The alignment in words: `MAIL` for what is the same, `-a` and `+b` for what is on one side, `a/b` for alike."""
    mine, yours = keys(left), keys(right)
    told = []
    for one, other in align(mine, yours):
        here = "" if one is None else left.split()[one]
        there = "" if other is None else right.split()[other]
        told.append(
            here if here == there else f"{here}/{there}" if here and there else f"-{here}" if here else f"+{there}"
        )
    return " ".join(told)


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ("", "", ""),
        ("EHLO MAIL", "EHLO MAIL", "EHLO MAIL"),
        ("EHLO AUTH MAIL", "EHLO MAIL", "EHLO -AUTH MAIL"),
        ("EHLO MAIL", "EHLO AUTH MAIL", "EHLO +AUTH MAIL"),
        ("MAIL RCPT:a DATA", "MAIL RCPT:b DATA", "MAIL RCPT:a/RCPT:b DATA"),
        ("MAIL RCPT:a RCPT:b DATA", "MAIL RCPT:b RCPT:a DATA", "MAIL -RCPT:a RCPT:b +RCPT:a DATA"),
        ("RETR:1 RETR:2 RETR:3 QUIT", "RETR:1 RETR:3 QUIT", "RETR:1 -RETR:2 RETR:3 QUIT"),
        ("AUTH QUIT", "AUTH AUTH AUTH QUIT", "AUTH +AUTH +AUTH QUIT"),
        ("EHLO QUIT", "GET", "-EHLO -QUIT +GET"),
        (
            "EHLO MAIL RCPT:a DATA MAIL RCPT:a DATA",
            "EHLO MAIL RCPT:a DATA",
            "EHLO MAIL RCPT:a DATA -MAIL -RCPT:a -DATA",
        ),
    ],
)
def test_what_stands_beside_what(left: str, right: str, told: str) -> None:
    assert sorted(shown(left, right).split()) == sorted(told.split())


words = some.lists(some.builds(Key, some.sampled_from("ABC"), some.sampled_from("12")), max_size=30)


@given(words, words)
def test_everything_stands_once_and_in_order(left: list[Key], right: list[Key]) -> None:
    found = align(left, right)
    assert [one for one, _ in found if one is not None] == list(range(len(left)))
    assert [other for _, other in found if other is not None] == list(range(len(right)))
    assert all(left[one].kind == right[other].kind for one, other in found if one is not None and other is not None)


@given(words)
def test_what_is_the_same_stands_beside_itself(both: list[Key]) -> None:
    assert align(both, both) == [(place, place) for place in range(len(both))]


@pytest.mark.parametrize("seed", range(4))
def test_long_ones_without_anything_to_go_by(seed: int) -> None:
    """More than a table of costs would hold, hardly anything once, and much of it the same."""
    chance = random.Random(seed)
    left, right = ([Key(chance.choice("ABC"), chance.randrange(4)) for _ in range(2_000)] for _ in range(2))
    assert len(left) * len(right) > MOST
    found = align(left, right)
    assert [one for one, _ in found if one is not None] == list(range(len(left)))
    assert [other for _, other in found if other is not None] == list(range(len(right)))
    assert sum(one is not None and other is not None for one, other in found) > 600


def test_one_of_ten_thousand_is_missing() -> None:
    left = [Key("RETR", number) for number in range(LONG)]
    right = [each for each in left if each.about != 4_711]
    assert [pair for pair in align(left, right) if None in pair] == [(4_711, None)]
