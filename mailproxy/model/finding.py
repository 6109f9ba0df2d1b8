"""What a diagnosis finds: the verdict of a session, and what else is odd in it."""

from enum import StrEnum
from typing import NamedTuple

from mailproxy.model.octets import Span


class Outcome(StrEnum):
    """What came of a session: all that was wanted, nothing of it, some of it, or nobody can tell because it was cut."""

    OK = "ok"
    FAILED = "failed"
    PARTIAL = "partial"
    UNFINISHED = "unfinished"


class Stage(StrEnum):
    """How far a session came: where the first cause of its failure lies; NONE where it did not fail.

    MAIL, RCPT, DATA, CONTENT and HELLO are SMTP's, TRANSACTION and UPDATE those of POP3 and POP2 (RFC 1939 section 3).
    """

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    HELLO = "hello"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    QUIT = "quit"
    TRANSACTION = "transaction"
    UPDATE = "update"
    NONE = "none"


class Blame(StrEnum):
    """Who has to change something.

    A setting of the mail program or its code; the user's name or password; a refusal that the server means; a server
    that is wrong or out of order; the way between; a mailbox that is unknown, full or locked.
    """

    CLIENT_CONFIG = "client-config"
    CLIENT_PROGRAM = "client-program"
    CREDENTIALS = "credentials"
    SERVER_POLICY = "server-policy"
    SERVER_FAULT = "server-fault"
    NETWORK = "network"
    MAILBOX = "mailbox"
    UNKNOWN = "unknown"
    NONE = "none"


class Confidence(StrEnum):
    """How sure a verdict is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Other(NamedTuple):
    """Somebody else who may have to change something, and why that is possible."""

    blame: Blame
    why: str


class Evidence(NamedTuple):
    """What proves a verdict: octets that were said, or a note by its place among the entries, from 0."""

    span: Span | None = None
    note: int | None = None


class Finding(NamedTuple):
    """Something that is odd and decided nothing: which rule saw it, one sentence, where it stands."""

    rule: str
    summary: str
    evidence: tuple[Evidence, ...] = ()


class Verdict(NamedTuple):
    """What went wrong in a session, where, by whom, how sure that is, by which rule, and what to do.

    `summary` is one sentence; `remedy` tells what to change in the client at hand, or what to ask the provider for;
    both are plain words. `also_possible` holds two at most. `findings` did not decide it.
    """

    outcome: Outcome
    stage: Stage
    blame: Blame
    also_possible: tuple[Other, ...]
    confidence: Confidence
    rule: str
    summary: str
    evidence: tuple[Evidence, ...]
    remedy: str
    findings: tuple[Finding, ...] = ()
