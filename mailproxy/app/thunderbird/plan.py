"""What is to change in a profile's preferences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mailproxy.app.thunderbird.prefs import Prefs, Value


class Change(NamedTuple):
    """A preference, what it was and what it becomes; None is one that is not set."""

    name: str
    old: Value | None
    new: Value | None


@dataclass(frozen=True)
class Plan:
    """What to change, and what the user should know before Thunderbird is opened."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()


def changes(prefs: Prefs, wanted: Mapping[str, Value | None]) -> tuple[Change, ...]:
    """What must change for the preferences to have these values."""
    now = prefs.values()
    return tuple(Change(name, now.get(name), new) for name, new in wanted.items() if not same(now.get(name), new))


def changed(prefs: Prefs, planned: tuple[Change, ...]) -> Prefs:
    """The preferences once all is changed."""
    for change in planned:
        prefs = prefs.change(change.name, change.new)
    return prefs


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two values are one; true is not 1."""
    return one == other and type(one) is type(other)
