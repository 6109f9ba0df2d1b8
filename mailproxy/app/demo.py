"""The demonstration: real clients, a practice server, and the recording of a good and a bad day between them."""

import poplib
import smtplib
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import Final

import trio

from mailproxy.app.practice import PASSWORD, practice_server
from mailproxy.app.record import Listening, Plan, Screen, WhenFull, recording
from mailproxy.app.routes import LOOPBACK, Route
from mailproxy.model.session import Session

TIMEOUT: Final = 10.0
ALICE: Final = "alice@example.org"
BOB: Final = "bob@example.org"


class Unrecorded(Exception):
    """The demonstration could not be recorded; the screen has been told why."""


async def demo(db: str, screen: Screen) -> list[Session]:
    """Record four sessions of real clients with practice servers; returns them.

    Raises StoreError, OSError and, where the recording stops on its way, Unrecorded; all but StoreError in groups.
    """
    watching = Watching(screen)
    async with practice_server() as servers:
        smtp = Route("smtp", LOOPBACK, 0, servers.smtp.host, servers.smtp.port)
        pop3 = Route("pop3", LOOPBACK, 0, servers.pop3.host, servers.pop3.port)
        plan = Plan((smtp, pop3), db, when_full=WhenFull.STOP)
        async with recording(plan, watching) as studio, trio.open_nursery() as nursery:
            nursery.start_soon(_must_go_on, studio.stopping)
            send, fetch = studio.open
            await watching.see(lambda: send_mail(send, ALICE))
            await watching.see(lambda: fetch_mail(fetch, "alice", PASSWORD))
            await watching.see(lambda: send_mail(send, "nobody@example.org"))
            await watching.see(lambda: fetch_mail(fetch, "alice", "wrong horse"))
            nursery.cancel_scope.cancel()
    return watching.sessions


async def _must_go_on(stopping: trio.Event) -> None:
    await stopping.wait()
    raise Unrecorded("the demonstration could not be recorded")


class Watching:
    """A screen that also knows when a session is over."""

    def __init__(self, screen: Screen) -> None:
        self.sessions: list[Session] = []
        self._screen = screen
        self._over = trio.Event()
        self.listening = screen.listening
        self.waiting = screen.waiting
        self.began = screen.began
        self.said = screen.said
        self.trouble = screen.trouble

    def ended(self, session: Session) -> None:
        """Keep the session."""
        self._screen.ended(session)
        self.sessions.append(session)
        self._over.set()

    async def see(self, client: Callable[[], None]) -> None:
        """Run a client, and wait until its session is recorded; a cancelled wait leaves the client alone."""
        self._over = trio.Event()
        await trio.to_thread.run_sync(client, abandon_on_cancel=True)
        await self._over.wait()


def send_mail(where: Listening, to: str) -> None:
    """Send a mail from Bob, as a mail program does it; the server may refuse."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOB, to, "Lunch"
    message["Date"], message["Message-ID"] = "Tue, 24 Nov 2026 12:00:00 +0000", "<lunch@example.org>"
    message.set_content("Shall we?\n\n.The dot at the start of this line is doubled on its way.\n")
    with (
        suppress(OSError),  # as all of smtplib's errors are
        smtplib.SMTP(where.host, where.port, local_hostname="client.example.org", timeout=TIMEOUT) as client,
    ):
        client.login("bob", PASSWORD)
        client.send_message(message)


def fetch_mail(where: Listening, user: str, password: str) -> None:
    """Fetch the newest mail; the server may refuse."""
    with suppress(poplib.error_proto, OSError):
        client = poplib.POP3(where.host, where.port, timeout=TIMEOUT)
        try:
            client.user(user)
            client.pass_(password)
            count, _ = client.stat()
            client.retr(count)
        finally:
            client.quit()
