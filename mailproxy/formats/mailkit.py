"""What MailKit's ProtocolLogger writes: `Connected to smtp://host:587/?starttls=always`, `S: 220 x`, `C: EHLO y`.

The same marks stand in RFCs, and in much that people write by hand: so this format is looked for last. Secrets are
`********` where MailKit was told to hide them.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

_SPOKEN: Final = re.compile(r"[ \t]*(S|C|Server|Client): ?(.*)", re.IGNORECASE)
_SERVER: Final = re.compile(r"[ \t]*(?:S|Server): ?(?:[2-5][0-9]{2}(?:[ -]|$)|\+OK|-ERR|\* OK)", re.IGNORECASE)
_CLIENT: Final = re.compile(
    r"[ \t]*(?:C|Client): ?(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|AUTH|STARTTLS|CAPA|USER|APOP|STLS|STAT|LIST|RETR|QUIT)\b",
    re.IGNORECASE,
)
_CONNECTED: Final = re.compile(r"[ \t]*Connected to ((?:smtp|pop|pop3|imap)s?://\S+)", re.IGNORECASE)


def recognise(text: str) -> bool:
    """Whether it is what MailKit logs, or the like."""
    return count(text, _SERVER) > 0 and count(text, _SERVER) + count(text, _CLIENT) + count(text, _CONNECTED) > 1


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = Several(source)
    for moment, line in timed(text):
        if found := _SPOKEN.fullmatch(line):
            talk = reading.of("")
            talk.clock(moment)
            talk.said(Side.CLIENT if found[1][0] in "Cc" else Side.SERVER, found[2])
        elif found := _CONNECTED.match(line):
            talk = reading.of("")
            talk.clock(moment)
            talk.connected(*_where(found[1]))
            if urlsplit(found[1]).scheme.lower() in {"smtps", "pops", "pop3s"}:
                talk.secured()
        else:
            reading.odd(line)
    return reading.recordings()


def _where(url: str) -> tuple[str, str, int]:
    """The host, no address, and the port of a URL; 0 for none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", "", parts.port or 0
    except ValueError:
        return "", "", 0
