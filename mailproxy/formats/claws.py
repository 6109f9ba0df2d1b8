"""The network logs of Claws Mail and Sylpheed: `[12:00:00] SMTP< 220 x`, `ESMTP> EHLO y`, `POP> USER z`.

Messages and listings are not in them. `[PASSWORD]`, `[USERID]` and `********` stand for secrets.
"""

import re
from typing import Final

from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

_SPOKEN: Final = re.compile(r"(?:\* )?(E?SMTP|POP3?)([<>])(?: (.*))?")
_SIGN: Final = re.compile(r"(?:\* )?(?:E?SMTP|POP3?)[<>] ")
_CONNECTING: Final = re.compile(
    r"\*{1,3} .{0,120}\b(POP3?|SMTP)\b.{0,120}[ :](\[[0-9A-Fa-f:]+\]|[\w.-]+):([0-9]{1,5})[ .…]*", re.IGNORECASE
)
_COMPLAINT: Final = re.compile(r"\*+ ")


def recognise(text: str) -> bool:
    """Whether it is a log of theirs."""
    return count(text, _SIGN) > 1


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions. Raises FormatError where none is in it."""
    reading = Several(source)
    for moment, line in timed(text):
        if found := _SPOKEN.fullmatch(line):
            protocol = "pop3" if found[1].startswith("POP") else "smtp"
            talk = reading.of(protocol, protocol)
            talk.clock(moment)
            said = found[3] or ""
            talk.said(Side.CLIENT if found[2] == ">" else Side.SERVER, "." if said == ". (EOM)" else said)
        elif found := _CONNECTING.fullmatch(line):
            protocol = "pop3" if found[1].upper().startswith("POP") else "smtp"
            talk = reading.of(protocol, protocol)
            talk.clock(moment)
            talk.connected(found[2].strip("[]"), port=int(found[3]))
        elif found := _COMPLAINT.match(line):
            reading.told(line[found.end() :])
        else:
            reading.odd(line)
    return reading.recordings()
