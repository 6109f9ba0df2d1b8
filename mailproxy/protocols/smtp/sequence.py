"""Where a session of SMTP stands, and what is out of place there (RFC 5321 section 4.1.4)."""

from typing import NamedTuple

from mailproxy.model.exchange import Exchange


class Misplaced(NamedTuple):
    """What a command out of place is answered: code, enhanced status code (RFC 3463) and words."""

    code: str
    enhanced: str
    words: str


class Sequence:
    """Hears what is asked and answered. `secure` tells that TLS has begun, `unwanted` that every recipient of the
    message at hand was refused: then the message is not wanted either (section 3.3)."""

    def __init__(self) -> None:
        self.secure = False
        self._sender = self._granted = self._refused = False
        self._logged_in = False

    @property
    def unwanted(self) -> bool:
        return self._sender and self._refused and not self._granted

    def secured(self) -> None:
        """Learn that TLS has begun: all begins anew (RFC 3207 section 4.2)."""
        self._begin_message(False)
        self.secure, self._logged_in = True, False

    def heard(self, exchange: Exchange) -> None:
        """Learn what has been asked and answered."""
        granted = exchange.reply is not None and exchange.reply.positive
        match exchange.verb:
            case "MAIL" if granted:
                self._begin_message(True)
            case "RCPT":
                self._granted, self._refused = self._granted or granted, self._refused or not granted
            case "RSET" | "EHLO" | "HELO" | "LHLO" if granted:
                self._begin_message(False)
            case "DATA" | "BDAT" if _is_whole(exchange):
                self._begin_message(False)
            case "AUTH" if granted:
                self._logged_in = True
            case "STARTTLS" if granted:
                self.secured()
            case _:
                pass

    def misplaced(self, verb: str) -> Misplaced | None:
        """What is answered to a command that cannot come here; None where it can."""
        match verb:
            case "MAIL" if self._sender:
                return Misplaced("503", "5.5.1", "A sender has been given already")
            case "RCPT" | "DATA" | "BDAT" if not self._sender:
                return Misplaced("503", "5.5.1", "MAIL comes first")
            case "DATA" | "BDAT" if self.unwanted:
                return Misplaced("554", "5.5.1", "No valid recipients")
            case "DATA" | "BDAT" if not self._granted:
                return Misplaced("503", "5.5.1", "RCPT comes first")
            case "AUTH" if self._logged_in:  # RFC 4954 section 4
                return Misplaced("503", "5.5.1", "Already authenticated")
            case "AUTH" if self._sender:
                return Misplaced("503", "5.5.1", "Not within a mail transaction")
            case "STARTTLS" if self.secure:
                return Misplaced("503", "5.5.1", "TLS has begun already")
            case _:
                return None

    def _begin_message(self, sender: bool) -> None:
        self._sender, self._granted, self._refused = sender, False, False


def _is_whole(exchange: Exchange) -> bool:
    """Whether a message has been answered: taken or refused, it is over."""
    if exchange.verb == "DATA":
        return exchange.content is not None
    return exchange.argument.upper().endswith("LAST")
