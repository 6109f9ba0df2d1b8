"""Names of people and machines, each replaced by one that tells nothing, the same one by the same everywhere.

`alice@mail.example.org` becomes `user1@host1.domain1.example` (RFC 2606), an address one for documentation (RFC 5737,
RFC 3849). This machine (127.0.0.1, localhost) keeps its name.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

_LABEL = r"[\w](?:[\w-]*\w)?"
_LOCAL = r"[^\s<>@,;:\"'()\[\]=|]+"
_PATTERNS: Final = (
    r"(?P<angle>(?<=<)[^<>\s@]+@[^<>\s@]+(?=>))",
    rf"(?P<mail>{_LOCAL}@(?:\[[^\s\]]+\]|{_LABEL}(?:\.{_LABEL})*))",
    r"(?P<v6>(?<![\w:.])(?:IPV6:)?(?:[0-9A-F]{0,4}:){2,7}(?:[0-9A-F]{0,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![\w:]))",
    r"(?P<v4>(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9]))",
    rf"(?P<host>(?<![\w.@])(?:{_LABEL}\.)+(?:[^\W\d_]{{2,24}}|xn--[\w-]+)(?![\w@]))",
    r"(?P<queued>(?<=queued as )[\w-]+|(?<=\bid=)[\w-]+)",
    r"(?P<number>(?<![\w+/=-])(?=[\w+/-]*[0-9])[\w+/-]{12,}(?:\.[0-9]+)?={0,2}(?![\w+/=]))",
)
_NO_NUMBER: Final = re.compile(r"[A-Z0-9_-]+|VXNlcm5hbWU6|UGFzc3dvcmQ6")
_SECOND: Final = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go"})
_TELLING: Final = 3  # letters of a word that is looked for in prose
_OWN: Final = frozenset({"localhost", "localhost.localdomain"})


class Names:
    """What stands for what. `words` are names that no form shows: of users, and of machines without a domain."""

    def __init__(self, users: Iterable[str] = (), machines: Iterable[str] = (), texts: Iterable[str] = ()) -> None:
        self._masks: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._words = {text: "(left out)" for text in texts if len(text) > _TELLING}
        for user in users:
            self._words.setdefault(user.lower(), self._numbered("user", user))
        for machine in machines:
            self._words.setdefault(machine.lower(), self._numbered("host", machine))
        self._speech = self._pattern(_PATTERNS, 1)
        self._seen: set[str] = set()

    def hidden(self, text: str) -> str:
        """What a peer said, or what is known of it."""
        return self._speech.sub(self._mask, text)

    def told(self, text: str) -> str:
        """A sentence of ours that may quote a peer: of hosts those are replaced that were met before."""
        hosts = "|".join(map(re.escape, sorted(self._seen, key=len, reverse=True)))
        host = [rf"(?P<host>(?<![\w.-])(?:{hosts})(?![\w-]))"] if hosts else []
        return self._pattern([*_PATTERNS[:4], *host], _TELLING).sub(self._mask, text)

    def party(self, name: str) -> str:
        """A distinguished name of a certificate."""
        return f"CN={self._numbered('party', name)}"

    def number(self, text: str) -> str:
        """What tells a message from others."""
        return self._numbered("id", text)

    def _pattern(self, forms: Iterable[str], least: int) -> re.Pattern[str]:
        words = sorted((word for word in self._words if len(word) >= least), key=len, reverse=True)
        word = rf"(?P<word>(?<![\w@.])(?:{'|'.join(map(re.escape, words))})(?![\w@]))"
        return re.compile("|".join([*forms, *([word] if words else [])]), re.IGNORECASE)

    def _mask(self, found: re.Match[str]) -> str:
        text = found[0]
        match found.lastgroup:
            case "mail" | "angle":
                local, _, domain = text.rpartition("@")
                return f"{self._user(local)}@{self.hidden(domain) if domain.startswith('[') else self._host(domain)}"
            case "v6" | "v4":
                return self._address(text)
            case "host":
                return self._host(text)
            case "queued":
                return self.number(text)
            case "number":
                return text if _NO_NUMBER.fullmatch(text) else self.number(text)
            case _:
                return self._words.get(text.lower(), "(left out)")

    def _user(self, name: str) -> str:
        numeric = re.fullmatch(r"[0-9A-Fa-f.$%_-]*[0-9][0-9A-Fa-f.$%_-]*", name)
        return self._numbered("id" if numeric else "user", name)

    def _host(self, name: str) -> str:
        labels = name.lower().rstrip(".").split(".")
        if name.lower() in _OWN:
            return name
        if len(labels) == 1:
            return self._numbered("host", labels[0])
        self._seen.add(name.lower())
        own = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
        domain = f"{self._numbered('domain', '.'.join(labels[-own:]))}.example"
        return f"{self._numbered('host', '.'.join(labels[:-own]))}.{domain}" if labels[:-own] else domain

    def _address(self, text: str) -> str:
        prefix, bare = (text[:5], text[5:]) if text[:5].upper() == "IPV6:" else ("", text)
        try:
            address = ip_address(bare)
        except ValueError:
            return text  # a time, a fingerprint
        if address.is_loopback or address.is_unspecified:
            return text
        number = self._count(f"v{address.version}", str(address))
        if address.version == 6:
            return f"{prefix}2001:db8::{number:x}"
        number -= 1
        nets = ("192.0.2", "198.51.100", "203.0.113")
        return f"{nets[number // 254 % 3]}.{number % 254 + 1}"

    def _numbered(self, kind: str, text: str) -> str:
        key = kind, text.lower()
        if key not in self._masks:
            self._masks[key] = f"{kind}{self._count(kind, text.lower())}"
        return self._masks[key]

    def _count(self, kind: str, text: str) -> int:
        """The number of a text among those of its kind."""
        key = f"{kind} {text}"
        if key not in self._counts:
            self._counts[key] = self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[key]
