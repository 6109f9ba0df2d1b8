"""How the client's part of a protocol is played again: what would do harm, what has to be computed anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from typing import Protocol as Interface

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.mask import MARK
from mailproxy.model.stream import Streams
from mailproxy.protocols.outcome import HARMLESS


class Recorded(NamedTuple):
    """What was recorded: exchanges in their order, and the octets behind their spans."""

    exchanges: Sequence[Exchange]
    streams: Streams


class Leave(NamedTuple):
    """What may be done that cannot be undone: deliver, to `rcpt_to` instead of anybody else if that is not empty;
    delete."""

    deliver: bool = False
    delete: bool = False
    rcpt_to: str = ""


MASKED: Final = "the password is masked in the record, and none is given (put it into MAILPROXY_PASSWORD)"
"""Why a login is impossible."""


class Account(Interface):
    """Whose mail it is. Nothing of it is in any remark."""

    @property
    def user(self) -> str: ...

    @property
    def password(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said in the place of a recorded command: lines, none where it is left out, and what there is to remark.

    Each line but the last has to be granted before the next. With `body`, what the client said behind the command (a
    message, responses) is said too. With `waits`, all that was said before has to be answered first. `mechanism` is
    that of a SASL exchange which the command begins, `offered` are those that the server is known to offer. What speaks
    `against` going on can be overruled; what makes it `impossible` cannot.
    """

    lines: tuple[bytes, ...] = field(default=(), repr=False)
    remark: str = ""
    body: bool = True
    waits: bool = False
    mechanism: str = ""
    offered: frozenset[str] = frozenset()
    against: str = ""
    impossible: str = ""


class Prompter(Interface):
    """Tells the player of one connection what to say instead of what was recorded."""

    def greeted(self, greeting: Reply) -> None:
        """Hear the greeting."""

    def cue(self, exchange: Exchange, line: bytes) -> Cue:
        """What is said in the place of a recorded command, which is `line` with its line end."""

    def heard(self, recorded: Exchange | None, now: Exchange, listing: bytes) -> None:
        """Hear what was asked and answered; `recorded` is what it stands for, `listing` the content behind it."""

    def farewell(self) -> tuple[bytes, ...]:
        """What is said before leaving early: none where that would do harm, or where the protocol has no such word."""


class AsItWas:
    """Everything is said as it was."""

    def __init__(self, recorded: Recorded, leave: Leave, account: Account | None) -> None:
        pass

    def greeted(self, greeting: Reply) -> None:
        pass

    def cue(self, exchange: Exchange, line: bytes) -> Cue:
        return Cue((line,))

    def heard(self, recorded: Exchange | None, now: Exchange, listing: bytes) -> None:
        pass

    def farewell(self) -> tuple[bytes, ...]:
        return ()


def nobody(verb: str, argument: str) -> str:
    """No command names a user."""
    return ""


class Asking(NamedTuple):
    """The client's part of a protocol, as it is played again.

    A client goes on where a command that is `tolerated` is refused. The content behind the answer to one of `listings`
    is shown to the prompter. `user` is who is named by a command, empty where nobody is. `service` is the protocol's
    name in SASL (RFC 4422 section 4).
    """

    prompter: Callable[[Recorded, Leave, Account | None], Prompter] = AsItWas
    tolerated: frozenset[str] = HARMLESS
    listings: frozenset[str] = frozenset()
    user: Callable[[str, str], str] = nobody
    service: str = ""


ASKING = Asking()
"""Everything is said as it was."""


def said(line: bytes, *words: str) -> bytes:
    """A command with other words behind its verb; its verb is spelt, and its line ends, as it did."""
    verb = line.split(None, 1)[0] if line.strip() else b""
    end = line[len(line.rstrip(b"\r\n")) :]
    return b" ".join([verb, *(word.encode("utf-8", "surrogateescape") for word in words)]) + end


def masked(line: bytes) -> bool:
    """Whether a secret is masked in a line."""
    return MARK.search(line) is not None


def offers(lines: Sequence[str], keyword: str) -> frozenset[str]:
    """The words behind a keyword (AUTH, SASL) in the lines that tell what a server can do, in upper case."""
    said = [line.upper().replace("=", " ").split() for line in lines]
    return frozenset(word for words in said if words[:1] == [keyword] for word in words[1:])


def login(line: bytes, mechanism: str, offered: frozenset[str] | None) -> Cue:
    """A command that begins a login, remarked on where the server does not offer its mechanism.

    `offered` is None where nothing is known.
    """
    return Cue((line,), _unoffered(mechanism, offered), mechanism=mechanism, offered=offered or frozenset())


def _unoffered(mechanism: str, offered: frozenset[str] | None) -> str:
    if offered is None or mechanism in offered:
        return ""
    return f"AUTH {mechanism} is not offered by this server ({', '.join(sorted(offered)) or 'no AUTH is'})"
