"""What nodemailer logs with `logger: true, debug: true`, in lines or as objects.

Lines: `[2024-01-31 12:00:00] DEBUG [sid] S: 220 x`; those of a message have no mark. Objects, as loggers print them:
`{ component: 'smtp-connection', sid: 'x', tnx: 'server' } 220 y`, or JSON with `tnx` and `msg` a line. In place of a
password nodemailer writes the base64 of `/* secret */`.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any, Final, NamedTuple

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import clean
from mailproxy.formats.several import Several
from mailproxy.formats.timed import beginning, timed
from mailproxy.model.mask import NAME, mark
from mailproxy.model.session import Recording

_LINE: Final = re.compile(r"(TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +(?:\[(?:#)?([\w-]+)\] ?)?(.*)")
_LINE_SIGN: Final = re.compile(r"(?:DEBUG|INFO) +\[#?[\w-]+\] (?:[SC]: |Connection |Secure connection)")
_OBJECT: Final = re.compile(
    r"^[^{}\n]{0,80}\{\s*(?:component|tnx|sid|cid)[^{}]{0,300}?\btnx: ?'(?P<tnx>[\w-]+)'[^{}]{0,300}\}[ \t]*",
    re.MULTILINE,
)
_OBJECT_SIGN: Final = re.compile(r"tnx['\"]?: ?['\"](?:server|client|network)['\"]")
_SID: Final = re.compile(r"\b[sc]id: ?'([\w-]+)'")
_TO: Final = re.compile(
    r"(Secure connection|Connection)?.*established to (\S+?):([0-9]{1,5})\b"
    r"|(Connection|Secure connection) (\S+) ([0-9]{1,5})$"
)
_UPGRADED: Final = re.compile(r"Connection upgraded with STARTTLS")
_SECRET: Final = b"/* secret */"
_LONGEST: Final = 300  # of what nodemailer says itself


class _Entry(NamedTuple):
    """Something that was logged: who says it (`server`, `client`, `message`, else the tool), and what.

    Nobody says a line that is not of the log.
    """

    moment: datetime | time | None
    session: str
    who: str
    text: str


def recognise(text: str) -> bool:
    """Whether it is what nodemailer logs."""
    return any(_LINE_SIGN.match(line) or _OBJECT_SIGN.search(line) for line in beginning(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = Several(source)
    for entry in _entries(text):
        talk = reading.of(entry.session, "smtp") if entry.session else reading.last
        match entry.who:
            case "server" | "client" | "message" if talk:
                talk.clock(entry.moment)
                _said(talk, entry)
            case "" if not entry.session:
                reading.odd(entry.text)
            case _ if talk:
                talk.clock(entry.moment)
                _told(talk, entry.text)
            case _:
                reading.told(entry.text)
    return reading.recordings()


def _entries(text: str) -> Iterator[_Entry]:
    if any(_LINE_SIGN.match(line) for line in beginning(text)):
        return _of_lines(text)
    cleaned = clean(text)
    return _of_objects(cleaned) if _OBJECT.search(cleaned) else _of_json(cleaned)


def _of_lines(text: str) -> Iterator[_Entry]:
    for moment, line in timed(text):
        found = _LINE.fullmatch(line)
        if not found:
            yield _Entry(moment, "", "", line)
            continue
        session, said = found[2] or "", found[3]
        match said[:3]:
            case "S: ":
                yield _Entry(moment, session, "server", said[3:])
            case "C: ":
                yield _Entry(moment, session, "client", said[3:])
            case _:
                yield _Entry(moment, session, "message" if found[1] == "DEBUG" and session else "tool", said)


def _of_objects(text: str) -> Iterator[_Entry]:
    heads = list(_OBJECT.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        session = _SID.search(head[0])
        said = text[head.end() : end].removesuffix("\n")
        if len(said) > 1 and said[0] == said[-1] and said[0] in "'\"`":
            said = said[1:-1]
        yield _Entry(None, session[1] if session else "", head["tnx"], said)


def _of_json(text: str) -> Iterator[_Entry]:
    for line in text.split("\n"):
        try:
            found: Any = json.loads(line[line.index("{") :])
        except (ValueError, RecursionError):
            yield _Entry(None, "", "", line)
            continue
        if isinstance(found, dict):
            said = str(found.get("msg", found.get("message", "")))
            session = str(found.get("sid", found.get("cid", "")))
            yield _Entry(_when(found.get("time")), session, str(found.get("tnx", "")), said)


def _when(time: object) -> datetime | None:
    """pino tells milliseconds since 1970."""
    if isinstance(time, int | float) and 0 <= time < 10**13:
        return datetime.fromtimestamp(time / 1000, UTC)
    return None


def _said(talk: Conversation, entry: _Entry) -> None:
    lines = entry.text.replace("\r\n", "\n").split("\n")
    if entry.who == "message" and not talk.in_content:
        _told(talk, entry.text)
        return
    for line in lines:
        if entry.who == "server":
            talk.server(line)
        else:
            talk.client(line if talk.in_content else _hidden(line))


def _told(talk: Conversation, text: str) -> None:
    if found := _TO.search(text[:_LONGEST]):
        talk.connected(found[2] or found[5], port=int(found[3] or found[6]))
        if (found[1] or found[4] or "").startswith("Secure"):
            talk.secured()
    elif _UPGRADED.search(text):
        talk.secured()
    elif "rror" in text[:_LONGEST]:
        talk.told(text)


def _hidden(line: str) -> str:
    """A line with a mark for the secret that nodemailer has not shown."""
    before, _, last = line.rpartition(" ")
    try:
        message = base64.b64decode(last, validate=True)
    except (binascii.Error, ValueError):
        return line
    if _SECRET not in message:
        return line
    user = message.split(b"\0")[1].decode("utf-8", "replace") if message.count(b"\0") == 2 else ""
    shape = f"PLAIN, user {user}, password not shown" if NAME.fullmatch(user) else "not shown"
    return f"{before} {mark(shape).decode()}".lstrip()
