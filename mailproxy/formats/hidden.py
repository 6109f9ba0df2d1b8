"""Secrets in what other tools wrote: those that a tool hid already, and those in lines that nobody could read."""

import re
from collections.abc import Iterable
from typing import Final

from mailproxy.model.mask import MARK, mark, password, sasl
from mailproxy.protocols.secrets import OPEN_VERBS, echoes, find

HIDDEN: Final = mark("not shown").decode()
"""What stands for a secret that a tool had hidden."""

_WORDS = r"hidden|redacted|masked|removed|suppressed|secret|password|passwd|credentials?|base64|user ?id|omitted|xxx+"
_STAND_IN: Final = re.compile(
    r"[*•●.]+|x{3,}|/\* ?secret ?\*/|logging suppressed\b.*"
    rf"|<[^<>]*(?:{_WORDS})[^<>]*>|\[[^][]*(?:{_WORDS})[^][]*\]|\([^()]*(?:{_WORDS})[^()]*\)",
    re.IGNORECASE,
)
_COMMAND: Final = re.compile(r"([ \t]*(?:PASS|APOP[ \t]+\S+|AUTH[ \t]+[\w-]+)[ \t]+)(.*?)([ \t]*)", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(?:pass(?:wor[dt]|wd|phrase)?|pwd|secret|token|bearer|api[-_]?key|credentials?|[-]ap|"
    r"(?<=\s)-u|master-key|psk|auth(?:enticate)?(?:\s+[\w-]+)?|apop\s+\S+|login)\b[\"']?\s*(?:=>|[:=,( ])\s*(\S.*)",
    re.IGNORECASE,
)
_RESPONSE: Final = re.compile(r"(?=.*[a-z])(?=.*[A-Z0-9])[A-Za-z0-9+/]{6,}={0,2}|[A-Za-z0-9+/]{4,}={1,2}")
_LONG_VERBS: Final = frozenset({"STARTTLS", "XCLIENT", "XFORWARD", "XSENDER", "XEXCH50", "CAPABILITY"})
_BASE64: Final = re.compile(r"(?<![\w+/=])(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z0-9])[A-Za-z0-9+/]{12,}={0,2}(?![\w+/=])")


def hidden(line: str, whole: bool = False) -> str:
    """A client's line with a mark where a tool wrote `*`, `[credentials hidden]` and the like for its secret.

    With `whole` all of the line may be one, as in a SASL exchange, where a lone `*` means to give up.
    """
    if found := _COMMAND.fullmatch(line):
        return found[1] + HIDDEN + found[3] if _stands_in(found[2]) else line
    return HIDDEN if whole and line.strip() != "*" and _stands_in(line.strip()) else line


def is_open(line: str) -> bool:
    """Whether a client's line does not look like a response, one word in base64, where none was asked for."""
    return line.upper() in _LONG_VERBS or _RESPONSE.fullmatch(line) is None


def response(line: str) -> str:
    """A client's line where a response was asked for, though AUTH is not there for a reader to know it by."""
    said = line.strip().encode("utf-8", "surrogateescape")
    if said.split(b" ", 1)[0].upper() in OPEN_VERBS | {b"", b"*"} or MARK.fullmatch(said):
        return line
    return HIDDEN if _stands_in(line.strip()) else mark(sasl("SASL", said)).decode()


def veiled(line: str) -> str:
    """A line that nobody could read, with marks for what looks like a secret: what such a word tells, and base64."""
    if found := _NAMED.search(line):
        return veiled(line[: found.start(1)]) + mark(password(found[1].encode("utf-8", "replace"))).decode()
    return _BASE64.sub(lambda found: mark(password(found[0].encode())).decode(), line)


def said(line: bytes) -> set[bytes]:
    """The secrets that a command holds, in all forms in which they may be repeated."""
    secret = find(line, ())
    return echoes(line[secret.start : secret.end]) if secret else set()


def without(text: str, secrets: Iterable[bytes]) -> str:
    """A text with marks for these secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret.decode("utf-8", "surrogateescape"), HIDDEN)
    return text


def _stands_in(text: str) -> bool:
    return not MARK.fullmatch(text.encode("utf-8", "replace")) and _STAND_IN.fullmatch(text) is not None
