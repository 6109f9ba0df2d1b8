"""A fault as it is wanted: where, what, when."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple
from typing import Protocol as Interface

from mailproxy.model import tls
from mailproxy.model.octets import Side
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.orders import Order
from mailproxy.talk.faults.pace import Pace

HOLD_LIMIT: Final = 65_536
"""So many octets are held to be looked at, no more: then they go on as they are."""


class FaultError(ValueError):
    """A fault that cannot be read: one line that says what to write."""


class Place(StrEnum):
    """What stands behind `at`; ANYWHERE where nothing does."""

    CONNECT = "connect"
    GREETING = "greeting"
    COMMAND = "VERB"
    CONTENT = "content"
    OCTET = "octet"
    ANYWHERE = "anywhere"


class Sort(Enum):
    """What a unit of speech is: a message goes in either direction, all others are the server's."""

    GREETING = "greeting"
    REPLY = "reply"
    LISTING = "listing"
    MESSAGE = "message"


class Unit(NamedTuple):
    """Something said from its first octet to its last.

    `number` counts the commands of `verb` in the session from 1, `message` the messages. `to_message` says that it is
    the server's reply to a message of the client.
    """

    side: Side
    sort: Sort
    verb: str = ""
    number: int = 0
    message: int = 0
    to_message: bool = False


class Where(NamedTuple):
    """A place in a session: the `number`-th of its kind, each where that is 0; behind it with `after`.

    `octets` of a content have gone on before; `side` says whose octets are counted.
    """

    place: Place = Place.ANYWHERE
    verb: str = ""
    number: int = 0
    side: Side = Side.SERVER
    after: bool = False
    octets: int = 0

    def is_at(self, place: Place, number: int = 0, verb: str = "", after: bool = False) -> bool:
        """Whether this is the place."""
        return (self.place, self.verb, self.after) == (place, verb, after) and self.number in {0, number}

    def covers(self, unit: Unit) -> bool:
        """Whether a unit stands there."""
        match self.place:
            case Place.ANYWHERE:
                return True
            case Place.GREETING:
                return unit.sort is Sort.GREETING
            case Place.COMMAND:
                return unit.side is Side.SERVER and unit.verb == self.verb and self.number in {0, unit.number}
            case Place.CONTENT:
                return (unit.sort is Sort.MESSAGE or unit.to_message) and self.number in {0, unit.message}
            case _:
                return False


class When(NamedTuple):
    """In the `first` so many times, each `one_in`-th time; behind so many `messages` of the session, above so many
    `connections` at once, from session `since` to session `until`; 0 says nothing.

    A time is each time that a session comes to the place; where no place is named, a session.
    """

    first: int = 0
    one_in: int = 0
    messages: int = 0
    connections: int = 0
    since: int = 0
    until: int = 0


class TlsSpoil(NamedTuple):
    """What is wrong with mailproxy's part of TLS with the client: its hello is answered by this alert, by number, or
    these faults are added to the certificate."""

    alert: int | None = None
    faults: frozenset[tls.Fault] = frozenset()


NO_TLS_SPOIL: Final = TlsSpoil()
NO_ANSWER: Final = "{} hands messages out, and answers none: name the command that fetches one"


class Stream(Interface):
    """Changes a unit on its way. `changed` tells whether anything is not as it came."""

    changed: bool

    def feed(self, octets: bytes, last: bool) -> bytes:
        """What goes on now; behind the `last` octets, all that was held."""

    def let_go(self) -> bytes:
        """What was held of a unit that will have no end."""


@dataclass(frozen=True, slots=True)
class What:
    """What is done. Each kind does one of these things; most do nothing of the others."""

    @property
    def says(self) -> str:
        """What it does, for the record."""
        return ""

    def deed(self) -> tuple[Order, ...]:
        """What to do before what stands at the place goes on."""
        return ()

    def instead(self, protocol: Protocol) -> bytes | None:
        """The reply that is given in the server's place."""
        return None

    @property
    def drops(self) -> bool:
        """Whether a command goes nowhere."""
        return False

    @property
    def upgrades(self) -> bool:
        """Whether it stands at the wish for TLS where no place is named."""
        return False

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        """What changes such a unit."""
        return None

    def pace(self) -> Pace | None:
        """At which pace all goes on from here."""
        return None

    def unsuited(self, protocol: Protocol, where: Where) -> str:
        """Why it makes no sense there in this protocol, in one line that says what to write; empty where it does."""
        return ""

    def tls(self) -> TlsSpoil:
        """What is wrong with TLS with the client."""
        return NO_TLS_SPOIL


def any_protocol(protocol: Protocol) -> bool:
    """A fault that every protocol knows."""
    return True


class Kind(NamedTuple):
    """A kind of fault: its name, how it is written, what it does, an example.

    `places` are where it may stand, ANYWHERE for nowhere in particular; `usual` is where it stands if nobody says.
    `read` takes what is written behind the name and raises FaultError. `fits` tells for which protocols it is.
    """

    name: str
    syntax: str
    does: str
    example: str
    places: frozenset[Place]
    read: Callable[[str], What]
    usual: Place = Place.ANYWHERE
    fits: Callable[[Protocol], bool] = any_protocol


class Fault(NamedTuple):
    """One fault, as it was `written`."""

    written: str
    kind: Kind
    where: Where
    what: What
    when: When = When()


SPOTS: Final = frozenset({Place.CONNECT, Place.GREETING, Place.COMMAND, Place.CONTENT, Place.OCTET})
UNITS: Final = frozenset({Place.ANYWHERE, Place.GREETING, Place.COMMAND, Place.CONTENT})
SESSION: Final = frozenset({Place.ANYWHERE})


def nothing(written: str, name: str) -> None:
    """Take nothing behind the name of a fault; raises FaultError where there is something."""
    if written:
        raise FaultError(f"nothing stands behind {name!r}: {written!r}")
