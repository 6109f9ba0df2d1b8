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
_LONGEST: Final = 200


def trouble(error: str, connected: bool = True) -> str:
    """The line of trouble for an error; the error itself, where it is not known.

    `connected` tells whether there was a connection already, where the words leave that open.
    """
    said = " ".join(error.split())[:_LONGEST]
    if _TLS.search(said):
        return f"TLS failed with the server: {said}"
    if _TIMED_OUT.search(said):
        return "timed out waiting for the server" if connected else "connection timed out"
    for words, told in _KNOWN:
        if words.search(said):
            return told
    return said if connected else f"connection failed: {said}"
