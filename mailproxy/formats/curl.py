"""What `curl --verbose` prints of SMTP and POP3: `> EHLO x`, `< 250 y`, `* Connected to …`, `} [81 bytes data]`.

A message is not shown, but for the number of its octets where there is no TLS. What POP3 fetches is what curl was
called for: it may stand among the lines, or have gone elsewhere.
"""

import re
from typing import Final

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import Paste, lines
from mailproxy.formats.timed import count
from mailproxy.model.octets import Mark
from mailproxy.model.session import Recording

_SIGN: Final = re.compile(
    r"\* +(?:Trying|Connected to|Established connection|SSL connection|Closing connection|Connection #|Host |"
    r"TLSv|Re-using|Could not resolve|connect to)|[{}] \[[0-9]+ bytes data\]"
)
_MAIL: Final = re.compile(
    r"< (?:[2-5][0-9]{2}(?:[ -]|$)|\+OK|-ERR)|> (?:EHLO|HELO|CAPA|MAIL|STARTTLS|STLS|QUIT)\b|curl: \("
)
_HTTP: Final = re.compile(r"[<>] .*HTTP/[0-9]")
_CONNECTED: Final = re.compile(
    r"(?:Connected|Established connection) to (\S+) \(([^ )]*)(?: port ([0-9]{1,5}))?\)(?: port ([0-9]{1,5}))?"
)
_TLS: Final = re.compile(r"SSL connection using (\S+) / (\S+)")
_OVER: Final = re.compile(r"(?:closing|shutting down) connection|Connection #", re.IGNORECASE)
_SENT: Final = re.compile(r"} \[([0-9]{1,15}) bytes data\]")
_COMPLAINT: Final = re.compile(r"curl: \([0-9]+\) ")
_FAILED: Final = re.compile(r"connect to .* failed: (.*)")
_ASIDE: Final = re.compile(r"[{}] \[[0-9]+ bytes data\]|\s*% Total|\s*Dload|[ 0-9.kMGTP:-]*")


def recognise(text: str) -> bool:
    """Whether it is what curl prints of a mail server."""
    return count(text, _SIGN) > 0 and count(text, _MAIL) > 0 and not count(text, _HTTP)


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = _Reading(source)
    for line in lines(text):
        reading.line(line)
    reading.end()
    return reading.talk.paste.recordings()


class _Reading:
    def __init__(self, source: str) -> None:
        self.talk = Conversation(Paste(source))
        self._sent = 0
        self._fetched: list[str] = []
        self._why = ""  # no address of the server could be connected to

    def line(self, line: str) -> None:
        match line[:2]:
            case "> " | ">":
                self._settle()
                self.talk.client(line[2:])
            case "< " | "<":
                self._settle_message()
                self.talk.server(line[2:])
            case "* " | "*":
                self._told(line[2:].strip())
            case _ if found := _SENT.fullmatch(line):
                self._sent += 0 if self.talk.paste.secure else int(found[1])
            case _ if found := _COMPLAINT.match(line):
                self.talk.told(line[found.end() :] + (f": {self._why}" if self._why else ""))
            case _ if self.talk.awaiting_listing and not _ASIDE.fullmatch(line):
                self._fetched.append(line)
            case _ if self._fetched:
                self._fetched.append(line)
            case _ if not _ASIDE.match(line):
                self.talk.paste.odd(line)

    def end(self) -> None:
        """What was fetched stands behind all else where curl wrote to a file."""
        self._settle()

    def _settle(self) -> None:
        """Tell a message or a listing that must have ended, now that something else is said."""
        self._settle_message()
        if self.talk.awaiting_listing and self._fetched:
            while self._fetched and not self._fetched[-1]:
                self._fetched.pop()
            for line in self._fetched:
                self.talk.server("." + line if line.startswith(".") else line)
            self.talk.server(".")
        elif self.talk.awaiting_listing:
            self.talk.listing_missing()
        self._fetched = []

    def _settle_message(self) -> None:
        if self.talk.awaiting_message and self._sent:
            self.talk.content(self._sent)
        self._sent = 0

    def _told(self, text: str) -> None:
        if found := _CONNECTED.match(text):
            self._settle()
            self._why = ""
            self.talk.connected(found[1], found[2], int(found[3] or found[4] or 0))
        elif found := _FAILED.match(text):
            self._why = found[1]
        elif found := _TLS.match(text):
            self.talk.secured(f"{found[1]}, {found[2]}")
        elif _OVER.match(text):
            self.talk.paste.note(Mark.COMMENT, text)
