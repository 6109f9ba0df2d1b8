"""What `openssl s_client` leaves on a terminal: what it tells of TLS, and the lines of both sides behind that.

Keys, tickets and certificates that it dumps are left out: some of them are secrets, none was said by a peer.
"""

import re
from typing import Final

from mailproxy.formats.mixed import COMMAND, REPLY, Mixed
from mailproxy.formats.paste import Paste, head, lines
from mailproxy.model.octets import Mark
from mailproxy.model.session import Recording

_BEGUN: Final = re.compile(r"CONNECTED\([0-9A-Fa-f]+\)|depth=[0-9]+ .*|verify return:[01]|verify error:num=.*")
_CIPHER: Final = re.compile(r"(?:New|Reused), ([\w./()]+), Cipher is (\S+)")
_VERIFIED: Final = re.compile(r"\s*Verif(?:y return code: ([0-9]+) \((.*)\)|ication(?: error)?: (.*))")
_FAILED: Final = re.compile(
    r"(?:connect:errno=([0-9]+)|(?:[0-9A-F]+:)?.*:error:[0-9A-F]{6,}:(.*)|getaddrinfo: .*|BIO_lookup.*)"
)
_ERRNO: Final = {
    "110": "Connection timed out",
    "111": "Connection refused",
    "113": "No route to host",
    "61": "Connection refused",
}
_END: Final = re.compile(r"(?:DONE|closed|read:errno=([0-9]+)|Q)")
_TYPED: Final = re.compile(r".*\bopenssl s_client\b.*?(?:-connect|-host) +(\[[^]]+\]|[^\s:]+)(?::([0-9]{1,5}))?.*")
_MUTE: Final = re.compile(r"read R BLOCK|RENEGOTIATING|KEYUPDATE|[0-9A-F]{8,16}:error:.*")
_TICKET: Final = "Post-Handshake New Session Ticket arrived:"


def recognise(text: str) -> bool:
    """Whether openssl wrote a text."""
    return any(_BEGUN.fullmatch(line) or _CIPHER.fullmatch(line) for line in head(text))


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of a text from a terminal. Raises FormatError where nothing was said in it."""
    telling = _Telling(Paste(source))
    for line in lines(text):
        telling.line(line)
    return telling.end()


class _Telling:
    def __init__(self, paste: Paste) -> None:
        self._paste = paste
        self._mixed = Mixed(paste)
        self._dumping = True
        self._certificate = False
        self._tls = ""
        self._port = 0
        self._faults: list[str] = []
        self._connected = False

    def line(self, line: str) -> None:
        if self._certificate or line.startswith("-----BEGIN "):
            self._certificate = not line.startswith("-----END ")
        elif self._mixed.inside and not self._dumping and line != _TICKET:
            self._mixed.line(line)
        elif found := _TYPED.fullmatch(line):
            self._port = int(found[2] or 4433)
            self._paste.connected(found[1].strip("[]"), port=self._port)
            self._connected = True
        elif line == _TICKET or _BEGUN.fullmatch(line):
            self._dumping = True
            if line.startswith("CONNECTED") and not self._connected:
                self._paste.connected()
                self._connected = True
        elif not self._told(line):
            self._said(line)

    def end(self) -> list[Recording]:
        self._secure()
        return self._paste.recordings()

    def _told(self, line: str) -> bool:
        """What openssl itself says, and what it dumps."""
        if found := _CIPHER.fullmatch(line):
            self._tls = "" if found[1] == "(NONE)" else f"{found[1]}, {found[2]}"
        elif found := _VERIFIED.fullmatch(line):
            self._verified(found[2] or found[3])
        elif found := _FAILED.fullmatch(line):
            self._failed(found[1], found[2] or line)
        elif found := _END.fullmatch(line):
            self._ended(line, found[1])
        else:
            return _MUTE.fullmatch(line) is not None
        return True

    def _said(self, line: str) -> None:
        """Behind the dump a reply or a command comes; blank lines and rules belong to the dump."""
        if self._dumping:
            self._dumping = not (REPLY.fullmatch(line) or COMMAND.match(line))
        if not self._dumping and line != "---" and (line or self._mixed.inside):
            begins = not self._mixed.begun
            self._secure()
            if begins and line.startswith("250 "):
                self._paste.note(Mark.GAP, f"what was said before TLS is not shown but for {line}")
            else:
                self._mixed.line(line)

    def _verified(self, what: str) -> None:
        if what.lower() not in {"ok", *self._faults}:
            self._faults.append(what.lower())

    def _secure(self) -> None:
        """TLS stands once anything is said: openssl shows nothing that it heard before, but the end of a reply."""
        if self._tls or (self._mixed.begun is False and not self._paste.secure and self._dumping is False):
            self._paste.secured(self._tls)
            for fault in self._faults:
                self._paste.note(Mark.FACT, f"the server's certificate is not trusted: {fault}")
            self._tls, self._faults = "", []

    def _failed(self, errno: str | None, text: str) -> None:
        if errno:
            self._paste.failed(f"connection {_ERRNO.get(errno, f'failed, errno {errno}')}")
        elif "unexpected eof" in text and self._mixed.begun:
            self._paste.note(Mark.TROUBLE, "closed by the server, TLS did not end before")
        else:
            self._paste.failed(text)

    def _ended(self, line: str, errno: str | None) -> None:
        if errno:
            self._paste.failed("connection reset by peer" if errno == "104" else "closed")
        elif line == "closed":
            self._paste.note(Mark.TROUBLE, "closed by the server")
        elif line == "DONE" and not self._dumping:
            self._paste.note(Mark.TROUBLE, "closed by the client")
