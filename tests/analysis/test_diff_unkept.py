"""Messages that were not kept whole are compared as far as they were: what nobody knows is no difference."""

import pytest

from mailproxy.analysis.diff import Looked, compare
from mailproxy.app.library import complete
from mailproxy.formats import talk
from mailproxy.protocols.turn import Terms

BODY = " -> How are you?\n -> Bob\n"
KEPT = f"smtp 25\n -> DATA\n<-  354 go on\n -> Subject: Lunch\n ->\n{BODY} -> .\n<-  250 ok\n"
HEAD = KEPT.replace(BODY, "... 17 octets of the client left out\n ->\n")
NOTHING = KEPT.replace(f" -> Subject: Lunch\n ->\n{BODY}", "... 35 octets of the client left out\n ->\n")


def looked(transcript: str) -> Looked:
    (read,) = talk.read(transcript)
    return Looked(complete(read, "", Terms()), lambda span: b"")


def told(good: str, bad: str) -> list[str]:
    """What differs."""
    return [each.told for each in compare(looked(good), looked(bad)).differences]


@pytest.mark.parametrize("unkept", [HEAD, NOTHING])
def test_what_was_not_kept_is_no_difference(unkept: str) -> None:
    assert told(KEPT, unkept) == told(unkept, KEPT) == told(unkept, unkept) == []


def test_fields_are_compared_where_both_were_kept() -> None:
    assert told(KEPT, HEAD.replace("Lunch", "Brunc")) == ["The field subject differs."]


def test_another_length_is_a_difference() -> None:
    assert told(KEPT, HEAD.replace("17 octets", "18 octets")) == ["The messages differ."]
