"""Faults as they are written: `[at WHERE] WHAT [WHEN]`."""

import re
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.fault import Fault, FaultError, Kind, Place, When, Where
from mailproxy.talk.faults.suits import check

SYNTAX: Final = "[at WHERE] WHAT [WHEN]"
_WHERE: Final = re.compile(
    r"(?P<how>at|after)\s+(?:(?P<fixed>connect|greeting)|octet\s+(?P<octet>[0-9]+)(?:\s+of\s+(?P<side>client|server))?"
    r"|content(?:\s+(?P<message>[0-9]+))?|(?P<verb>[A-Z][A-Z0-9-]*)(?:\s+(?P<number>[0-9]+))?)(?:\s+|$)",
    re.I,
)
_OCTETS: Final = re.compile(r"\s+after\s+([0-9]{1,15})\s+octets?$", re.I)
_WHEN: Final = re.compile(
    r"\s+(?:(?P<first>first)|(?P<one_in>one\s+in)|after(?=\s+[0-9]+\s+messages?$)|above(?=\s+[0-9]+\s+connections?$)"
    r"|(?P<since>from\s+session)|(?P<session>in\s+session))\s+(?P<n>[0-9]{1,9})(?:\s+(?P<of>messages?|connections?))?$",
    re.I,
)


def parse(text: str, protocol: str = "") -> Fault:
    """A fault as it is written; raises FaultError with one line that says what to write.

    Whether it makes sense in a protocol is asked where the protocol is named.
    """
    written = text.strip()
    rest, when = _when(written)
    where, rest = _where(rest)
    kind, said = _kind(rest)
    if Place.OCTET in kind.places:
        where, said = _inside(where, said)
    where = where or Where(kind.usual)
    _check(kind, where)
    fault = Fault(written, kind, where, kind.read(said), when)
    if protocol:
        check(fault, protocol)
    return fault


def _kind(text: str) -> tuple[Kind, str]:
    """The kind whose name the text begins with, the longest, and what stands behind it."""
    lower = text.lower()
    found = [kind for kind in FAULTS if lower == kind.name.lower() or lower.startswith(f"{kind.name.lower()} ")]
    if not found:
        names = ", ".join(kind.name for kind in FAULTS)
        raise FaultError(f"no fault: {text!r}; write {SYNTAX}, where WHAT is one of {names}")
    kind = max(found, key=lambda kind: len(kind.name))
    return kind, text[len(kind.name) :].strip()


def _where(text: str) -> tuple[Where | None, str]:
    if not (found := _WHERE.match(text)):
        return None, text
    after = found["how"].lower() == "after"
    rest = text[found.end() :]
    if found["fixed"]:
        return Where(Place(found["fixed"].lower()), after=after), rest
    if found["octet"]:
        number = _number(found["octet"], text)
        return Where(Place.OCTET, "", number, Side((found["side"] or "server").lower()), after), rest
    if found["verb"]:
        return Where(Place.COMMAND, found["verb"].upper(), _number(found["number"], text), after=after), rest
    return Where(Place.CONTENT, "", _number(found["message"], text), after=after), rest


def _number(digits: str | None, text: str) -> int:
    if digits is None:
        return 0
    if not 0 < len(digits) < 16 or not int(digits):
        raise FaultError(f"counted from 1: {text!r}")
    return int(digits)


def _inside(where: Where | None, said: str) -> tuple[Where | None, str]:
    """`after N octets` of a content."""
    if where and where.place is Place.CONTENT and (found := _OCTETS.search(f" {said}")):
        return where._replace(octets=int(found[1])), f" {said}"[: found.start()].strip()
    return where, said


def _when(text: str) -> tuple[str, When]:
    when = When()
    while found := _WHEN.search(text):
        number = int(found["n"])
        if not number and not (found["of"] or "").lower().startswith(("message", "connection")):
            raise FaultError(f"counted from 1: {found[0].strip()!r}")
        text = text[: found.start()]
        when = _with(when, found, number)
    return text, when


def _with(when: When, found: re.Match[str], number: int) -> When:
    if found["first"]:
        return when._replace(first=number)
    if found["one_in"]:
        return when._replace(one_in=number)
    if found["since"]:
        return when._replace(since=number)
    if found["session"]:
        return when._replace(since=number, until=number)
    return when._replace(**{"messages" if found["of"].lower().startswith("message") else "connections": number})


def _check(kind: Kind, where: Where) -> None:
    if where.place in kind.places and not (where.after and where.place in {Place.OCTET, Place.CONNECT}):
        return
    if where.place is Place.ANYWHERE:
        raise FaultError(f"{kind.name} where? write {kind.syntax}: {kind.example}")
    raise FaultError(f"{kind.name!r} does not stand there; write {kind.syntax}: {kind.example}")
