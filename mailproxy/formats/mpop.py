"""What `mpop --debug` prints: its settings, then `--> CAPA` and `<-- +OK`, and TLS in between."""

import re
from typing import Final

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import Paste, lines
from mailproxy.formats.timed import count
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

_SPOKEN: Final = re.compile(r"(-->|<--)(?: (.*))?")
_POP3: Final = re.compile(r"<-- (?:\+OK|-ERR)|--> (?:CAPA|USER|APOP|STLS|STAT|UIDL|RETR)\b")
_SETTING: Final = re.compile(r"([a-z][\w ]*?) = (.*)")
_TLS: Final = re.compile(r" *\((TLS[0-9.]+)\)-(?:\(.{0,120}\)-)?\(([^()]+)\)")
_COMPLAINT: Final = re.compile(r"mpop: ")
_ASIDE: Final = re.compile(
    r"using account|loaded |reading |TLS (?:session|certificate)|\s|new: |no new|ignoring |.* at .*:$|retrieving|"
    r"(?:\S+ )?message [0-9]+"
)


def recognise(text: str) -> bool:
    """Whether it is what mpop prints."""
    return count(text, _POP3) > 0


def read(text: str, source: str = "") -> list[Recording]:
    """The session. Raises FormatError where none is in it."""
    reading = _Reading(source)
    for line in lines(text):
        reading.line(line)
    return reading.talk.paste.recordings()


class _Reading:
    def __init__(self, source: str) -> None:
        self.talk = Conversation(Paste(source, "pop3"))
        self._settings: dict[str, str] = {}

    def line(self, line: str) -> None:
        if found := _SPOKEN.fullmatch(line):
            self._connected()
            self.talk.said(Side.CLIENT if found[1] == "-->" else Side.SERVER, found[2] or "")
        elif found := _TLS.match(line):
            self._connected()
            self.talk.secured(f"{found[1].replace('TLS', 'TLSv')}, {found[2]}")
        elif found := _SETTING.fullmatch(line):
            self._settings[found[1]] = found[2]
        elif _COMPLAINT.match(line):
            self.talk.told(line.removeprefix("mpop: "))
        elif not _ASIDE.match(line):
            self.talk.paste.odd(line)

    def _connected(self) -> None:
        """What is said tells that a connection was made, and the settings tell where to."""
        host, port = self._settings.pop("host", ""), self._settings.pop("port", "")
        if host:
            self.talk.paste.connected(host, port=int(port) if port.isdecimal() and len(port) < 6 else 0)
