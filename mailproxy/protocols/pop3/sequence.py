"""Where a session of POP3 stands, and what is out of place there (RFC 1939 sections 4 and 5)."""

from typing import Final

from mailproxy.model.exchange import Exchange

LOGINS: Final = frozenset({"PASS", "APOP", "AUTH", "RPOP"})
_BEFORE: Final = LOGINS | {"USER", "STLS"}
BEHIND: Final = frozenset({"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "LAST", "RSET", "NOOP"})


class Sequence:
    """Hears what is asked and answered. `secure` tells that TLS has begun."""

    def __init__(self) -> None:
        self.secure = False
        self._logged_in = False

    def secured(self) -> None:
        """Learn that TLS has begun (RFC 2595 section 4)."""
        self.secure = True

    def heard(self, exchange: Exchange) -> None:
        """Learn what has been asked and answered."""
        if exchange.reply is None or not exchange.reply.positive:
            return
        if exchange.verb == "STLS":
            self.secured()
        elif exchange.verb in LOGINS and (exchange.verb != "AUTH" or exchange.argument):
            self._logged_in = True

    def misplaced(self, verb: str) -> str:
        """Why a command cannot come here; empty where it can."""
        match verb:
            case "STLS" if self.secure:
                return "TLS has begun already"
            case _ if verb in _BEFORE and self._logged_in:
                return "Logged in already"
            case _ if verb in BEHIND and not self._logged_in:
                return "Log in first"
            case _:
                return ""
