"""The demonstration: real clients, a practice server, and the recording of a good and a bad day between them."""

from collections.abc import Callable
from email.message import EmailMessage
from typing import Final

import trio

from mailproxy.app.judging import Remembered
from mailproxy.app.practice import PASSWORD, practice_server
from mailproxy.app.record import Plan, Screen, WhenFull, recording
from mailproxy.app.routes import LOOPBACK, Route
from mailproxy.model.finding import Verdict
from mailproxy.model.session import Session
from mailproxy.net.mail_client import Login, fetch_mail, send_mail

ALICE: Final = "alice@example.org"
BOB: Final = "bob@example.org"
BOB_HIMSELF: Final = Login("bob", PASSWORD)


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
            await watching.see(lambda: send_mail(send.host, send.port, BOB_HIMSELF, lunch(ALICE)))
            await watching.see(lambda: fetch_mail(fetch.host, fetch.port, Login("alice", PASSWORD)))
            await watching.see(lambda: send_mail(send.host, send.port, BOB_HIMSELF, lunch("nobody@example.org")))
            await watching.see(lambda: fetch_mail(fetch.host, fetch.port, Login("alice", "wrong horse")))
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

    def ended(self, session: Session, verdict: Verdict | None, remembered: Remembered) -> None:
        """Keep the session."""
        self._screen.ended(session, verdict, remembered)
        self.sessions.append(session)
        self._over.set()

    async def see(self, client: Callable[[], None]) -> None:
        """Run a client, and wait until its session is recorded; a cancelled wait leaves the client alone."""
        self._over = trio.Event()
        await trio.to_thread.run_sync(client, abandon_on_cancel=True)
        await self._over.wait()


def lunch(to: str) -> EmailMessage:
    """A mail from Bob."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOB, to, "Lunch"
    message["Date"], message["Message-ID"] = "Tue, 24 Nov 2026 12:00:00 +0000", "<lunch@example.org>"
    message.set_content("Shall we?\n\n.The dot at the start of this line is doubled on its way.\n")
    return message
