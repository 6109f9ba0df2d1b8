"""Lines of both sides without marks, as a terminal shows them: who said which is found by what was said before."""

import re
from typing import Final

from mailproxy.formats.paste import Paste
from mailproxy.model.octets import Side

REPLY: Final = re.compile(r"([1-5][0-9]{2})(?:([- ]).*)?|(\+OK|-ERR)(?![A-Za-z]).*|(\+)(?: \S*)?|[+=#][0-9]+ .*")
COMMAND: Final = re.compile(
    r"[ \t]*(?:EHLO|HELO|LHLO|MAIL FROM|RCPT TO|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|HELP|STARTTLS|AUTH|ETRN|XCLIENT|"
    r"USER|PASS|APOP|CAPA|STAT|LIST|RETR|TOP|UIDL|DELE|STLS|FOLD|READ|ACKS|ACKD|NACK)(?:[ \t:].*)?",
    re.IGNORECASE,
)
_LONG: Final = re.compile(r"[ \t]*(?:RETR|TOP|CAPA|(?:LIST|UIDL|AUTH)[ \t]*$)", re.IGNORECASE)


class Mixed:
    """Tells a paste the lines of a session, each as its side's."""

    def __init__(self, paste: Paste) -> None:
        self._paste = paste
        self._asked = ""  # the last command
        self._code = ""  # of a reply that goes on
        self._listing = False

    @property
    def begun(self) -> bool:
        """Whether anything was said."""
        return bool(self._paste.sides)

    @property
    def inside(self) -> bool:
        """Whether the next line goes on with a message, a listing or a reply, and can be anything."""
        return self._paste.content or self._listing or bool(self._code)

    def line(self, line: str) -> None:
        """Tell a line, whatever it looks like."""
        if not line and self._code:
            return  # a terminal made two line ends of one
        found = None if self._paste.content else REPLY.fullmatch(line)
        if self._listing:
            self._listing = line != "."
            self._paste.said(Side.SERVER, line)
        elif found and (not self._code or found[1] == self._code):
            self._code = found[1] if found[2] == "-" else ""
            self._listing = line[:3].upper() == "+OK" and _LONG.match(self._asked) is not None
            self._paste.said(Side.SERVER, line)
        else:
            self._code = ""
            if not self._paste.content:
                self._asked = line
            self._paste.said(Side.CLIENT, line)
