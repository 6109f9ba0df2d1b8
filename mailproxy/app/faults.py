"""Faults on wish: rules that are read, and the list of all that there is."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mailproxy.app.plan import UnusableOption
from mailproxy.protocols import named, names
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.fault import Fault, FaultError
from mailproxy.talk.faults.parse import SYNTAX, parse
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.faults.suits import check

__all__ = ["SYNTAX", "WHEN", "WHERE", "Faults", "Rule", "UnusableOption", "document", "names", "rules", "wanted"]

OPTION: Final = "--fault"
VERSION: Final = 1
WHERE: Final = (
    ("at connect", "when the server has taken the connection"),
    ("at greeting", "at the server's first words"),
    ("at VERB [N]", "at each command of this verb, or the N-th of the session"),
    ("at content [N]", "at each message, sent or fetched, or the N-th of the session"),
    ("at octet N [of client|server]", "where so many octets have been said, by the server where nothing is said"),
    ("after …", "instead of at: behind it"),
)
"""Where a fault may stand, and what that means; not every fault may stand everywhere."""
WHEN: Final = (
    ("first N", "the first N times, over all sessions"),
    ("one in N", "each N-th time"),
    ("after N messages", "once N messages have passed in the session"),
    ("above N connections", "while more than N sessions go on at once"),
    ("in session N", "in the N-th session since the start"),
    ("from session N", "from the N-th session on"),
)
"""When a fault happens, and what that means; without it, each time."""


class Rule(NamedTuple):
    """A kind of fault: how it is written, what it does, an example, and the protocols that know it."""

    name: str
    syntax: str
    does: str
    example: str
    protocols: tuple[str, ...]


def rules() -> list[Rule]:
    """All kinds of faults."""
    protocols = [named(name) for name in names()]
    return [
        Rule(kind.name, kind.syntax, kind.does, kind.example, tuple(each.name for each in protocols if kind.fits(each)))
        for kind in FAULTS
    ]


def document() -> dict[str, object]:
    """The same for programs."""
    return {
        "version": VERSION,
        "syntax": SYNTAX,
        "faults": [rule._asdict() for rule in rules()],
        "where": [{"syntax": syntax, "does": does} for syntax, does in WHERE],
        "when": [{"syntax": syntax, "does": does} for syntax, does in WHEN],
    }


def wanted(written: Sequence[str], spoken: Iterable[tuple[str, bool]] = ()) -> Faults | None:
    """The faults of these rules, each of which must make sense in one of the protocols that are `spoken` (in one of
    all, where none is named), with a client that may use TLS or one that cannot.

    None where there are no rules. Raises UnusableOption.
    """
    known = tuple(dict.fromkeys(spoken)) or tuple((name, True) for name in names())
    return Faults(tuple(_known(rule, known) for rule in written)) if written else None


def _known(written: str, spoken: tuple[tuple[str, bool], ...]) -> Fault:
    try:
        fault = parse(written)
        _check(fault, spoken)
    except FaultError as error:
        raise UnusableOption(OPTION, f"{written!r}: {error}") from error
    return fault


def _check(fault: Fault, spoken: tuple[tuple[str, bool], ...]) -> None:
    """Raises FaultError, for the first of the protocols, where it makes sense in none."""
    wrong: FaultError | None = None
    for protocol, tls in spoken:
        try:
            check(fault, protocol, tls)
        except FaultError as error:
            wrong = wrong or error
        else:
            return
    if wrong:
        raise wrong
