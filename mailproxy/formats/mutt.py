"""The debug logs of mutt and NeoMutt (`-d 2` and more): `4> EHLO x`, `4< 250 y`, where 4 is the connection's number.

TLS is not in it; it began where STARTTLS or STLS was granted and more was said.
"""

import re
from typing import Final

from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

_WHERE: Final = r"(?:<[0-9A-Z]>)? ?(?:\w+\(\) )?"
_SPOKEN: Final = re.compile(rf"{_WHERE}([0-9]{{1,5}})?([<>])(?: (.*))?")
_SIGN: Final = re.compile(
    rf"{_WHERE}[0-9]{{1,5}}[<>] (?:[2-5][0-9]{{2}}[ -]|\+OK|-ERR|EHLO|HELO|CAPA|MAIL|USER|STARTTLS|STLS|\* |a0)"
)
_CONNECTED: Final = re.compile(rf"{_WHERE}Connected to (\S+):([0-9]{{1,5}}) on fd=([0-9]{{1,5}})")
_TLS: Final = re.compile(rf"{_WHERE}(?:SSL/TLS|TLS|SSL) connection using (\S+)(?: \((\S+)\))?")
_COMPLAINT: Final = re.compile(
    rf"{_WHERE}((?:Could not|Error|Unable|SSL|Certificate|Connection to|SMTP|Login|The server).*)"
)


def recognise(text: str) -> bool:
    """Whether it is a debug log of mutt's."""
    return count(text, _SIGN) > 1


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of SMTP and POP3 in it. Raises FormatError where there is none."""
    reading = Several(source)
    at = ""
    for moment, line in timed(text):
        if found := _CONNECTED.match(line):
            at = found[3]
            talk = reading.of(at)
            talk.clock(moment)
            talk.connected(found[1], port=int(found[2]))
        elif found := _SPOKEN.fullmatch(line):
            at = found[1] or at
            talk = reading.of(at)
            talk.clock(moment)
            talk.said(Side.CLIENT if found[2] == ">" else Side.SERVER, found[3] or "")
        elif found := _TLS.match(line):
            reading.of(at).secured(", ".join(filter(None, found.groups())))
        elif found := _COMPLAINT.match(line):
            reading.told(found[1])
    return reading.recordings()
