"""What `msmtp -d` prints: `-->` and `<--` for what was said, its settings before that, its complaint behind."""

import re
from typing import Final

from mailproxy.formats.paste import Paste, head, tell_all
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_VOICE: Final = re.compile(r"(-->|<--)(?: (.*)|$)")
_SETTING: Final = re.compile(r"([a-z_ ]{2,30}) = (.*)")
_ABOUT: Final = re.compile(
    r"(?:using|loaded|ignoring|falling back|reading|system configuration) .*|"
    r"TLS (?:session parameters|certificate).*|\s+\S.*"
)
_SESSION: Final = re.compile(r"\s*\(?(TLS ?1?[\d.]*)\)?-(\(.*\))")
_COMPLAINT: Final = re.compile(r"(?:msmtp|mpop): (.*)")


def recognise(text: str) -> bool:
    """Whether msmtp wrote a text: both sides speak behind its marks, and not of POP3, which mpop does."""
    marks = {line[:4] for line in head(text) if _VOICE.match(line)}
    return len(marks) == 2 and not any(line.startswith(("<-- +OK", "<-- -ERR")) for line in head(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text that msmtp wrote. Raises FormatError where nothing was said in it."""
    return tell_all(Paste(source, quiet=True), text, _Telling().line, re.compile(r"(?<!\S)(?:-->|<--) "))


class _Telling:
    def __init__(self) -> None:
        self._settings: dict[str, str] = {}

    def line(self, paste: Paste, line: str) -> bool:
        if found := _VOICE.match(line):
            self._connected(paste)
            paste.said(Side.CLIENT if found[1] == "-->" else Side.SERVER, found[2] or "")
        elif found := _SETTING.fullmatch(line):
            self._setting(paste, found[1], found[2])
        elif found := _SESSION.fullmatch(line):
            self._connected(paste)
            paste.secured(f"{found[1].replace(' ', '')}, {found[2]}")
        elif found := _COMPLAINT.fullmatch(line):
            self._complaint(paste, found[1])
        else:
            return _ABOUT.fullmatch(line) is not None
        return True

    def _setting(self, paste: Paste, name: str, value: str) -> None:
        if name == "host":
            paste.again()
            self._settings = {}
        self._settings[name] = value

    def _connected(self, paste: Paste) -> None:
        host, port = self._settings.pop("host", ""), self._settings.pop("port", "")
        if host and not paste.sides:
            paste.connected(host, port=int(port) if port.isdecimal() and len(port) < 6 else 0)

    def _complaint(self, paste: Paste, text: str) -> None:
        if text.startswith(("server message:", "recipient address", "could not send", "envelope from")):
            paste.note(Mark.COMMENT, text)
        else:
            paste.failed(text)
