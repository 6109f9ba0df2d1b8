"""What swaks prints: the marks of a transcript, with octets as they are and facts in words of its own."""

import re
from typing import Final

from mailproxy.formats.paste import Paste, head, tell_all
from mailproxy.formats.talk_marks import Voice, split
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

# A mail program or a forum may have eaten one of the blanks.
_VOICE: Final = re.compile(r" ?(->|~>|<-|<~|<\*\*|<~\*) ?(?: (.*))?")
_NOTE: Final = re.compile(r" ?(===|\*\*\*)(?:\s+(.*))?")
_MARK: Final = re.compile(r"(?<![^\s])(?: -> | ~> |<-  |<~  |<\*\* |<~\* |=== |\*\*\* )")
_DUMP: Final = re.compile(r"[ ~]*[<>][ ~]*[0-9]{4,}: [0-9A-F]{2}(?: |$)")
_TRYING: Final = re.compile(r"Trying (\S+?)(?::([0-9]{1,5}))?\.\.\.")
_BEGUN: Final = re.compile(r" ?=== (?:Trying|Connected to) \S+\.")
_CONNECTED: Final = re.compile(r"Connected to (\S+?)\.")
_STARTED: Final = re.compile(r"TLS started with cipher ([\w.]+):([\w-]+)")
_RESPONSE: Final = re.compile(r"response in ([0-9]{1,6}(?:\.[0-9]{1,6})?)s")
_CONNECTING: Final = re.compile(r"Error connecting to (\S+?)(?::([0-9]{1,5}))?:")


def recognise(text: str) -> bool:
    """Whether swaks wrote a text: it says whom it tries, or both sides speak behind its marks."""
    voices = {meaning[0].side for line in head(text) if (meaning := split(line)) and isinstance(meaning[0], Voice)}
    return len(voices) > 1 or any(_BEGUN.match(line) for line in head(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text that swaks wrote. Raises FormatError where nothing was said in it."""
    return tell_all(Paste(source), text, _Telling().line, _MARK)


class _Telling:
    def __init__(self) -> None:
        self._host = ""
        self._port = 0

    def line(self, paste: Paste, line: str) -> bool:
        if _DUMP.match(line):
            return True  # what --show-raw-text adds is told again in the next lines
        match split(line):
            case Voice(side, secure), text:
                paste.said(side, text, secure)
            case Mark.FACT, text:
                self._fact(paste, text)
            case Mark.TROUBLE, text:
                self._trouble(paste, text)
            case _:
                return self._dirty(paste, line)
        return True

    def _dirty(self, paste: Paste, line: str) -> bool:
        if found := _VOICE.fullmatch(line):
            paste.said(Side.SERVER if found[1].startswith("<") else Side.CLIENT, found[2] or "", "~" in found[1])
        elif found := _NOTE.fullmatch(line):
            told = self._fact if found[1] == "===" else self._trouble
            told(paste, found[2] or "")
        return found is not None

    def _fact(self, paste: Paste, text: str) -> None:
        if found := _TRYING.fullmatch(text):
            paste.again()
            self._host, self._port = found[1], int(found[2] or 0)
        elif found := _CONNECTED.fullmatch(text):
            paste.connected(found[1], port=self._port)
        elif found := _STARTED.match(text):
            paste.secured(f"{found[1]}, {found[2]}")
        elif found := _RESPONSE.fullmatch(text):
            paste.passes(float(found[1]))
        elif text.startswith("Connection closed with remote host"):
            paste.note(Mark.TROUBLE, "closed")
        else:
            paste.note(Mark.FACT, text)

    def _trouble(self, paste: Paste, text: str) -> None:
        if _CONNECTING.fullmatch(text) or "host did not advertise" in text.lower():
            paste.note(Mark.COMMENT, text)
        else:
            paste.failed(text)
