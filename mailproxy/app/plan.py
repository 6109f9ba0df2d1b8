"""What is to be recorded, where, and how."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from mailproxy.app.routes import Route
from mailproxy.net.securing import Terms as TlsTerms
from mailproxy.protocols.turn import Terms


class WhenFull(StrEnum):
    """What to do while nothing can be recorded: refuse new sessions, go on unrecorded, or stop."""

    REFUSE = "refuse"
    RELAY = "relay"
    STOP = "stop"


class TlsPlan(NamedTuple):
    """What is done about TLS, where a route says nothing else: taken `apart` or passed through, on which terms, with
    which roots besides the system's (PEM files), and in which folder our certificate authority is."""

    apart: bool = True
    terms: TlsTerms = TlsTerms()
    trust: tuple[Path, ...] = ()
    authority: Path = Path()


class Plan(NamedTuple):
    """What to record, where and how."""

    routes: tuple[Route, ...]
    db: str
    terms: Terms = Terms()
    ready_file: Path | None = None
    when_full: WhenFull = WhenFull.REFUSE
    live: bool = True
    poller: str = ""
    tls: TlsPlan = TlsPlan()
    socks: Route | None = None
