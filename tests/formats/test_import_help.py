"""`mailproxy import` says what it reads."""

import re

from mailproxy.cli.bring_in import bring_in
from mailproxy.formats import FORMATS


def test_the_help_names_every_format() -> None:
    words = set(re.findall(r"[a-z0-9][\w-]*", bring_in.__doc__ or ""))
    assert [each.name for each in FORMATS if each.name not in words] == []


def test_names_are_told_apart() -> None:
    assert len({each.name for each in FORMATS}) == len(FORMATS)
