"""Dovecot's rawlogs (`rawlog_dir`): what a client said in NAME.in, what the server said in NAME.out.

Each line begins with the time, `1700000000.123456 CAPA`, in a file for both sides also with `I: ` or `O: `. Of a file
whose name ends in `.in` or `.out` the other is read too where it is there. Lines without times are put in order by who
must wait for whom. Dovecot begins a rawlog behind the login.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import Paste
from mailproxy.formats.timed import count
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording
from mailproxy.protocols.pop3.reader import is_long

_LINE: Final = re.compile(r"(?:([0-9]{9,11})\.([0-9]{6}) ?)?(?:([IO])[:>] ?)?(.*)", re.DOTALL)
_SIGN: Final = re.compile(r"[0-9]{9,11}\.[0-9]{6}(?: |$)|[IO]: (?:\+OK|-ERR|[2-5][0-9]{2} |[A-Z]{4}\b)")
_REPLY: Final = re.compile(r"[2-5][0-9]{2}(?:[ -]|$)|\+OK|-ERR|\+(?: |$)")
_HEAD: Final = re.compile(r"==> .*?\.(in|out) <==")
_NAMES: Final = {".in": ".out", ".out": ".in"}
_SIDES: Final = {".in": Side.CLIENT, ".out": Side.SERVER, "I": Side.CLIENT, "O": Side.SERVER}


class _Said(NamedTuple):
    """A line, who said it, and when in microseconds since 1970; -1 where that is not told."""

    at: int
    side: Side
    text: str


def recognise(text: str) -> bool:
    """Whether it is a rawlog with times or marks; one without is no different from what people type."""
    return count(text, _SIGN) > 0 and all(_SIGN.match(line) or _HEAD.match(line) for line in _some(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The session. Raises FormatError where none is in it."""
    talk = Conversation(Paste(source))
    said = list(_lines(text, _side(text, source)))
    if other := _other(source):
        said += _lines(other, said[0].side.other if said else Side.SERVER)
    talk.paste.note(Mark.COMMENT, "a rawlog begins behind the login")
    for line in _ordered(said):
        if line.at >= 0:
            talk.clock(datetime.fromtimestamp(line.at / 1_000_000, UTC))
        talk.said(line.side, line.text)
    return talk.paste.recordings()


def _some(text: str) -> Iterable[str]:
    return [line for line in text[:4096].split("\n")[:-1] or [text] if line.strip()]


def _lines(text: str, side: Side) -> Iterator[_Said]:
    for line in text.removesuffix("\n").split("\n"):
        if found := _HEAD.match(line):
            side = _SIDES["." + found[1]]
            continue
        found = _LINE.fullmatch(line)
        assert found
        at = int(found[1]) * 1_000_000 + int(found[2]) if found[1] else -1
        yield _Said(at, _SIDES[found[3]] if found[3] else side, found[4])


def _side(text: str, source: str) -> Side:
    """Whose a file is: by its name, else by whether its first line is a reply."""
    if (suffix := Path(source).suffix) in _SIDES:
        return _SIDES[suffix]
    first = _LINE.match(text.split("\n", 1)[0])
    return Side.SERVER if first and _REPLY.match(first[4]) else Side.CLIENT


def _other(source: str) -> str:
    """The text of the other file; empty where there is none."""
    path = Path(source)
    if path.suffix not in _NAMES:
        return ""
    try:
        octets = path.with_suffix(_NAMES[path.suffix]).read_bytes()
    except OSError:
        return ""
    return octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _ordered(said: list[_Said]) -> list[_Said]:
    """By time where it is told; else each command before its reply, the server's first word before all."""
    if all(line.at >= 0 for line in said):
        return sorted(said, key=lambda line: line.at)
    if len({line.side for line in said}) < 2 or any(line.at >= 0 for line in said):
        return said
    client = [line for line in said if line.side is Side.CLIENT]
    server = iter([line for line in said if line.side is Side.SERVER])
    found = list(_answer("", server))
    for line in client:
        found += [line, *_answer(line.text, server)]
    return found + list(server)


def _answer(command: str, server: Iterator[_Said]) -> Iterator[_Said]:
    """The lines of the server that answer a command."""
    first = next(server, None)
    if first is None:
        return
    yield first
    verb, _, argument = command.strip().partition(" ")
    if first.text.upper().startswith("+OK") and is_long(verb.upper(), argument.strip()):
        listing = takewhile(lambda line: line.text != ".", server)
        yield from listing
        yield first._replace(text=".")
    while first and first.text[3:4] == "-" and first.text[:3].isdigit() and (first := next(server, None)):
        yield first
