"""A session: one client connection and the server connection made for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Side
from mailproxy.model.tls import TlsFacts


class How(StrEnum):
    """How a leg ended."""

    CLOSED = "closed"
    RESET = "reset"
    CUT = "cut"  # by the proxy, which was stopped or which carried the other leg's ending through
    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    NO_ROUTE = "no-route"
    NO_NAME = "no-such-host"
    FAILED = "failed"


class Ending(NamedTuple):
    """Who ended a leg, how, and when in microseconds since the session began. `by` None is the proxy."""

    by: Side | None
    how: How
    at: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One of the two connections of a session.

    `host` is the name that was asked for (of the client its address), `address` and `port` those of
    the peer, `local_address` and `local_port` the proxy's own. `connected` is in microseconds since the
    session began, None where no connection came about. `tls` is None where there was none.
    """

    side: Side
    host: str = ""
    address: str = ""
    port: int = 0
    local_address: str = ""
    local_port: int = 0
    connected: int | None = None
    ending: Ending | None = None
    tls: TlsFacts | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What there is to know of a session besides what was said.

    `started` is aware and in UTC. `duration` is in microseconds, None while the session goes on.
    `upstream` is the URL of the server (`smtp://mail.example.org:25`). `source` is empty for a session that
    was recorded here, else the file it was imported from. `outcome` is one line, empty while open. `replays` tells
    whose part mailproxy played (`client of 12`, `server of refused.talk`), empty where it played none.
    """

    id: int
    protocol: str
    started: datetime
    upstream: str = ""
    client: Leg = Leg(Side.CLIENT)
    server: Leg = Leg(Side.SERVER)
    duration: int | None = None
    source: str = ""
    user: str = ""
    outcome: str = ""
    failed: bool = False
    replays: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A session with all that was said in it, in the order in which it was heard."""

    session: Session
    entries: tuple[Entry, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
