"""The network logs of Claws Mail and Sylpheed: `[12:00:00] SMTP< 220 x`, `ESMTP> EHLO y`, `POP> USER z`.

Messages and listings are not in them. `[PASSWORD]`, `[USERID]`, `[AUTH PLAIN]` and `********` stand for secrets; a
challenge and its response stand there in clear too, as `[Decoded: …]` and `[Encoded: …]`. What they tell themselves
begins with `* message:`, `** warning:` or `*** error:`; Sylpheed's log has what GLib tells as well.
"""

import re
from datetime import datetime, time
from typing import Final, NamedTuple

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.formats.trouble import of_connection, trouble
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_SPOKEN: Final = re.compile(r"(?:\* )?(E?SMTP|POP3?)([<>])(?: (.*))?")
_SIGN: Final = re.compile(r"(?:\* )?(?:E?SMTP|POP3?)[<>] ")
_CONNECTING_SIGN: Final = re.compile(r"\* message: (?:Account '.{0,80}': )?Connecting to (?:POP3|SMTP) server: ")
_CONNECTING: Final = re.compile(
    r"\* (?:.{0,120}[ :])?(POP3?|SMTP)\b[^:]{0,80}(?:: ?| to )"
    r"(\[[0-9A-Fa-f:]+\]|[\w-]+(?:\.[\w-]+)*)(?::([0-9]{1,5}))? ?(?:\.\.\.|…)",
    re.IGNORECASE,
)
_COMPLAINT: Final = re.compile(r"\*+ (?:(?:message|warning|error): )?(?=\S)")
_GLIB: Final = re.compile(r"(?:\*+ )?[\w-]+-(DEBUG|INFO|Message|WARNING|CRITICAL|ERROR): *")
_REPEATED: Final = re.compile(r"\[[0-9:]{8}\] ")
_UNREACHED: Final = re.compile(r"can't connect to|connection (?:to \S+ )?failed", re.IGNORECASE)
_BROKEN_OFF: Final = re.compile(r"Error occurred while processing mail")
_IN_CLEAR: Final = re.compile(r"\[(?:De|En)coded: .*")


def recognise(text: str) -> bool:
    """Whether it is a log of theirs."""
    return count(text, _SIGN) > 1 or count(text, _CONNECTING_SIGN) > 0


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = _Reading(source)
    for moment, line in timed(text):
        reading.line(moment, line)
    return reading.several.recordings()


class _Place(NamedTuple):
    """Where a client connects to; the port is 0 where it is not told."""

    host: str
    port: int


class _Reading:
    def __init__(self, source: str) -> None:
        self.several = Several(source)
        self._places: dict[str, _Place] = {}  # by protocol, until the server has spoken
        self._goes_on = False  # the next line is the rest of a complaint

    def line(self, moment: datetime | time | None, line: str) -> None:
        goes_on, self._goes_on = self._goes_on and moment is None, False
        if found := _SPOKEN.fullmatch(line):
            talk = self._talk(_protocol(found[1]))
            talk.clock(moment)
            _say(talk, Side.CLIENT if found[2] == ">" else Side.SERVER, found[3] or "")
        elif found := _CONNECTING.fullmatch(line):
            protocol = _protocol(found[1])
            talk = self.several.of(protocol, protocol)
            talk.again()
            talk.clock(moment)
            self._places[protocol] = _Place(found[2].strip("[]"), int(found[3] or 0))
        elif found := _GLIB.match(line):
            self._warned(line[found.end() :])
        elif found := _COMPLAINT.match(line):
            self._goes_on = line.endswith(":")
            self._complained(line[found.end() :])
        elif goes_on and line:
            self._complained(line)
        else:
            self.several.odd(line)

    def _talk(self, protocol: str) -> Conversation:
        """The session in which something is said, so that its connection has come about."""
        talk = self.several.of(protocol, protocol)
        if place := self._places.pop(protocol, None):
            talk.connected(place.host, port=place.port)
        return talk

    def _warned(self, text: str) -> None:
        """Hear what GLib tells. Much of it is of windows and pictures, and what the program says stands there again."""
        if not _REPEATED.match(text) and (of_connection(text) or self._unreached(text)):
            self._complained(text)

    def _complained(self, text: str) -> None:
        last = self.several.last
        if last and self._unreached(text):
            last.paste.note(Mark.TROUBLE, trouble(text, connected=False))
        elif last and last.awaiting_listing and _BROKEN_OFF.match(text):
            last.paste.note(Mark.TROUBLE, f"closed: {text}")
        else:
            self.several.told(text)

    def _unreached(self, text: str) -> bool:
        last = self.several.last
        return last is not None and not last.begun and _UNREACHED.search(text) is not None


def _protocol(name: str) -> str:
    return "pop3" if name.upper().startswith("POP") else "smtp"


def _say(talk: Conversation, side: Side, text: str) -> None:
    match text:
        case ". (EOM)":
            talk.said(side, ".")
        case "[AUTH PLAIN]":
            talk.said(side, "AUTH PLAIN ********")
        case _ if not _IN_CLEAR.fullmatch(text):
            talk.said(side, text)
