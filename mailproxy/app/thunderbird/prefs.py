"""A `prefs.js` of Mozilla's, read and changed one preference at a time; every other octet stays."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

Value = str | int | bool

_GAP: Final = rb"(?:\s|//[^\r\n]*+|#[^\r\n]*+|/\*.*?(?:\*/|\Z))"
_STRING: Final = rb"(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+')"
_ANY: Final = _GAP + rb"*+"
_STATEMENT: Final = _ANY.join(
    (
        rb"(?P<statement>(?:user_pref|sticky_pref|pref)",
        rb"\(",
        rb"(?P<name>" + _STRING + rb")",
        rb",",
        rb"(?P<value>" + _STRING + rb"|true|false|[+-]?\d+)",
        rb"\)",
        rb";)",
    )
)
# What is no statement goes on to the next semicolon, as it does for Mozilla's own parser.
_ELSE: Final = rb"(?:" + _GAP + rb"|" + _STRING + rb"|[^;\"'])++;?|;|.+"
_PIECE: Final = re.compile(_GAP + rb"++|" + _STATEMENT + rb"|" + _ELSE, re.DOTALL)
_ESCAPE: Final = re.compile(
    rb"\\(?:u(?P<high>[Dd][89ABab][\dA-Fa-f]{2})\\u(?P<low>[Dd][C-Fc-f][\dA-Fa-f]{2})"
    rb"|u(?P<unit>[\dA-Fa-f]{4})|x(?P<octet>[\dA-Fa-f]{2})|(?P<plain>.))",
    re.DOTALL,
)
_PLAIN: Final = {b"n": b"\n", b"r": b"\r", b"\\": b"\\", b'"': b'"', b"'": b"'"}
_WRITTEN: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_NUMBERS: Final = range(-(1 << 31), 1 << 31)
_END: Final = re.compile(rb"\r\n|\r|\n")
_BLANKS: Final = re.compile(rb"[ \t\v\f]*+")
_REST: Final = re.compile(rb"[ \t\v\f]*+(?:(?://|#)[^\r\n]*+)?+(?P<end>\r\n|\r|\n|\Z)")


class Statement(NamedTuple):
    """One `user_pref("name", value);`: where it stands in the file, and where its value does, in octets."""

    name: str
    value: Value
    start: int
    end: int
    value_start: int
    value_end: int


@dataclass(frozen=True)
class Prefs:
    """The preferences of a file. What cannot be understood is no preference and stays as it is."""

    octets: bytes
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Read a file; raises nothing, whatever the octets."""
        found = (_statement(piece) for piece in _PIECE.finditer(octets) if piece["statement"])
        return cls(octets, tuple(statement for statement in found if statement))

    def values(self) -> dict[str, Value]:
        """Each preference by its name; of several with one name the last counts."""
        return {statement.name: statement.value for statement in self.statements}

    def change(self, name: str, value: Value | None) -> Self:
        """The file with this preference set, or without it where the value is None.

        A new one stands where Thunderbird would write it: after the one that is before it in the alphabet.
        """
        named = [statement for statement in self.statements if statement.name == name]
        if value is None:
            octets = self.octets
            for statement in reversed(named):
                octets = _without(octets, statement)
            return self.parse(octets)
        if not named:
            return self._add(name, value)
        last = named[-1]
        if last.value == value and type(last.value) is type(value):
            return self
        return self._put(written(value), last.value_start, last.value_end)

    def _put(self, octets: bytes, start: int, end: int) -> Self:
        return self.parse(self.octets[:start] + octets + self.octets[end:])

    def _add(self, name: str, value: Value) -> Self:
        line = b"user_pref(%s, %s);" % (written(name), written(value))
        before = [statement for statement in self.statements if statement.name < name]
        if not before:
            return self._add_first(line)
        end = before[-1].end
        if rest := _REST.match(self.octets, end):
            place = rest.start("end")
            return self._put((rest["end"] or self._line_end()) + line, place, place)
        return self._put(line, end, end)

    def _add_first(self, line: bytes) -> Self:
        first = self.statements[0].start if self.statements else 0
        place = _line_start(self.octets, first)
        if _BLANKS.fullmatch(self.octets, place, first):
            return self._put(line + self._line_end(), place, place)
        return self._put(line, first, first)

    def _line_end(self) -> bytes:
        found = _END.search(self.octets)
        return found[0] if found else b"\n"


def written(value: Value) -> bytes:
    """A value as Thunderbird writes it. Raises ValueError where it cannot stand in a file."""
    match value:
        case bool():
            return b"true" if value else b"false"
        case int():
            return b"%d" % value
    if "\0" in value:
        raise ValueError("a preference holds no NUL")
    return b'"%s"' % value.translate(_WRITTEN).encode("utf-8", "surrogateescape")


def _statement(piece: re.Match[bytes]) -> Statement | None:
    try:
        name, value = _read(piece["name"]), _read(piece["value"])
    except ValueError:
        return None
    return Statement(str(name), value, *piece.span("statement"), *piece.span("value"))


def _read(token: bytes) -> Value:
    match token[:1]:
        case b'"' | b"'":
            return _ESCAPE.sub(_unescaped, token[1:-1]).decode("utf-8", "surrogateescape")
        case b"t" | b"f":
            return token == b"true"
    number = int(token)
    if number not in _NUMBERS:
        raise ValueError(number)
    return number


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """What an escape stands for. Raises ValueError where Mozilla's parser refuses it."""
    if high := escape["high"]:
        return bytes.fromhex((high + escape["low"]).decode()).decode("utf-16-be").encode()
    if unit := escape["unit"]:
        octets = chr(int(unit, 16)).encode()
    elif octet := escape["octet"]:
        octets = bytes.fromhex(octet.decode())
    else:
        octets = _PLAIN.get(escape["plain"], b"\0")
    if octets == b"\0":
        raise ValueError(escape[0])
    return octets


def _without(octets: bytes, statement: Statement) -> bytes:
    """The file without a statement, and without its line where nothing else stands in it."""
    start = _line_start(octets, statement.start)
    blanks = _BLANKS.match(octets, statement.end)
    rest = blanks.end() if blanks else statement.end
    end = _END.match(octets, rest)
    if not _BLANKS.fullmatch(octets, start, statement.start) or not (end or rest == len(octets)):
        return octets[: statement.start] + octets[statement.end :]
    if end:
        return octets[:start] + octets[end.end() :]
    return octets[: start - (2 if octets[:start].endswith(b"\r\n") else 1)] if start else b""


def _line_start(octets: bytes, place: int) -> int:
    return max(octets.rfind(b"\n", 0, place), octets.rfind(b"\r", 0, place)) + 1
