"""Thunderbird's logs: those of today from its console, those of old from NSPR (`MOZ_LOG=SMTP:5,POP3:5`).

Console: `mailnews.smtp: "S: 220 x\\r\\n"`, `pop3.server1.1: "C: CAPA"`; copied from the screen without the quotes, each
text ends in a place such as `SmtpClient.sys.mjs:419:19`. NSPR: `0[7f00]: SMTP Send: EHLO x`, `SMTP Response: 250 y`,
`SEND: CAPA`, `RECV: +OK`. A message that is sent is in neither.
"""

import re
from datetime import datetime, time
from typing import Final

from mailproxy.formats import hidden
from mailproxy.formats.conversation import Conversation
from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.model.session import Recording

_CONSOLE: Final = re.compile(r"(?:console\.\w+: )?((?:mailnews\.smtp|(?:mailnews\.)?pop3(?:\.[\w-]+)*)): (.*)")
_NSPR: Final = re.compile(
    r".{0,240}?(SMTP Send: |SMTP Response: |SMTP Connecting to: |(?:POP3: )?\bSEND: |(?:POP3: )?\bRECV: )(.*)"
)
_CONSOLE_SIGN: Final = re.compile(
    r"(?:console\.\w+: )?(?:mailnews\.smtp|(?:mailnews\.)?pop3(?:\.[\w-]+)*): \"?(?:[SC]: |Connect)"
)
_NSPR_SIGN: Final = re.compile(
    r".{0,120}?\]:? .{0,120}?(?:SMTP (?:Send|Response|Connecting to): |(?:SEND|RECV): )"
    r"|SMTP (?:Send|Response): |POP3: (?:SEND|RECV): "
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_LETTERS: Final = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "f": b"\f", "v": b"\v", "0": b"\0"}
_PLACE: Final = re.compile(r" {0,4}\b[\w-]{1,60}\.(?:sys\.mjs|jsm|js):[0-9]+(?::[0-9]+)?$")

_URL: Final = re.compile(r"Connecting to (\w+)://(\[[0-9A-Fa-f:]+\]|[^\s:/]+):([0-9]{1,5})")
_PAYLOAD: Final = re.compile(r"Sending ([0-9]{1,12}) bytes of payload")
_SUPPRESSED: Final = re.compile(r"Logging suppressed.*")
_HIDDEN: Final = re.compile(r"(?<=\]: )Logging suppressed.*")


def recognise(text: str) -> bool:
    """Whether it is a log of Thunderbird's."""
    return count(text, _CONSOLE_SIGN) > 0 or count(text, _NSPR_SIGN) > 0


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of SMTP and POP3. Raises FormatError where there is none."""
    reading = _Reading(source)
    for moment, line in timed(text):
        reading.line(moment, line)
    return reading.several.recordings()


class _Reading:
    def __init__(self, source: str) -> None:
        self.several = Several(source)
        self._going_on: Conversation | None = None  # whose server's text may go on in the next line

    def line(self, moment: datetime | time | None, line: str) -> None:
        if found := _CONSOLE.fullmatch(line):
            talk = self._talk(found[1])
            talk.clock(moment)
            self._console(talk, found[2])
        elif found := _NSPR.fullmatch(line):
            self._going_on = None
            talk = self._talk("smtp" if found[1].startswith("SMTP") else "pop3")
            talk.clock(moment)
            self._nspr(talk, found[1], found[2])
        elif (found := _HIDDEN.search(line)) and (last := self.several.last):
            last.clock(moment)
            last.client(_unsuppressed(last, found[0]))
        elif self._going_on and not line.startswith(("console.", "JavaScript ")):
            self._continued(self._going_on, line)
        else:
            self._going_on = None

    def _talk(self, key: str) -> Conversation:
        return self.several.of(key, "smtp" if "smtp" in key else "pop3")

    def _console(self, talk: Conversation, said: str) -> None:
        self._going_on = None
        text, whole = _unquoted(said)
        match text[:3]:
            case "S: ":
                _server(talk, text[3:])
                self._going_on = None if whole else talk
            case "C: ":
                talk.client(_unsuppressed(talk, text[3:]))
            case _ if found := _URL.match(text):
                talk.connected(found[2].strip("[]"), port=int(found[3]))
                if found[1].endswith("s"):
                    talk.secured()
            case _ if found := _PAYLOAD.match(text):
                if talk.awaiting_message:
                    talk.content(int(found[1]))
            case _ if "error" in text.lower() or "failed" in text:
                talk.told(text)

    def _continued(self, talk: Conversation, line: str) -> None:
        text, whole = _placed(line)
        if text or not whole:
            talk.server(text)
        if whole:
            self._going_on = None

    def _nspr(self, talk: Conversation, what: str, text: str) -> None:
        match what.split(":")[-2].split()[-1]:
            case "to":
                talk.connected(text.strip())
            case "Send" | "SEND":
                talk.client(_unsuppressed(talk, text))
            case _:
                for line in text.replace("\\r\\n", "\n").rstrip("\n").split("\n"):
                    talk.server(line)


def _unquoted(said: str) -> tuple[str, bool]:
    """A text of the console, and whether it is all of it: in quotes, or with the place in the program behind it."""
    if not said.startswith('"'):
        return _placed(said)
    text = said[1 : max(1, said.rindex('"'))]
    octets = bytearray()
    at = 0
    for found in _ESCAPE.finditer(text):
        octets += text[at : found.start()].encode("utf-8", "surrogateescape")
        octets += _escaped(*found.groups())
        at = found.end()
    octets += text[at:].encode("utf-8", "surrogateescape")
    return octets.decode("utf-8", "surrogateescape"), True


def _escaped(octet: str | None, character: str | None, letter: str | None) -> bytes:
    """What JavaScript has an escape for: an octet, a character, or what has a letter."""
    if octet:
        return bytes([int(octet, 16)])
    if character:
        return chr(int(character, 16)).encode("utf-8", "replace")
    return _LETTERS.get(letter or "", (letter or "").encode("utf-8", "surrogateescape"))


def _placed(line: str) -> tuple[str, bool]:
    found = _PLACE.search(line)
    return (line[: found.start()], True) if found else (line, False)


def _server(talk: Conversation, text: str) -> None:
    text = text.removesuffix("\n").removesuffix("\r")
    for line in text.replace("\r\n", "\n").split("\n"):
        talk.server(line)


def _unsuppressed(talk: Conversation, text: str) -> str:
    """A line of the client's; where it is not shown, the command that must have stood there."""
    if not _SUPPRESSED.match(text):
        return text
    if talk.asked:
        return hidden.HIDDEN
    return ("PASS " if talk.named else "AUTH ") + hidden.HIDDEN
