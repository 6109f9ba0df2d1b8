"""What tools say of connections that failed, in the words of a transcript."""

import re
from typing import Final

# The words, and what a transcript says for them. TLS comes first: its failures name certificates, not sockets.
_WORDS: Final = (
    (
        r"certificate|PKIX|\bself[- ]signed|wrong[ _]version[ _]number|handshake|\balert\b|unknown_ca"
        r"|\b(?:SSL|TLS)\b.*(?:error|fail|problem)|SSLException|SEC_ERROR_\w+|SSL_ERROR_\w+",
        "TLS failed with the server: {text}",
    ),
    (
        r"could not resolve|cannot locate host|name or service not known|nodename nor servname|unknown ?host"
        r"|ENOTFOUND|EAI_AGAIN|no such host|UNKNOWN_HOST|getaddrinfo",
        "no such host",
    ),
    (r"connection refused|ECONNREFUSED|CONNECTION_REFUSED|actively refused", "connection refused"),
    (r"no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH", "no route to host"),
    (r"connection reset|ECONNRESET|NET_RESET|reset by peer", "reset by the server"),
    (r"connect\w* timed out|connection timeout|connection attempt timed out", "connection timed out"),
    (
        r"timed out|timeout|ETIMEDOUT|greeting never received|NET_TIMEOUT",
        "timed out waiting for the server",
    ),
    (
        r"\[EOF\]|unexpected eof|empty reply from server|connection closed (?:by|unexpectedly)"
        r"|(?:server|peer) (?:has )?(?:closed|disconnected|unexpectedly disconnected)|socket closed unexpectedly"
        r"|lost connection|ConnectionLost",
        "closed by the server",
    ),
)
_KNOWN: Final = tuple((re.compile(words, re.IGNORECASE), told) for words, told in _WORDS)
_FAILED: Final = re.compile(
    r"err(?:or)?\b|exception|fail|cannot|could not|couldn.t|unable|refused|problem|reset|timed out|timeout|EOF"
    r"|disconnect|closed|lost|never|E[A-Z]{6,}",
    re.IGNORECASE,
)
_GOOD: Final = re.compile(r"verify(?: result)?: ?(?:ok|0)|verify ok|success", re.IGNORECASE)
_LONGEST: Final = 200


def trouble(text: str) -> str:
    """The line of trouble that stands for what a tool says; empty where it tells of none with the connection."""
    text = " ".join(text.split())
    if not _FAILED.search(text) or _GOOD.search(text):
        return ""
    for words, told in _KNOWN:
        if words.search(text):
            return told.format(text=text[:_LONGEST])
    return ""
