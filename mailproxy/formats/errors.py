"""The errors that a client ends with, in the words of a transcript."""

import re
from typing import Final

_TLS: Final = re.compile(
    r"certificate|handshake|\bssl|\btls|wrong version number|unknown protocol|unknown ca\b|no protocols", re.IGNORECASE
)
_TIMED_OUT: Final = re.compile(r"time[d-]?[ -]?out|\b10060\b|\berrno 110\b", re.IGNORECASE)
_NEVER: Final = (
    ("no such host", r"name or service|unknown host|bad hostname|resolv|gaierror|nodename|no such host|\b11001\b"),
    ("connection refused", r"refused|\b10061\b|connect failed"),
    ("no route to host", r"no route|unreachable|\b10065\b|\b10051\b"),
)  # fmt: skip
_EVER: Final = (
    ("reset by the server", r"reset by|connection reset|\b10054\b|forcibly closed"),
    ("closed by the server", r"closed|disconnect|\beof\b|end of file|hung up|connection lost|dropped|broken pipe"),
)


def in_words(error: str, connected: bool) -> str:
    """What an error means, with its own words behind: `connection refused: …`; they alone, where it is not known.

    `connected` tells whether the connection had come about.
    """
    told = " ".join(error.split())
    meaning = _meaning(told, connected)
    return f"{meaning}: {told}" if meaning else told


def _meaning(error: str, connected: bool) -> str:
    for meaning, words in _NEVER:
        if not connected and re.search(words, error, re.IGNORECASE):
            return meaning
    if _TIMED_OUT.search(error):
        return "timed out waiting for the server" if connected else "connection timed out"
    if _TLS.search(error):
        return "TLS failed with the server"
    for meaning, words in _EVER:
        if re.search(words, error, re.IGNORECASE):
            return meaning
    return ""
