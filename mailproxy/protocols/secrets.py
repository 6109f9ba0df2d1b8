"""Where secrets stand in what a client says, however they were typed.

A line is looked at by its verb alone, in any protocol: PASS in an SMTP session holds a password too.
Verbs a slip of the finger away from PASS and AUTH count as those. What a reader knows beyond the line
(that a SASL response is due, that an unknown word after USER may be the password) it adds itself.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from mailproxy.model.mask import MARK, mark, password, sasl

_NAMES: Final = """
    PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM GSSAPI GSS-SPNEGO SPNEGO XOAUTH XOAUTH2 OAUTHBEARER EXTERNAL ANONYMOUS
    KERBEROS_V4 SKEY OTP SRP SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512
    SCRAM-SHA-512-PLUS MSN PASSDSS-3DES-1 SECURID XAOL-UAS-MB
"""
MECHANISMS: Final = frozenset(_NAMES.split())
SHORTEST_ECHO: Final = 4


def _slips(word: str) -> set[str]:
    """Patterns for the words one slip away: a letter left out, wrong or too many, two letters swapped."""
    found = {word}
    for i in range(len(word)):
        found |= {word[:i] + word[i + 1 :], word[:i] + "[A-Z]" + word[i + 1 :], word[:i] + "[A-Z]" + word[i:]}
        found.add(word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :])
    return found


# The verb, then how many arguments that are no secret.
_PASSWORD: Final = re.compile(rb"[ \t]*pass(?:word|wd)?", re.I)
_LIKE_PASS: Final = re.compile("|".join(_slips("PASS") | {"RPOP"}).encode())
_LIKE_AUTH: Final = re.compile("|".join(_slips("AUTH")).encode())
_ONE_OPEN: Final = frozenset({b"APOP", b"LOGIN", b"USER", b"USR", b"LOGI"})
_XCLIENT: Final = re.compile(rb"\bLOGIN=(<secret: [^<>\r\n]*>|[^ \r\n]*)", re.I)
_VERB: Final = re.compile(rb"[ \t]*([A-Za-z]+)(?![\w-])")
_ARGUMENT: Final = re.compile(rb"[ \t]*[^ \t\r\n]+[ \t]+")
OPEN_VERBS: Final = frozenset({b"MAIL", b"RCPT", b"DATA", b"EHLO", b"LHLO", b"QUIT", b"RSET", b"NOOP", b"BDAT"})


class Secret(NamedTuple):
    """From index `start` to `end` of a line stands a secret of this `shape`."""

    start: int
    end: int
    shape: str


def body(line: bytes) -> bytes:
    """The line without the line end that belongs to it."""
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith((b"\n", b"\r")) else line


def find(line: bytes, known: Iterable[bytes], open_helo: bool = True) -> Secret | None:
    """The secret in a command line; `known` are the verbs of the protocol, which no slip is looked for in.

    `open_helo` is false where HELO carries a password (POP2).
    """
    start = secret_start(line, known, open_helo)
    if start is None:
        return None
    end = len(body(line))
    if (found := _VERB.match(line)) and found[1].upper() == b"XCLIENT":
        login = _XCLIENT.search(line)
        return Secret(login.start(1), login.end(1), password(login[1])) if login else None
    if found and _like(found[1].upper(), known, _LIKE_AUTH):
        return _auth(line, start, end)
    blank = _PASSWORD.match(line) is not None and line[start - 1 : start].isspace()
    return Secret(start, end, password(line[start:end])) if start < end + blank else None


def secret_start(line: bytes, known: Iterable[bytes], open_helo: bool = True) -> int | None:
    """From where on a command line that may not be whole yet could hold a secret; None where nowhere."""
    if found := _PASSWORD.match(line):
        return found.end() + (line[found.end() : found.end() + 1] in {b" ", b"\t", b":", b"="})
    if not (found := _VERB.match(line)):
        return None
    verb = found[1].upper()
    behind = found.end() + (line[found.end() : found.end() + 1] in {b" ", b"\t", b":", b"="})
    if verb in OPEN_VERBS:
        return None
    if verb == b"XCLIENT" or _like(verb, known, _LIKE_PASS) or _like(verb, known, _LIKE_AUTH):
        return behind
    if verb in _ONE_OPEN or (verb == b"HELO" and not open_helo):
        argument = _ARGUMENT.match(line, found.end())
        return argument.end() if argument else max(len(line), found.end() + 1)
    return None


def response(line: bytes, mechanism: str, step: int) -> Secret | None:
    """The secret in a client's response in a SASL exchange; None for `*` (cancelled) and an empty line."""
    end = len(body(line))
    said = line[:end]
    return None if said in {b"", b"*"} else Secret(0, end, sasl(mechanism, said, step))


def whole(line: bytes) -> Secret | None:
    """A line that may be a secret from its first octet to its last."""
    end = len(body(line))
    return Secret(0, end, password(line[:end])) if line[:end].strip() else None


def is_marked(octets: bytes) -> bool:
    """Whether they are a mark already, as in what is read again from a record."""
    return MARK.fullmatch(octets) is not None


def echoes(secret: bytes) -> set[bytes]:
    """In which forms a server may repeat a secret: as it came, in base64, and what stood in its base64."""
    found = {secret, secret.strip(), base64.b64encode(secret)}
    try:
        message = base64.b64decode(secret.strip(), validate=True)
    except binascii.Error:
        message = b""
    found.add(message)
    found.update(message.split(b"\0")[2:])
    return {form for form in found if len(form) >= SHORTEST_ECHO}


def shown(octets: bytes, known: Iterable[bytes], open_helo: bool = True) -> bytes:
    """Lines of a client with marks for all that is a secret or may be one: behind a login, or where no verb leads."""
    known = frozenset(known)
    lines: list[bytes] = []
    trusted = True
    for line in octets.splitlines(keepends=True):
        verb = line.split(None, 1)[:1]
        trusted = trusted and bool(verb) and verb[0].upper() in known
        secret = find(line, known, open_helo) if trusted else whole(line)
        trusted = trusted and verb[0].upper() in OPEN_VERBS
        if secret and not is_marked(line[secret.start : secret.end]):
            line = line[: secret.start] + mark(secret.shape) + line[secret.end :]
        lines.append(line)
    return b"".join(lines)


def _like(verb: bytes, known: Iterable[bytes], pattern: re.Pattern[bytes]) -> bool:
    return pattern.fullmatch(verb) is not None and (verb not in known or verb in {b"PASS", b"AUTH", b"RPOP"})


def _auth(line: bytes, start: int, end: int) -> Secret | None:
    """AUTH mechanism [initial response]; a word that is no mechanism is taken for the secret itself."""
    words = line[start:end].split(None, 1)
    if not words or is_marked(line[start:end]):
        return None
    name = words[0].decode("ascii", "replace").upper()
    if name not in MECHANISMS:
        return Secret(start, end, password(line[start:end]))
    if len(words) == 1:
        return None
    at = line.index(words[1], line.index(words[0], start) + len(words[0]))
    return Secret(at, end, sasl(name, words[1], 0))
