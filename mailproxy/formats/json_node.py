"""A value in a JSON text, with its place, so that what is wrong with it can be told."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, NoReturn, TypeVar

from mailproxy.formats.error import FormatError
from mailproxy.model.escape import escape_text, unescape

Word = TypeVar("Word", bound=StrEnum)


class Node(NamedTuple):
    """A value and its place (`FILE:sessions[0].side`). Each method raises `FormatError` on another kind of value."""

    value: object
    place: str

    def get(self, key: str) -> "Node":
        """What stands under `key` of an object."""
        if not isinstance(self.value, dict):
            self.wrong("an object")
        if key not in self.value:
            raise FormatError(f"{self.place}: '{key}' is missing")
        return Node(self.value[key], f"{self.place}.{key}".replace(":.", ":"))

    def has(self, key: str) -> bool:
        """Whether an object has this key."""
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list["Node"]:
        """The values of an array."""
        if not isinstance(self.value, list):
            self.wrong("an array")
        return [Node(value, f"{self.place}[{index}]") for index, value in enumerate(self.value)]

    def some(self) -> "Node | None":
        """This value, or None where it is null."""
        return None if self.value is None else self

    def text(self) -> str:
        """A string."""
        return self.value if isinstance(self.value, str) else self.wrong("a string")

    def octets(self) -> bytes:
        """A string with the escapes of a transcript."""
        try:
            return unescape(self.text())
        except UnicodeEncodeError:
            self.wrong("a string in UTF-8, other octets as \\xNN")

    def base64(self) -> bytes:
        """Octets in base64 (RFC 4648 section 4)."""
        try:
            return b64decode(self.text(), validate=True)
        except ValueError:
            self.wrong("octets in base64")

    def whole(self) -> int:
        """A whole number, 0 or more."""
        number = self.value
        return number if type(number) is int and number >= 0 else self.wrong("a whole number, 0 or more")

    def flag(self) -> bool:
        """True or false."""
        return self.value if isinstance(self.value, bool) else self.wrong("true or false")

    def microseconds(self) -> int:
        """A number of seconds, in microseconds."""
        match self.value:
            case int() | float() as seconds if not isinstance(seconds, bool) and 0 <= seconds < 1e12:
                return round(seconds * 1_000_000)
            case _:
                self.wrong("a number of seconds")

    def time(self) -> datetime:
        """A time with its zone (RFC 3339), in UTC."""
        wanted = "a time such as 2026-01-31T12:00:00.000000Z"
        text = self.text()
        try:
            time = datetime.fromisoformat(text)
            # A time without a zone would be taken for one of this machine's zone.
            return time.astimezone(UTC) if time.tzinfo else self.wrong(wanted)
        except (ValueError, OverflowError):
            self.wrong(wanted)

    def since(self, started: datetime) -> int:
        """A time, in microseconds since `started`."""
        return (self.time() - started) // timedelta(microseconds=1)

    def word(self, words: type[Word]) -> Word:
        """One of these words."""
        text = self.text()
        return words(text) if text in set(words) else self.wrong("one of " + ", ".join(words))

    def wrong(self, wanted: str) -> NoReturn:
        """Say that something else is wanted here."""
        shown = str(self.value)
        shown = escape_text(shown if len(shown) <= 40 else shown[:39] + "…")
        raise FormatError(f"{self.place}: '{shown}' is not {wanted}")
