"""A message as far as a comparison reads it: its fields (RFC 5322 section 2.2) and its parts (RFC 2045).

Most messages have one part that stands as it is, and are taken apart here; the others are read by Python's `email`,
which takes twenty times as long and says the same.
"""

import email
import email.policy
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from mailproxy.model.escape import escape_text

_FIELD: Final = rb"([!-9;-~]+):([^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)"
_FIELDS: Final = re.compile(_FIELD)
_HEAD: Final = re.compile(rb"(?:" + _FIELD + rb")*\r\n")
_TYPE: Final = re.compile(r"(text/[a-z]+)(?:; ?charset=(\"?)([\w.-]+)\2)?", re.IGNORECASE | re.ASCII)
_MIME: Final = frozenset({"content-type", "content-transfer-encoding"})
_AS_IT_IS: Final = frozenset({"", "7bit", "8bit", "binary"})


class Part(NamedTuple):
    """A MIME part: its type, its charset, its name, how many octets it has once decoded, and their digest."""

    type: str
    charset: str
    name: str
    length: int
    digest: bytes

    def __str__(self) -> str:
        charset = f" in {self.charset}" if self.charset else ""
        named = f" {self.name!r}" if self.name else ""
        return escape_text(f"{self.type}{charset}{named}, {self.length} octets")


class Message(NamedTuple):
    """What stands in the fields, unfolded, by their names in lower case; of a field that is there more than once all
    that stands in it, in order."""

    fields: Mapping[str, str]
    parts: tuple[Part, ...]


def read(octets: bytes) -> Message:
    """The message in these octets, whatever they are; its end and its doubled dots are gone."""
    return _plain(octets) or by_email(octets)


def by_email(octets: bytes) -> Message:
    """The same by Python's `email` alone."""
    read = email.message_from_bytes(octets, policy=email.policy.compat32)
    parts: list[Part] = []
    for part in read.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            body = payload if isinstance(payload, bytes) else b""
            charset, name = str(part.get_content_charset("")), part.get_filename() or ""
            parts.append(_part(part.get_content_type(), charset, name, body))
    return Message(_fields(read.raw_items()), tuple(parts))


def _plain(octets: bytes) -> Message | None:
    """The message where it is one text that stands as it is; None where it may be more."""
    head = _HEAD.match(octets)
    if not head:
        return None
    items = [(name.decode(), value.decode("ascii", "surrogateescape")) for name, value in _FIELDS.findall(head[0])]
    fields = _fields(items)
    if any(name.startswith("content-") and name not in _MIME for name in fields):
        return None
    type = _TYPE.fullmatch(fields.get("content-type", "text/plain"))
    if not type or fields.get("content-transfer-encoding", "").lower() not in _AS_IT_IS:
        return None
    return Message(fields, (_part(type[1].lower(), (type[3] or "").lower(), "", octets[head.end() :]),))


def _fields(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, value in items:
        name, text = field.lower(), " ".join(value.split())
        found[name] = f"{found[name]} / {text}" if name in found else text
    return found


def _part(type: str, charset: str, name: str, body: bytes) -> Part:
    body = body.replace(b"\r\n", b"\n").rstrip(b"\n")
    return Part(type, charset, name, len(body), hashlib.sha256(body).digest())
