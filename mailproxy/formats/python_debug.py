"""What Python's smtplib and poplib print after `set_debuglevel`, from Python 2 on."""

import re
from typing import Final

from mailproxy.formats.clean import lines, timed
from mailproxy.formats.paste import Paste, head
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_SMTP: Final = re.compile(r"(.{0,60}?)\b(send|reply|data|connect): (.*)")
_POP3: Final = re.compile(r"(.{0,60}?)\*(cmd|put|get|resp|stat|welcome|retr|error)\* (.*)")
_LITERAL: Final = re.compile(r"[bBuU]?(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", re.S)
_OPEN: Final = re.compile(r"[bBuU]?['\"]")
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.S)
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_WHERE: Final = re.compile(r"(?:to )?\(u?'([^']*)', ([0-9]{1,5})\)")
_RAISED: Final = re.compile(
    r"(?:[\w.]+\.)?(\w*(?:Error|Exception|timeout|error|error_proto|Disconnected|Refused)): (.*)"
)
_REFUSED: Final = re.compile(
    r"\w*(?:Authentication|SenderRefused|RecipientsRefused|DataError|HeloError|Response|error_proto)"
)
_LONGEST: Final = 1000  # of a line that names an exception
_WRAPPED: Final = 400  # lines that one literal may be broken into


def recognise(text: str) -> bool:
    """Whether smtplib or poplib wrote a text."""
    found = [each for line in head(text) if (each := _SMTP.match(line) or _POP3.match(line))]
    return any(_OPEN.match(each[3]) and each[2] not in {"data", "connect"} for each in found)


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text that smtplib or poplib wrote. Raises FormatError where nothing was said in it."""
    telling = _Telling(Paste(source, quiet=True), {found[2] for line in head(text) if (found := _POP3.match(line))})
    for line in lines(text, times=True):
        telling.line(line)
    return telling.end()


def literal(text: str) -> bytes | None:
    """The octets that a string of Python's stands for; None where it is none, or not whole."""
    found = _LITERAL.fullmatch(text.strip())
    if not found:
        return None
    inner = (found[1] if found[1] is not None else found[2]).encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(
        lambda each: bytes.fromhex(each[1].decode()) if each[1] else _ESCAPES.get(each[2], each[2]), inner
    )


class _Telling:
    """`shown` are the marks of poplib that the text has: what it says twice is told once."""

    def __init__(self, paste: Paste, shown: set[str]) -> None:
        self._paste = paste
        self._client = "put" if "put" in shown else "cmd"
        self._server = "get" if "get" in shown else "resp"
        self._open: list[str] = []

    def line(self, line: str) -> None:
        """Read a line; one that breaks off in a string waits for the next."""
        if self._open and not (_SMTP.match(line) or _POP3.match(line)) and len(self._open) < _WRAPPED:
            self._open.append(line)
            if self._told("".join(self._open)):
                self._open = []
            return
        self._give_up()
        if self._told(line):
            return
        found = _SMTP.match(line) or _POP3.match(line)
        if found and _OPEN.match(found[3]):
            self._open = [line]
        else:
            self._paste.odd(line)

    def end(self) -> list[Recording]:
        self._give_up()
        return self._paste.recordings()

    def _give_up(self) -> None:
        for line in self._open:
            self._paste.odd(line)
        self._open = []

    def _told(self, line: str) -> bool:
        if found := _SMTP.match(line):
            return self._clocked(found) and self._smtp(found[2], found[3])
        if found := _POP3.match(line):
            return self._clocked(found) and self._pop3(found[2], found[3])
        if len(line) < _LONGEST and (found := _RAISED.fullmatch(line.strip())):
            self._raised(found[1], found[2])
            return True
        return line.startswith(("Traceback (", "During handling of", "The above exception"))

    def _clocked(self, found: re.Match[str]) -> bool:
        moment, _ = timed(found[1].lstrip())
        if moment is not None:
            self._paste.clock(moment)
        return True

    def _smtp(self, what: str, text: str) -> bool:
        said = literal(text)
        if what == "connect" and (found := _WHERE.match(text)):
            self._paste.again()
            self._paste.connected(found[1], port=int(found[2]))
        elif what in {"send", "reply"} and said is not None:
            self._paste.said(Side.CLIENT if what == "send" else Side.SERVER, said)
        else:
            return what in {"data", "connect"} or text.startswith("retcode (")
        return True

    def _pop3(self, what: str, text: str) -> bool:
        said = literal(text)
        if what not in {self._client, self._server}:
            return True
        if said is None:
            return False
        side = Side.CLIENT if what == self._client else Side.SERVER
        self._paste.said(side, said if said.endswith(b"\n") else said + b"\r\n")
        return True

    def _raised(self, name: str, text: str) -> None:
        if _REFUSED.match(name):
            self._paste.note(Mark.COMMENT, name)  # what it quotes is said above
        else:
            self._paste.failed(f"{name}: {text}")
