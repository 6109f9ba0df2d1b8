"""What `fetchmail -v` prints: two sessions that go on at once, the one that fetches and the one that hands over.

It shows no messages: their octets are counted where it says how many there are, and only their end stands there.
"""

import re
from typing import Final

from mailproxy.formats.error import FormatError
from mailproxy.formats.hidden import veiled
from mailproxy.formats.paste import Paste, head, lines
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_VOICE: Final = re.compile(r"(?:.{0,60}?\bfetchmail(?:\[[0-9]+\])?: )?(POP3|POP2|E?SMTP|LMTP)([<>]) ?(.*)")
_END: Final = re.compile(r"(?:.{0,60}?\bfetchmail(?:\[[0-9]+\])?: )?(?:E?SMTP|LMTP)>\. \(EOM\).*")
_MARK: Final = re.compile(r"fetchmail: (?:POP[23]|E?SMTP|LMTP)[<>]|Trying to connect to ")
_TOLD: Final = re.compile(r"(?:.{0,60}?\bfetchmail(?:\[[0-9]+\])?: )(.*)")
_POLL: Final = re.compile(r"\S+ querying (\S+) \(protocol (\S+)\) .*poll started")
_TRYING: Final = re.compile(r"Trying to connect to (\S+)/([0-9]{1,5})\.\.\.(connected)?.*")
_SECURED: Final = re.compile(r"SSL/TLS: using protocol ([\w.]+), cipher ([\w-]+).*|.*upgrade to TLS succeeded.*")
_FAILED: Final = re.compile(
    r".*(?:connection to .* failed|socket error|certificate verif|(?:TLS|SSL) connection failed|timeout after|"
    r"OpenSSL reported).*"
)
_SIZE: Final = re.compile(
    r"\(([0-9]{1,12}) (?:body )?octets\)|\+OK ([0-9]{1,12}) (?:octets|bytes)|\+OK [0-9]+ ([0-9]{1,12})$", re.IGNORECASE
)
_READING: Final = re.compile(r"reading message .*")
_MUTE: Final = re.compile(
    r"[0-9]+ messages? (?:\(.*\) )?for .*|(?: not)? flushed|[.*#]+|About to rewrite .*|\.\.\.rewritten .*|"
    r"(?:Old|Scratch|New) UID list.*| <empty>|skipping message .*|.*\(log message incomplete\).*"
)


def recognise(text: str) -> bool:
    """Whether fetchmail wrote a text."""
    return any("fetchmail: " in line and _VOICE.match(line) for line in head(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text that fetchmail wrote, those that fetch first. Raises FormatError where there is none."""
    telling = _Telling(source)
    for line in lines(text):
        for part in _parts(line):
            telling.line(part)
    return telling.end()


def _parts(line: str) -> list[str]:
    """fetchmail goes on in the same line where a message is being read."""
    cuts = [found.start() for found in _MARK.finditer(line)]
    return [line[start:end] for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True) if start < end]


class _Telling:
    def __init__(self, source: str) -> None:
        self._source = source
        self._fetch = Paste(source, "pop3", quiet=True)
        self._send = Paste(source, quiet=True)
        self._verb = ""
        self._size = 0
        self._due = False  # a message comes that is not shown

    def line(self, line: str) -> None:
        if _END.fullmatch(line):
            self._send.note(Mark.GAP, "the message is not shown")
            self._send.said(Side.CLIENT, ".")
        elif found := _VOICE.match(line):
            self._said(found[1], Side.CLIENT if found[2] == ">" else Side.SERVER, found[3])
        elif found := _TRYING.match(line):
            self._connected(found[1], int(found[2]), bool(found[3]))
        elif _READING.match(line):
            self._sized(line)
        elif found := _TOLD.match(line):
            self._noted(found[1])
        elif line.strip() and not _MUTE.fullmatch(line):
            self._fetch.odd(line)

    def end(self) -> list[Recording]:
        found: list[Recording] = []
        failures: list[FormatError] = []
        for paste in (self._fetch, self._send):
            try:
                found += paste.recordings()
            except FormatError as nothing:
                failures.append(nothing)
        if not found:
            raise failures[0]
        return found

    def _said(self, protocol: str, side: Side, text: str) -> None:
        if not protocol.startswith("POP"):
            return self._send.said(side, text)
        if side is Side.CLIENT:
            self._message()
            self._verb = text.split(" ", 1)[0].upper()
            if self._verb == "PASS" and text.strip() == "PASS":
                text = "PASS *"
        self._fetch.said(side, text)
        if side is Side.SERVER and text[:3].upper() == "+OK":
            self._sized(text)
            self._due = self._due or self._verb in {"RETR", "TOP"}

    def _sized(self, text: str) -> None:
        if found := _SIZE.search(text):
            self._size = int(found[1] or found[2] or found[3])

    def _message(self) -> None:
        """The message that was due has come: its end is all that is sure of it."""
        if not self._due:
            return
        if self._size > 2:
            self._fetch.left_out(Side.SERVER, self._size - 2)
        else:
            self._fetch.note(Mark.GAP, "the message is not shown")
        self._fetch.said(Side.SERVER, b"\r\n.\r\n" if self._size > 2 else b".\r\n")
        self._due, self._size = False, 0

    def _connected(self, host: str, port: int, connected: bool) -> None:
        fetches = not self._fetch.sides or self._verb == "QUIT"
        paste = self._fetch if fetches else self._send
        paste.again()
        self._verb = "" if fetches else self._verb
        if connected:
            paste.connected(host, port=port)

    def _noted(self, text: str) -> None:
        if _POLL.fullmatch(text):
            self._message()
            self._fetch.again()
            self._verb = ""
        elif found := _SECURED.fullmatch(text):
            self._secured(f"{found[1]}, {found[2]}" if found[1] else "")
        elif _FAILED.match(text):
            self._fetch.failed(text)
        else:
            self._fetch.note(Mark.COMMENT, veiled(text))

    def _secured(self, what: str) -> None:
        if not self._fetch.secure or what:
            self._fetch.secured(what)
