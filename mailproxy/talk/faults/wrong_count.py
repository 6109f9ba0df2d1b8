"""Numbers of octets that are not true: those of RETR, TOP, STAT and LIST (RFC 1939), `=n` of POP2 (RFC 937)."""

import re
from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import UNITS, FaultError, Kind, Place, Sort, Stream, Unit, What
from mailproxy.talk.faults.streams import Whole
from mailproxy.talk.faults.unstuffed import fetches

_SECOND: Final = re.compile(rb"^((?:\+OK )?\d+ )(\d{1,15})", re.I | re.M)
_SAID: Final = re.compile(rb"^(=\s*)(\d{1,15})|^(.*?[ (])(\d{1,15})(?=\s+(?:octets|bytes)\b)", re.I)
_NUMBERED: Final = frozenset({"STAT", "LIST"})


@dataclass(frozen=True, slots=True)
class WrongCount(What):
    """What is announced is `off` by so many octets."""

    off: int

    @property
    def says(self) -> str:
        return f"announced octets off by {self.off:+} by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        pattern = self._pattern(unit)
        return Whole(lambda octets: pattern.sub(self._wrong, octets)) if pattern else None

    def _pattern(self, unit: Unit) -> re.Pattern[bytes] | None:
        match unit.sort:
            case Sort.LISTING:
                return _SECOND if unit.verb == "LIST" else None
            case Sort.REPLY if unit.verb in _NUMBERED:
                return _SECOND
            case Sort.REPLY:
                return _SAID
            case _:
                return None

    def _wrong(self, found: re.Match[bytes]) -> bytes:
        before, number = [group for group in found.groups() if group is not None]
        return before + str(max(int(number) + self.off, 0)).encode()


def read(text: str) -> What:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text or "+1", re.ASCII) or not int(text or "+1"):
        raise FaultError(f"wrong count by how many octets? {text!r} is no number: write wrong count -2")
    return WrongCount(int(text or "+1"))


WRONG_COUNT: Final = Kind(
    "wrong count", "[at VERB] wrong count [±N]",
    "the octets that the server announces (RETR, TOP, LIST, STAT; `=n` of POP2) are off by N, or by one too many",
    "at RETR wrong count -2", UNITS - {Place.GREETING, Place.CONTENT}, read, fits=fetches,
)  # fmt: skip
