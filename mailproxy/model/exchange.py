"""What was said, once it is understood: commands, the replies they earned, the messages they carried."""

from enum import StrEnum
from typing import NamedTuple

from mailproxy.model.octets import Span


class Flag(StrEnum):
    """What is odd about an exchange. The reader notes it and does not judge."""

    GREETING = "greeting"
    UNASKED = "unasked"  # a reply to nothing
    EARLY = "early"  # the client spoke before the greeting or did not wait where it must
    UNPARSED = "unparsed"  # octets that are no command and no reply of the protocol
    UNFINISHED = "unfinished"  # broken off before its end
    MISPLACED = "misplaced"  # MAIL TO: and the like
    NOT_MAIL = "not-mail"  # HTTP, a TLS ClientHello or a PROXY header on a mail port
    BAD_LINE_END = "bad-line-end"  # a command or a reply line that did not end in CRLF
    LONG_LINE = "long-line"  # over 512 octets of speech (RFC 5321 section 4.5.3.1)
    EIGHT_BIT = "8-bit"
    NUL = "nul"
    MIXED_CODES = "mixed-codes"  # the lines of one reply differ in code
    ODD_REPLY = "odd-reply"  # a code that RFC 5321 does not know, or no blank behind it
    ODD_CODE = "odd-code"  # DATA was not answered by 354 and content followed all the same
    ODD_END = "odd-end"  # content ended in another way than CRLF . CRLF, by the server's reckoning

    STRAY = "stray"  # octets behind the command or the reply of an upgrade to TLS
    SHORT = "short"  # fewer octets than announced
    SECRET = "secret"  # a secret stands in it, masked or not


class Reply(NamedTuple):
    """One reply: its code (`250`, `+OK`, `=`), what it says, where it stands and when it was whole.

    `enhanced` is an enhanced status code (RFC 3463) or a POP3 response code (RFC 2449) without its
    brackets. `text` holds the lines without code and CRLF, joined by LF. `at` is in microseconds
    since the session began.
    """

    code: str
    enhanced: str
    text: str
    span: Span
    at: int

    @property
    def positive(self) -> bool:
        """Whether it grants what was asked, as far as its code says."""
        return self.code[:1] in {"1", "2", "3", "=", "#"} or self.code in {"+", "+OK"}


class Content(NamedTuple):
    """A message or a listing as it went over the wire, its end included.

    `announced` is how many octets were promised, where that was said; `ended` tells whether its end was seen.
    """

    span: Span
    ended: bool
    announced: int | None = None


class Exchange(NamedTuple):
    """A command and the replies it earned. `number` counts from 0 (the greeting) within the session.

    `verb` is upper case and empty where nothing was asked; `command` is None there. `at` is when the
    command was whole (or the reply, where nothing was asked), in microseconds since the session began.
    `extra` are further spans that belong to it: AUTH responses, BDAT octets.
    """

    number: int
    verb: str
    argument: str
    command: Span | None
    at: int
    replies: tuple[Reply, ...] = ()
    content: Content | None = None
    extra: tuple[Span, ...] = ()
    flags: frozenset[Flag] = frozenset()

    @property
    def reply(self) -> Reply | None:
        """The last reply, which decided."""
        return self.replies[-1] if self.replies else None

    @property
    def latency(self) -> int | None:
        """Microseconds from the command to its first reply."""
        return self.replies[0].at - self.at if self.replies else None
