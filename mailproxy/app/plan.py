"""What is to be recorded, where, and how."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from mailproxy.app.routes import Route
from mailproxy.net import given_files
from mailproxy.net.given_files import UnusableFile
from mailproxy.net.securing import Terms as TlsTerms
from mailproxy.protocols.turn import Terms
from mailproxy.talk.faults.sessions import Faults


class WhenFull(StrEnum):
    """What to do while nothing can be recorded: refuse new sessions, go on unrecorded, or stop."""

    REFUSE = "refuse"
    RELAY = "relay"
    STOP = "stop"


class UnusableOption(Exception):
    """What an option names cannot be used; the message is one line."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@contextmanager
def _option(name: str) -> Iterator[None]:
    try:
        yield
    except UnusableFile as error:
        raise UnusableOption(name, str(error)) from error


class TlsPlan(NamedTuple):
    """What is done about TLS, where a route says nothing else: taken `apart` or passed through, on which terms, with
    which roots besides the system's (PEM files), and in which folder our certificate authority is."""

    apart: bool = True
    terms: TlsTerms = TlsTerms()
    trust: tuple[Path, ...] = ()
    authority: Path = Path()

    def try_files(self) -> None:
        """Try the files that the user names. Raises UnusableOption."""
        with _option("--trust"):
            given_files.roots(self.trust)
        if self.terms.client_cert:
            with _option("--client-cert"):
                given_files.client_certificate(self.terms.client_cert)
        if self.terms.keylog:
            with _option("--keylog"):
                given_files.keylog(self.terms.keylog)


class Plan(NamedTuple):
    """What to record, where and how, and which faults are to happen."""

    routes: tuple[Route, ...]
    db: str
    terms: Terms = Terms()
    ready_file: Path | None = None
    when_full: WhenFull = WhenFull.REFUSE
    live: bool = True
    poller: str = ""
    tls: TlsPlan = TlsPlan()
    socks: Route | None = None
    faults: Faults | None = None
