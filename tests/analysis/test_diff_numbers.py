"""Messages compared by what they are, not by the number they have: a new mail came in front of those of yesterday."""

from typing import Final

import pytest

from mailproxy.analysis.diff import compare
from tests.analysis.test_diff import recording, told

UIDS: Final = {"A": "aaaa1111", "B": "bbbb2222", "N": "nnnn9999"}
SIZES: Final = {"A": 20, "B": 30, "N": 44}


def fetch(box: str, listing: str = "UIDL", refused: str = "", retrieve: str = "") -> str:
    """A session in which the messages of a maildrop are fetched and deleted, a letter each."""
    said = ["pop3 110", "<-  +OK ready", " -> USER alice", "<-  +OK", " -> PASS <secret: 8 characters>", "<-  +OK"]
    named = UIDS if listing == "UIDL" else SIZES
    if listing:
        said += [f" -> {listing}", "<-  +OK"]
        said += [*(f"<-  {number} {named[each]}" for number, each in enumerate(box, 1)), "<-  ."]
    for number, each in enumerate(box, 1):
        if each in (retrieve or box):
            said += [f" -> TOP {number} 0", "<-  +OK", f"<-  Subject: {each}", "<-  ", "<-  ."]
            said += [f" -> RETR {number}"]
            said += (
                ["<-  -ERR gone"] if each == refused else ["<-  +OK", f"<-  Subject: {each}", "<-  ", "<-  Hi", "<-  ."]
            )
            said += [f" -> DELE {number}", "<-  +OK"]
    return "\n".join([*said, " -> QUIT", "<-  +OK", ""])


NEW: Final = ["TOP is in the bad session only.", "RETR is in the bad session only.", "DELE is in the bad session only."]


@pytest.mark.parametrize("listing", ["UIDL", "LIST"])
def test_a_new_message_came_in_front(listing: str) -> None:
    assert told(fetch("AB", listing), fetch("NAB", listing)) == [f"What {listing} lists differs.", *NEW]


@pytest.mark.parametrize("listing", ["UIDL", "LIST"])
def test_a_message_that_stands_elsewhere_is_the_same_message(listing: str) -> None:
    found = told(fetch("AB", listing), fetch("NAB", listing, retrieve="AB"))
    assert found == [f"What {listing} lists differs."]


def test_of_a_listing_the_first_line_that_is_new_is_told_as_it_was_said() -> None:
    found = compare(recording(fetch("AB")), recording(fetch("NAB"))).deciding
    assert found
    assert (found.good, found.bad) == ("2 listed", f"3 listed, 1 only here: 1 {UIDS['N']}")


def test_a_message_that_was_deleted_meanwhile() -> None:
    assert told(fetch("AB"), fetch("B")) == [
        "What UIDL lists differs.",
        "TOP is missing in the bad session.",
        "RETR is missing in the bad session.",
        "DELE is missing in the bad session.",
    ]


def test_the_message_that_cannot_be_fetched_is_named_by_its_own_fetch() -> None:
    found = compare(recording(fetch("AB")), recording(fetch("NAB", refused="B")))
    assert found.deciding
    assert (found.deciding.good, found.deciding.bad) == ("+OK", "-ERR gone")
    beside = [(row.good.argument, row.bad.argument) for row in found.rows if row.good and row.bad]
    assert [each for each in beside if each[0][:1].isdigit()] == [
        ("1 0", "2 0"), ("1", "2"), ("1", "2"), ("2 0", "3 0"), ("2", "3"), ("2", "3"),
    ]  # fmt: skip


def test_where_nothing_is_listed_a_message_is_its_number() -> None:
    found = told(fetch("AB", ""), fetch("BA", ""))
    assert found == ["The field subject differs."] * 4


def test_another_maildrop_with_messages_of_its_own_is_compared_by_number() -> None:
    other = fetch("AB").replace("aaaa1111", "cccc3333").replace("bbbb2222", "dddd4444")
    assert told(fetch("AB"), other) == []


def test_all_is_to_be_seen() -> None:
    assert "RETR was said otherwise." in told(fetch("AB"), fetch("NAB", retrieve="AB"), strict=True)
