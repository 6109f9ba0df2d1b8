"""What telnet and nc leave on a terminal: their own words, in any language, and the lines of both sides."""

import re
from typing import Final

from mailproxy.formats.mixed import COMMAND, REPLY, Mixed
from mailproxy.formats.paste import Paste, head, lines
from mailproxy.model.octets import Mark
from mailproxy.model.session import Recording

_ESCAPE: Final = re.compile(r".*['\u2018\u201c\u00ab\"] ?\^.['\u2019\u201d\u00bb\"].*")
_ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*"
_TRYING: Final = re.compile(rf"\S.{{0,40}}?\b({_ADDRESS})\s?(?:\.\.\.|…).*")
_CONNECTED: Final = re.compile(rf"[^\W\d]\S*(?: \S+){{0,3}} ({_ADDRESS}|[\w-]+(?:\.[\w-]+)*)\.?")
_TYPED: Final = re.compile(r"(?:.*[$#%>] ?)?(?:telnet|nc|ncat|netcat)((?: -\S+)*) +(\S+)(?:[ :]+([0-9]{1,5}))?\s*")
_CLOSED: Final = re.compile(
    r".*(?:clos|geschlossen|beendet|getrennt|ferm[ée]|cerrad|chius|fechad|encerrad|gesloten|verbroken|stäng|lukket|"
    r"zamkni|закры|разорв|uzav|lost|verloren|perdu|切断|关闭).*",
    re.IGNORECASE,
)
_LONGEST: Final = 300  # of a line of telnet's own
_LEFT: Final = re.compile(r"telnet> ?.*|\^\]|Connection closed\.")
_ERROR: Final = re.compile(
    r"(?:telnet|nc|ncat|netcat|ncat): .+|Could not open connection .+|Connecting To .+|Ncat: .+|Unable to connect .+",
    re.I,
)


def recognise(text: str) -> bool:
    """Whether telnet wrote a text, which tells of its escape character, or whom it tries before a server greets.

    Lines of both sides with nothing around them are taken for such a text too.
    """
    found = [line for line in head(text) if line.strip() and len(line) < _LONGEST][:12]
    if any(map(_ESCAPE.fullmatch, found)) or any(line.startswith("telnet: ") for line in found):
        return True
    replies = sum(REPLY.fullmatch(line) is not None for line in found)
    if any(_TRYING.fullmatch(line) or _TYPED.fullmatch(line) for line in found) and replies:
        return True
    return replies > 1 and _spoken(found[0]) and any(map(COMMAND.fullmatch, found))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text from a terminal. Raises FormatError where nothing was said in it."""
    telling = _Telling(Paste(source))
    for line in lines(text):
        telling.line(line)
    return telling.paste.recordings()


class _Telling:
    def __init__(self, paste: Paste) -> None:
        self.paste = paste
        self._mixed = Mixed(paste)
        self._address = ""
        self._port = 0
        self._over = False

    def line(self, line: str) -> None:
        if self._typed(line):
            return
        if self._mixed.begun and not self._over:
            self._within(line)
        elif line.strip():
            self._around(line)

    def _typed(self, line: str) -> bool:
        found = None if self._mixed.inside else _TYPED.fullmatch(line)
        if found:
            self._port = int(found[3] or 23)
            self._again()
        return found is not None

    def _again(self) -> None:
        self.paste.again()
        self._mixed = Mixed(self.paste)
        self._over = False

    def _within(self, line: str) -> None:
        """A line where the two sides talk, unless it tells that they have stopped."""
        if not self._mixed.inside and (_CLOSED.fullmatch(line) or _LEFT.fullmatch(line)) and not _spoken(line):
            if _LEFT.fullmatch(line) and not line.startswith("Connection"):
                return
            client = _LEFT.fullmatch(line) is not None
            self.paste.note(Mark.TROUBLE, f"closed by the {'client' if client else 'server'}")
            self._over = True
        elif line or self._mixed.inside:
            self._mixed.line(line)

    def _around(self, line: str) -> None:
        """A line before the greeting or behind the end."""
        if REPLY.fullmatch(line) or (COMMAND.match(line) and not self._over):
            if self._over:
                self._again()
            self._mixed.line(line)
        elif len(line) >= _LONGEST:
            self.paste.odd(line)
        elif found := _TRYING.fullmatch(line):
            if self._over:
                self._again()
            self._address = found[1]
        elif _ESCAPE.fullmatch(line):
            return
        elif _ERROR.fullmatch(line):
            self.paste.failed(line)
        elif not self._over and (found := _CONNECTED.fullmatch(line)):
            self.paste.connected(found[1], self._address, self._port)
        else:
            self.paste.odd(line)


def _spoken(line: str) -> bool:
    return REPLY.fullmatch(line) is not None or COMMAND.match(line) is not None
