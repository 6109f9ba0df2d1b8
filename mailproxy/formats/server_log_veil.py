"""Secrets in a server's log, which some write when they are told to log much, masked."""

import re
from typing import Final

from mailproxy.model.escape import escape_text
from mailproxy.model.mask import ADDRESS, mark, password

_NAMED: Final = re.compile(
    r"\b(?:given )?(?:pass(?:word|wd|phrase)?|pwd|secret|token|resp|cont|master_pass)\s*[:=]\s*(\S.*)", re.IGNORECASE
)
_SAID: Final = re.compile(
    r"\b(?:AUTH(?:ENTICATE)? [\w-]+|PASS|APOP \S+) (\S.*)|[<>]{1,3} \S+\[\S+\]: ([A-Za-z0-9+/]{4,}={0,2})$"
)
_REQUEST: Final = re.compile(r"\b((?:PASS|pass|password)\t)(.*)")
_LOGIN: Final = re.compile(r"SASL LOGIN authentication failed.*\bsasl_username=([^,\s]+)")


def veiled(text: str, user: str = "") -> str:
    """A line as text that harms no terminal, with marks for what looks like a secret.

    What was typed as the user name of a failed LOGIN may be the password: it is shown where it is that of `user`, or an
    address.
    """
    for pattern in (_NAMED, _SAID, _REQUEST):
        if found := pattern.search(text):
            at = found.start(found.lastindex or 0)
            text = text[:at] + _mark(text[at:])
    typed = _LOGIN.search(text)
    if typed and not ADDRESS.fullmatch(typed[1]) and typed[1].lower() != user.partition("@")[0].lower():
        text = text[: typed.start(1)] + _mark(typed[1]) + text[typed.end(1) :]
    return escape_text(text)


def _mark(secret: str) -> str:
    return mark(password(secret.encode("utf-8", "replace"))).decode()
