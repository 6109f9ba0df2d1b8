"""Which protocol a session was, by what was said in it."""

import re
from collections.abc import Iterable
from typing import Final

from mailproxy.model.octets import Entry, Frame, Side

_SIGNS: Final = (
    (Side.SERVER, re.compile(rb"\+ ?POP2", re.I), "pop2"),
    (Side.CLIENT, re.compile(rb"(?:HELO +\S+ +\S|FOLD|READ|ACKS|ACKD|NACK)\b", re.I), "pop2"),
    (Side.CLIENT, re.compile(rb"LHLO\b", re.I), "lmtp"),
    (Side.SERVER, re.compile(rb"(?:\+OK|-ERR)\b"), "pop3"),
    (Side.CLIENT, re.compile(rb"(?:USER|PASS|APOP|CAPA|STAT|LIST|RETR|UIDL|TOP|DELE|STLS)\b", re.I), "pop3"),
    (Side.SERVER, re.compile(rb"[1-5]\d\d(?:[- ]|\r?$)"), "smtp"),
    (Side.CLIENT, re.compile(rb"(?:EHLO|HELO|MAIL|RCPT|DATA|STARTTLS|AUTH)\b", re.I), "smtp"),
)
_PORTS: Final = {24: "lmtp", 109: "pop2", 110: "pop3", 995: "pop3", 1100: "pop3"}


def guessed(entries: Iterable[Entry], port: int = 0) -> str:
    """The protocol of the first line that tells it; where none does, the one of the port, or SMTP."""
    for entry in entries:
        if isinstance(entry, Frame):
            for side, sign, protocol in _SIGNS:
                if entry.side is side and sign.match(entry.octets):
                    return protocol
    return _PORTS.get(port, "smtp")
