"""The course of a session of SMTP (RFC 5321): what is volatile in it, what its commands are about."""

import re
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Stage
from mailproxy.protocols.course import COMMON, Course, volatile

PATH: Final = re.compile(r"(?:FROM|TO):\s*<?([^<>\s]*)", re.I)
KINDS: Final = {"EHLO": "HELO", "LHLO": "HELO", "BDAT": "DATA"}
ASKED: Final = frozenset({"VRFY", "EXPN", "HELP", "ETRN"})
PROMPTS: Final = frozenset(
    (
        "VXNlcm5hbWU6",
        "dXNlcm5hbWU6",
        "VXNlciBOYW1lAA==",
        "VXNlciBOYW1lOg==",
        "UGFzc3dvcmQ6",
        "cGFzc3dvcmQ6",
        "UGFzc3dvcmQA",
    )
)
"""What AUTH LOGIN asks for, in base64."""


def about(exchange: Exchange) -> str:
    """The recipient of RCPT; what VRFY and its like ask for."""
    if exchange.verb == "RCPT":
        found = PATH.match(exchange.argument)
        return found[1].lower() if found else exchange.argument
    return exchange.argument if exchange.verb in ASKED else exchange.verb


def kind(exchange: Exchange) -> str:
    """HELO and EHLO do for one another, as BDAT (RFC 3030) does for DATA."""
    return KINDS.get(exchange.verb, exchange.verb)


COURSE: Final = Course(
    volatile=(
        volatile(r"^[A-Za-z0-9+/]{8,}={0,2}$", "<challenge>"),
        volatile(r"\bqueued as \S+", "queued as <id>"),
        volatile(r"\b\d+ (?:bytes|octets)(?: in \S+)?", "<number> octets"),
        volatile(r"\b\S+ - gsmtp\b", "<id> - gsmtp"),
        volatile(r"\bInternalId=\d+", "InternalId=<id>"),
        volatile(r"\b[\d.]+ [KM]B/sec\b", "<speed>"),
        volatile(r"\b[0-9A-F]{16}(?:\.[0-9A-F]{8,16}){1,2}\b", "<id>"),  # Courier's
        *COMMON,
    ),
    fixed=PROMPTS,
    asked=(volatile(r"\bSIZE=\d+", "SIZE=<number>"),),
    about=about,
    kind=kind,
    names=frozenset({"EHLO", "HELO", "LHLO"}),
    offers=frozenset({"EHLO", "LHLO"}),
    messages=frozenset({"DATA", "BDAT"}),
    counted=frozenset({"BDAT"}),  # RFC 3030 section 2
    logins=frozenset({"AUTH"}),
    upgrades=frozenset({"STARTTLS"}),
    doors=(("STARTTLS", Stage.TLS), ("AUTH", Stage.AUTH)),
    leaves=frozenset({"QUIT"}),
    leaving="421",  # RFC 5321 section 3.8
)
