"""What JavaMail and Jakarta Mail print with `mail.debug`: `DEBUG SMTP: …`, and lines of both sides without a mark.

Who says a line is told by its look, and by whether a message or a listing is going on. Old ones mark lines of POP3 with
`S: ` and `C: `. A login is left out, but for `AUTH LOGIN command trace suppressed` and how it went.
"""

import re
from typing import Final

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import Paste, lines
from mailproxy.formats.timed import count
from mailproxy.model.octets import Mark
from mailproxy.model.session import Recording

_DEBUG: Final = re.compile(r"DEBUG(?: (SMTPS?|POP3S?))?(?: TRANSPORT)?: ?(.*)")
_SIGN: Final = re.compile(r"DEBUG (?:SMTPS?|POP3S?)(?: TRANSPORT)?: ")
_REPLY: Final = re.compile(r"[2-5][0-9]{2}(?:[ -]|$)|\+OK|-ERR|\+(?: |$)")
_CONNECTING: Final = re.compile(
    r'(?:trying to connect|connecting) to host "([^"]*)",? port:? ([0-9]{1,5})(?:, isSSL (true|false))?'
)
_LOGIN: Final = re.compile(
    r"(?:AUTH \S+|authentication) command (?:trace suppressed|succeeded|failed)|AUTH \S+ (?:succeeded|failed)"
)
_THROWN: Final = re.compile(
    r"\s*(?:Exception in thread|Caused by:|at [\w.$]+\(|\.\.\. [0-9]+ more|nested exception"
    r"|[\w.$]{1,200}(?:Exception|Error)\b)"
)
_TRACE: Final = re.compile(r"\s*(?:at |\.\.\. [0-9]+ more|nested exception)")


def recognise(text: str) -> bool:
    """Whether it is what JavaMail prints."""
    return count(text, _SIGN) > 0


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = _Reading(source)
    for line in lines(text):
        reading.line(line)
    return reading.talk.paste.recordings()


class _Reading:
    def __init__(self, source: str) -> None:
        self.talk = Conversation(Paste(source))
        self._where: tuple[str, int] = ("", 0)
        self._secure = self._connecting = False

    def line(self, line: str) -> None:
        if found := _DEBUG.fullmatch(line):
            self._debug(found[2])
        elif line.startswith(("S: ", "C: ")) and not (self.talk.in_content or self.talk.in_listing):
            self._connected()
            self._marked(line)
        elif _THROWN.match(line) and not (self.talk.in_content or self.talk.in_listing):
            self._thrown(line)
        elif self._heard_something(line):
            self._connected()
            self._raw(line)
        elif line.strip():
            self.talk.paste.odd(line)

    def _heard_something(self, line: str) -> bool:
        """Nothing is said before the server's first word."""
        return bool(self.talk.begun or _REPLY.match(line)) and bool(
            line or self.talk.in_content or self.talk.in_listing
        )

    def _raw(self, line: str) -> None:
        talk = self.talk
        if talk.in_content and not (talk.awaiting_message and _REPLY.match(line)):
            talk.client(line)
        elif (talk.in_listing and not talk.in_content) or _REPLY.match(line):
            talk.server(line)
        else:
            talk.client(line)

    def _marked(self, line: str) -> None:
        if line.startswith("S: "):
            self.talk.server(line[3:])
        else:
            self.talk.client(line[3:])

    def _debug(self, text: str) -> None:
        if found := _CONNECTING.search(text):
            self._where = found[1], int(found[2])
            self._secure, self._connecting = found[3] == "true", True
            if self.talk.begun:
                self.talk.again()
        elif _LOGIN.search(text):
            self.talk.paste.note(Mark.GAP, text)
        elif text.startswith(("EOF", "exception", "could not", "Could not")):
            self._thrown(text)

    def _connected(self) -> None:
        if self._connecting:
            self._connecting = False
            self.talk.connected(self._where[0], port=self._where[1])
            if self._secure:
                self.talk.secured()

    def _thrown(self, line: str) -> None:
        if not _TRACE.match(line):
            self.talk.told(line)
