"""What servers mean by what they say: the texts of refusals, most special first. The first row that fits decides."""

import re
from functools import lru_cache
from typing import Final

from mailproxy.analysis.texts import calling, envelope, login, speech
from mailproxy.analysis.texts.row import Text

__all__ = ["TEXTS", "Text", "find"]

TEXTS: Final = (*login.ROWS, *calling.ROWS, *envelope.ROWS, *speech.ROWS)
QUOTED: Final = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>]+@[^\s<>]+")

OTHERWISE: Final = re.compile(r"block|spam|reputation|listed|relay|quota|full|too many|limit|exceed", re.I)
"""Words that say otherwise than the code beside them."""
BY_CODE: Final = (
    (re.compile(r"[45]\.1\.1\b"), frozenset({"RCPT", "DATA", "BDAT"}), "unknown-recipient"),
    (re.compile(r"5\.2\.1\b"), frozenset({"AUTH", "USER", "PASS", "APOP"}), "access-off"),
    (re.compile(r"[45]\.3\.4\b"), frozenset({"MAIL", "RCPT", "DATA", "BDAT"}), "too-large"),
)
"""Enhanced codes (RFC 3463) that say all, whatever the text adds."""


@lru_cache(512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


def find(verb: str, code: str, text: str) -> Text | None:
    """The first row that fits a refusal; addresses and names that it quotes say nothing."""
    text = QUOTED.sub(" ", text)
    for pattern, verbs_of, name in BY_CODE:
        if verb in verbs_of and pattern.search(text[:16]) and not OTHERWISE.search(text):
            return next(row for row in TEXTS if row.name == name)
    for row in TEXTS:
        verbs = row.verbs.split()
        if not ("*" in verbs or verb in verbs):
            continue
        if _compiled(row.code).fullmatch(code) and _compiled(row.pattern).search(text):
            return row
    return None
