"""Whether what a program says in its own words is of the connection."""

import re
from typing import Final

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


def of_connection(text: str) -> bool:
    """Whether a program complains of the connection or of TLS, and not of what the server said."""
    return bool(_FAILED.search(text) and _CONNECTION.search(text) and not _GOOD.search(text))
