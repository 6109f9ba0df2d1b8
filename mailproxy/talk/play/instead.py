"""By which mechanism the player logs in where the recorded one cannot be said again."""

from collections.abc import Set
from typing import Final

from mailproxy.talk.play import ntlm

TICKET: Final = "needs a Kerberos ticket"
BOUND: Final = "is bound to the TLS connection that was recorded"
ONCE: Final = "takes each answer but once"
UNKNOWN: Final = "is not known to mailproxy"
_WHY: Final = {
    "GSSAPI": TICKET, "GSS-SPNEGO": TICKET, "SPNEGO": TICKET, "KERBEROS_V4": TICKET,
    "OTP": ONCE, "SKEY": ONCE, "SECURID": ONCE,
}  # fmt: skip
_BEST_FIRST: Final = (
    "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN",
)  # fmt: skip
TELL_ALL: Final = frozenset({"PLAIN", "LOGIN"})
"""Mechanisms that tell the server the password itself."""


def unrepeatable(mechanism: str, known: Set[str]) -> str:
    """Why a mechanism cannot be said again with a name and a password; empty where it can. `known` are computed."""
    if mechanism == "NTLM" and not ntlm.installed():
        return ntlm.NEEDED
    if mechanism in known:
        return ""
    return _WHY.get(mechanism) or (BOUND if mechanism.endswith("-PLUS") else UNKNOWN)


def unfit(offered: Set[str]) -> str:
    """What to do where nothing that is offered will do instead."""
    if fit := sorted(TELL_ALL & offered):
        return f"{' and '.join(fit)} would tell the password in clear (--insecure-login does it all the same)"
    if offered:
        return f"the server offers nothing else that a password will do for ({', '.join(sorted(offered))})"
    return "the server has not said what else it offers"


def instead(offered: Set[str], private: bool) -> str:
    """The best mechanism of those offered for which a password will do; empty where there is none.

    Where the connection is not `private`, it is none that tells the password itself.
    """
    return next((name for name in _BEST_FIRST if name in offered and (private or name not in TELL_ALL)), "")
