"""Texts and times as any database takes them, and back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from mailproxy.model.escape import escape_text, unescape


def instant(moment: datetime) -> str:
    """A moment in UTC, as text that sorts by time."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def clean(text: str) -> str:
    """A text as any database takes it (no NUL, no broken character), line by line."""
    return _clean_again(text) if len(text) < 256 else _clean(text)


def _clean(text: str) -> str:
    if text.isascii() and text.replace("\n", "").isprintable() and "\\" not in text:
        return text
    return "\n".join(map(escape_text, text.split("\n")))


_clean_again = lru_cache(1024)(_clean)  # codes, verbs and most replies are said over and over


def told(text: str) -> str:
    """The text that `clean` was given."""
    if "\\" not in text:
        return text
    return "\n".join(unescape(line).decode("utf-8", "surrogateescape") for line in text.split("\n"))


def joined(words: Iterable[str]) -> str:
    """Words, none of them empty, parted by blanks; a blank within one is escaped."""
    return " ".join([clean(word).replace(" ", "\\x20") for word in words])


def parted(text: str) -> tuple[str, ...]:
    """The words that `joined` was given."""
    return tuple(map(told, text.split(" "))) if text else ()
