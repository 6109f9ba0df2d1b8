"""What PHPMailer writes with SMTPDebug 2 to 4, and what its older versions wrote, as text or as HTML."""

import re
from typing import Final

from mailproxy.formats.clean import replies, timed
from mailproxy.formats.paste import Paste, head, tell_all
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_CLIENT = r"CLIENT -> (?:SERVER|SMTP)"
_SERVER = r"SERVER -> CLIENT|SMTP -> FROM SERVER"
_VOICE: Final = re.compile(rf"(.{{0,80}}?)\b(?:({_CLIENT})|({_SERVER})):\s?(.*)")
_MARK: Final = re.compile(
    rf"(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} [0-9:]{{8}}\s+)?(?<![\w>])"
    rf"(?:(?:{_CLIENT}|{_SERVER}):|SMTP (?:ERROR|Error|NOTICE|INBOUND|->)|"
    r"Connection: (?:opening|opened|closed)|Connection failed)"
)
_MORE: Final = re.compile(r"\s*([1-5][0-9]{2}(?:[- ].*)?)")
_OPENING: Final = re.compile(r"Connection: opening to (?:(?:ssl|tls|tcp)://)?(\[[^]]+\]|[^\s:,]+)(?::([0-9]{1,5}))?")
_ERROR: Final = re.compile(r"SMTP (?:-> )?(?:ERROR|NOTICE): (.*)|Connection failed\. (.*)|(Failed to connect .*)")
_COMPLAINT: Final = re.compile(r"SMTP Error: |SMTP connect\(\) failed|Mailer Error|Message (?:could not|has been|sent)")
_TOLD: Final = re.compile(
    r"SMTP (?:-> )?(?:get_lines\(\)|INBOUND)|Connection: |Auth method|Using login|EHLO keyword|Server (?:EXT|not)"
)
_SOCKET: Final = re.compile(
    r"connect to server|EOF caught|stream_socket|Connection (?:refused|timed|failed)|enable_crypto", re.I
)
_BLANKS: Final = re.compile(r"\s+")


def recognise(text: str) -> bool:
    """Whether PHPMailer wrote a text."""
    return any(_VOICE.match(line) for line in head(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text that PHPMailer wrote. Raises FormatError where nothing was said in it."""
    return tell_all(Paste(source, "smtp", quiet=True), text, _Telling().line, _MARK)


class _Telling:
    """What the last line was decides whether a plain one goes on with a reply."""

    def __init__(self) -> None:
        self._replying = False
        self._where = ("", 0)

    def line(self, paste: Paste, line: str) -> bool:
        if found := _VOICE.match(line):
            moment, _ = timed(found[1].lstrip())
            if moment is not None:
                paste.clock(moment)
            self._replying = found[3] is not None
            if self._replying:
                self._reply(paste, found[4])
            else:
                paste.said(Side.CLIENT, found[4])
        elif self._replying and (found := _MORE.fullmatch(line)):
            self._reply(paste, found[1])
        else:
            return self._told(paste, line)
        return True

    def _reply(self, paste: Paste, text: str) -> None:
        for line in replies(text):
            if line:
                paste.said(Side.SERVER, line)

    def _told(self, paste: Paste, line: str) -> bool:
        text = _BLANKS.sub(" ", line).strip()
        if found := _OPENING.search(text):
            paste.again()
            paste.note(Mark.COMMENT, found[0])
            self._where = found[1].strip("[]"), int(found[2] or 0)
        elif text.startswith("Connection: opened"):
            host, port = self._where
            paste.connected(host, port=port)
        elif found := _ERROR.match(text):
            self._error(paste, found[1] or found[2] or found[3])
        elif _COMPLAINT.match(text):
            paste.note(Mark.COMMENT, text)
        else:
            return _TOLD.match(text) is not None
        return True

    def _error(self, paste: Paste, error: str) -> None:
        if _SOCKET.search(error):
            paste.failed(error)
        else:
            paste.note(Mark.COMMENT, error)
