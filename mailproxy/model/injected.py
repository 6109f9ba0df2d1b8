"""What mailproxy did to a session because it was told to, as notes have it: `fault: WHAT (--fault "RULE")`."""

import re
from typing import Final, NamedTuple

from mailproxy.model.escape import escape_text

FAULT: Final = "fault: "
_NOTE: Final = re.compile(rf"{FAULT}(?P<did>.*?)(?: \(--fault \"(?P<rule>.*)\"\))?")


class Injected(NamedTuple):
    """What was `did`, in words, and the `rule` that wanted it, as it was written; empty where that is not known."""

    did: str
    rule: str = ""

    @property
    def text(self) -> str:
        """The note."""
        rule = "\\".join(map(escape_text, self.rule.split("\\")))
        return f'{FAULT}{self.did} (--fault "{rule}")'


def injected(text: str) -> Injected | None:
    """What a note tells of; None where it is about something else."""
    found = _NOTE.fullmatch(text)
    return Injected(found["did"], found["rule"] or "") if found else None
