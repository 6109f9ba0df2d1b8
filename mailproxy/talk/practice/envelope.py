"""The envelope of a message: who sends it and who gets it (RFC 5321 section 4.1.1)."""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mailproxy.talk.practice.accounts import DOMAIN, Account

SIZE_LIMIT: Final = 10 * 1024 * 1024
_PATH: Final = re.compile(
    r"""
    (FROM|TO):[ ]*
    <(?:@[^:<>]*:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\x00-\x20\x7f])*)>
    ((?:[ ]+[a-z0-9][a-z0-9-]*(?:=\S*)?)*)
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Path(NamedTuple):
    """An address, its source route left out, and the parameters behind it, their names in upper case."""

    address: str
    parameters: dict[str, str]

    @property
    def local(self) -> str:
        """What stands before the last `@`."""
        return self.address.rpartition("@")[0] if "@" in self.address else self.address

    @property
    def here(self) -> bool:
        """Whether its domain is the practice server's; `<postmaster>` needs none (section 4.5.1)."""
        return self.address.lower().endswith(f"@{DOMAIN}") or self.address.lower() == "postmaster"


class Recipient(NamedTuple):
    """An accepted recipient, and the accounts that get what is sent to it: none for one elsewhere."""

    address: str
    accounts: tuple[Account, ...]


@dataclass(slots=True)
class Envelope:
    """A mail transaction: `chunks` are BDAT's octets so far (RFC 3030), `smtputf8` is RFC 6531's parameter."""

    sender: str
    smtputf8: bool = False
    recipients: list[Recipient] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)


def path(keyword: str, argument: str) -> Path | None:
    """What stands behind MAIL (`keyword` FROM) or RCPT (TO); None where that is no path."""
    found = _PATH.fullmatch(argument)
    if not found or found[1].upper() != keyword:
        return None
    parameters = (word.partition("=") for word in found[3].split())
    return Path(found[2], {name.upper(): value for name, _, value in parameters})


def refusal(sender: Path) -> str:
    """The reply to a MAIL with parameters that cannot be granted; empty where all can."""
    for parameter in sender.parameters.items():
        match parameter:
            case "SIZE", value if not re.fullmatch("[0-9]{1,20}", value):
                return "501 5.5.4 SIZE takes a number"
            case "SIZE", value if int(value) > SIZE_LIMIT:
                return f"552 5.3.4 Over the limit of {SIZE_LIMIT} octets"
            case "BODY", value if value.upper() not in ("7BIT", "8BITMIME"):
                return "501 5.5.4 BODY takes 7BIT or 8BITMIME"
            case (("SIZE" | "BODY" | "SMTPUTF8" | "AUTH"), _):
                continue
            case name, _:
                return f"555 5.5.4 The parameter {name} is not known here"
    return ""
