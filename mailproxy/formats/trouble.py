"""Errors of sockets and of TLS, as programs tell them, in the words of a transcript."""

import re
from typing import Final

_TLS: Final = re.compile(
    r"certificate|PKIX|self[- ]signed|wrong[ _]version[ _]number|handshake|\balert\b|unknown_ca|SSLException"
    r"|SEC_ERROR_\w+|SSL_ERROR_\w+|\b(?:SSL|TLS)\b.*(?:err|fail|problem|routines|lost|unsafe)"
    r"|(?:err|fail|problem|could not|cannot).*\b(?:SSL|TLS)\b",
    re.IGNORECASE,
)
_TIMED_OUT: Final = re.compile(r"timed? ?-?out|timeout|ETIMEDOUT|greeting never received", re.IGNORECASE)
# What is found first holds.
_WORDS: Final = (
    (
        r"resolve|cannot locate host|not known|nodename nor servname|unknown ?host|ENOTFOUND|EAI_AGAIN|getaddrinfo"
        r"|no such host|host not found|lookup failure|temporary failure in name",
        "no such host",
    ),
    (r"connection refused|ECONNREFUSED|CONNECTION_REFUSED|actively refused", "connection refused"),
    (r"no route to host|unreachable|EHOSTUNREACH|ENETUNREACH", "no route to host"),
    (r"connection reset|ECONNRESET|NET_RESET|reset by|broken pipe|EPIPE", "reset by the server"),
    (
        r"\bEOF\b|empty reply|connection (?:was |has been )?(?:unexpectedly )?closed|closed (?:by|unexpectedly)|hung up"
        r"|(?:server|peer|socket) (?:has )?(?:unexpectedly )?(?:closed|disconnected)|lost connection",
        "closed by the server",
    ),
)
_KNOWN: Final = tuple((re.compile(words, re.IGNORECASE), told) for words, told in _WORDS)
_FAILED: Final = re.compile(
    r"err(?:or)?\b|exception|fail|cannot|could not|couldn.t|unable|refused|problem|reset|timed out|timeout|EOF"
    r"|disconnect|closed|lost|never|\bE[A-Z]{6,}",
    re.IGNORECASE,
)
_GOOD: Final = re.compile(r"verif\w*(?: result)?:? ?(?:ok|0)\b|success", re.IGNORECASE)
_CONNECTION: Final = re.compile(
    r"certificate|PKIX|self[- ]signed|wrong[ _]version[ _]number|handshake|unknown_ca|SSLException|SEC_ERROR|SSL_ERROR"
    r"|\b(?:SSL|TLS)\b|resolve|locate host|not known|nodename nor servname|unknown ?host|ENOTFOUND|EAI_AGAIN"
    r"|no such host|getaddrinfo|refused\b(?!.*address)|ECONN|no route|unreachable|EHOSTUNREACH|reset|timed out"
    r"|timeout|ETIMEDOUT|greeting never received|\[EOF\]|unexpected eof|empty reply"
    r"|(?:connection|server|peer|socket) (?:has |was )?(?:unexpectedly )?(?:closed|disconnected)|lost connection",
    re.IGNORECASE,
)
LONGEST: Final = 300
"""As much of what a program says is looked at, in characters."""


def of_connection(text: str) -> bool:
    """Whether a program complains of the connection or of TLS, and not of what the server said."""
    text = text[:LONGEST]
    return bool(_FAILED.search(text) and _CONNECTION.search(text) and not _GOOD.search(text))


def trouble(error: str, connected: bool = True) -> str:
    """The line of trouble for an error, with its own words behind.

    `connected` tells whether there was a connection already, where the words leave that open.
    """
    said = " ".join(error.split())[:LONGEST]
    return f"{_meaning(said, connected)}: {said}"


def _meaning(said: str, connected: bool) -> str:
    if _TLS.search(said):
        return "TLS failed with the server"
    if _TIMED_OUT.search(said):
        return "timed out waiting for the server" if connected else "connection timed out"
    for words, told in _KNOWN:
        if words.search(said):
            return told
    return "trouble with the connection" if connected else "connection failed"
