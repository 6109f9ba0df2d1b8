"""The transcript that Postfix mails to the postmaster (notify_classes = protocol): ` Out: 220 x`, ` In:  EHLO y`.

Long lines are folded; a message is not in it. `Session aborted, reason: …` tells how it ended.
"""

import re
from typing import Final

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.paste import Paste, lines
from mailproxy.formats.timed import count
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_SPOKEN: Final = re.compile(r" ?(Out|In): ?(.*)")
_SIGN: Final = re.compile(r" ?Out: [2-5][0-9]{2}[ -]")
_HEADING: Final = re.compile(r"Transcript of session follows")
_FOLDED: Final = re.compile(r" {4,}(\S.*)")
_ABORTED: Final = re.compile(r"Session aborted, reason: (.*)")
_ASIDE: Final = re.compile(r"\s*$|For other details,|[\w-]+: |\s+\S|Transcript of session follows")


def recognise(text: str) -> bool:
    """Whether it is such a transcript."""
    return count(text, _SIGN) > 0 and (count(text, _HEADING) > 0 or count(text, _SPOKEN) > 1)


def read(text: str, source: str = "") -> list[Recording]:
    """The session. Raises FormatError where none is in it."""
    talk = Conversation(Paste(source))
    for line in _unfolded(lines(text)):
        if found := _SPOKEN.fullmatch(line):
            client = found[1] == "In"
            talk.said(Side.CLIENT if client else Side.SERVER, found[2].removeprefix(" ") if client else found[2])
        elif found := _ABORTED.match(line):
            talk.paste.note(Mark.TROUBLE, _ending(found[1]))
        elif not _ASIDE.match(line):
            talk.paste.odd(line)
    return talk.paste.recordings()


def _unfolded(folded: list[str]) -> list[str]:
    whole: list[str] = []
    for line in folded:
        if whole and _SPOKEN.fullmatch(whole[-1]) and (found := _FOLDED.fullmatch(line)):
            whole[-1] += " " + found[1]
        else:
            whole.append(line)
    return whole


def _ending(reason: str) -> str:
    match reason.strip().lower():
        case "lost connection":
            return "closed by the client without QUIT"
        case "timeout":
            return "timed out waiting for the client"
        case _:
            return f"session aborted: {reason}"
