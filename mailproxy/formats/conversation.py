"""A session told by a log, and what the log leaves out put in its place.

Many tools show neither the message behind DATA nor a listing behind `+OK`, nor that TLS has begun. What comes next in
the log tells that it was there: so a gap is noted, and the end that must have come.
"""

import re
from collections import deque
from datetime import datetime, time
from enum import Enum
from typing import Final

from mailproxy.formats.paste import Paste
from mailproxy.formats.trouble import LONGEST, of_connection, trouble
from mailproxy.model.mask import mark, password
from mailproxy.model.octets import Mark, Side
from mailproxy.protocols.pop3 import reader as pop3
from mailproxy.protocols.secrets import is_marked
from mailproxy.protocols.smtp import reader as smtp

MESSAGE_MISSING: Final = "the message is not in the log"
LISTING_MISSING: Final = "what the server sent then is not in the log"
TLS_PORTS: Final = frozenset({465, 995})
"""Where TLS comes first (RFC 8314), whether or not a log says so."""
_VERBS: Final = smtp.VERBS | pop3.VERBS
_LONE: Final = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_BASE64: Final = re.compile(
    r"(?<![\w+/=])(?=[\w+/]*[0-9+/=])(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z])[A-Za-z0-9+/]{12,}={0,2}(?![\w+/=])"
)


class Open(Enum):
    """What is going on that ends with a dot: nothing, something not shown so far, or something shown."""

    NOTHING = 0
    EMPTY = 1
    SHOWN = 2


class Conversation:
    """One session: a `Paste` that is told only what a log shows."""

    def __init__(self, paste: Paste) -> None:
        self.paste = paste
        self.begun = False  # whether either side has said anything
        self._commands: deque[str] = deque()
        self._message = self._listing = Open.NOTHING
        self._granted = self._asked = self._named = False
        self._login = False  # a SASL exchange goes on, and its secrets are for the protocol's reader to find

    def client(self, text: str) -> None:
        """Hear a line of the client."""
        self.begun = True
        if self._granted:
            self.secured()
        if self._listing is Open.EMPTY:
            self.listing_missing()
        if self._message is Open.EMPTY and text == ".":
            self.paste.note(Mark.GAP, MESSAGE_MISSING)
        if self._message is not Open.NOTHING:
            self._message = Open.SHOWN if text != "." else Open.NOTHING
        elif self._asked or self._login:
            text = text if self._login else _concealed(text)
        else:
            self._commands.append(text)
            self._login = text[:4].upper() == "AUTH"
            text = _concealed(text) if _LONE.fullmatch(text) and text.upper().encode() not in _VERBS else text
        self._asked = False
        self._named = text[:5].upper() == "USER "
        self.paste.said(Side.CLIENT, text)

    def server(self, text: str) -> None:
        """Hear a line of the server."""
        self.begun = True
        if self._message is Open.EMPTY:
            self.content(0)
        if self._listing is Open.NOTHING:
            self._reply(text)
        else:
            self._listing = Open.NOTHING if text == "." else Open.SHOWN
        self.paste.said(Side.SERVER, text)

    def said(self, side: Side, text: str) -> None:
        """Hear a line of either side."""
        if side is Side.CLIENT:
            self.client(text)
        else:
            self.server(text)

    def content(self, octets: int) -> None:
        """Hear that the client sent a message of so many octets without its final dot; 0 where nobody knows."""
        self._message = Open.NOTHING
        if octets < 2:
            self.paste.note(Mark.GAP, MESSAGE_MISSING)
            self.paste.said(Side.CLIENT, ".")
        else:
            self.paste.left_out(Side.CLIENT, octets - 2)
            self.paste.said(Side.CLIENT, b"\r\n.\r\n")

    def listing_missing(self) -> None:
        """Hear that the server sent a message or a listing which is not shown."""
        self._listing = Open.NOTHING
        self.paste.note(Mark.GAP, LISTING_MISSING)
        self.paste.said(Side.SERVER, ".")

    def connected(self, host: str = "", address: str = "", port: int = 0) -> None:
        """Hear that the client has connected: a new session, where the one at hand has begun."""
        if self.begun:
            self.again()
        self.paste.connected(host, address, port)
        if port in TLS_PORTS:
            self.secured()

    def secured(self, what: str = "") -> None:
        """Hear that TLS has begun, and what it came to. Told twice, it is one fact."""
        self._granted = False
        if not self.paste.secure:
            self.paste.secured(what)

    def again(self) -> None:
        """Hear that another connection begins."""
        self.paste.again()
        self._commands.clear()
        self._message = self._listing = Open.NOTHING
        self._granted = self._asked = self._named = self._login = self.begun = False

    def clock(self, moment: datetime | time | None) -> None:
        """Hear what time it is, where the log tells."""
        if moment:
            self.paste.clock(moment)

    def told(self, text: str) -> None:
        """Hear what the tool says in its own words: trouble, where it is of the connection, else a comment."""
        if of_connection(text):
            self.paste.note(Mark.TROUBLE, trouble(_veiled(text), self.begun))
        elif text.strip():
            self.paste.note(Mark.COMMENT, _veiled(text))

    @property
    def awaiting_message(self) -> bool:
        """Whether the client may send its message now, and nothing of it was shown."""
        return self._message is Open.EMPTY

    @property
    def awaiting_listing(self) -> bool:
        """Whether the server may send a message or a listing now, and nothing of it was shown."""
        return self._listing is Open.EMPTY

    @property
    def named(self) -> bool:
        """Whether the client has told its user's name by USER (RFC 1939 section 7) and must tell the password next."""
        return self._named

    @property
    def in_content(self) -> bool:
        """Whether what comes next is a line of the client's message."""
        return self._message is not Open.NOTHING

    @property
    def in_listing(self) -> bool:
        """Whether what comes next is a line of what the server sends up to a dot."""
        return self._listing is not Open.NOTHING

    @property
    def asked(self) -> bool:
        """Whether the server waits for a response in a SASL exchange."""
        return self._asked

    def _reply(self, text: str) -> None:
        if text[3:4] == "-" and text[:3].isdigit():
            return
        if text.startswith("334") or (text.startswith("+") and text[:3].upper() != "+OK"):
            self._asked = True
            return
        self._login = False
        verb, _, argument = (self._commands.popleft() if self._commands else "").strip().partition(" ")
        match verb.upper(), text[:3].upper():
            case "DATA", "354":
                self._message = Open.EMPTY
            case ("STARTTLS", "220") | ("STLS", "+OK"):
                self._granted = True
            case asked, "+OK" if pop3.is_long(asked, argument.strip()):
                self._listing = Open.EMPTY


def _concealed(text: str) -> str:
    """A line that is a response to something which is not in the log: as a whole it may be a secret."""
    octets = text.encode("utf-8", "replace")
    return text if text == "*" or is_marked(octets) else mark(password(octets)).decode()


def _veiled(text: str) -> str:
    """What a tool says, without words that are random enough for a secret in base64."""
    return _BASE64.sub("…", text[:LONGEST])
