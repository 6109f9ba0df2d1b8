"""Play a recorded client: to its own server or another, once or many times, and see what comes of it."""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import trio
from sqlalchemy import Engine

from mailproxy.analysis.diff import Looked, compare
from mailproxy.app import diff_document, settings
from mailproxy.app.by_hand import Target
from mailproxy.app.diff import Compared
from mailproxy.app.library import journal_of, make_library
from mailproxy.app.replay.meant import as_meant
from mailproxy.app.replay.part import CLIENT, NotPlayable, named, playable, title
from mailproxy.app.replay.password import password
from mailproxy.app.replay.talk import Talk
from mailproxy.app.routes import RouteError, make, place
from mailproxy.app.taking import Notebook
from mailproxy.model.difference import Comparison
from mailproxy.model.session import Recording, Session
from mailproxy.model.tls import Security
from mailproxy.net.authority import Authority
from mailproxy.net.securing import Office, Securing, Terms
from mailproxy.net.trust import Trust
from mailproxy.store import abridged
from mailproxy.store.recorder import Recorder
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.client import ClientPlayer, Login

__all__ = [
    "Acting",
    "Comparison",
    "Login",
    "NotPlayable",
    "Played",
    "Tally",
    "Wish",
    "document",
    "login",
    "play",
    "target",
]

VERSION: Final = 1
NAME: Final = "replay"


class Wish(NamedTuple):
    """How a client is to be played: to which server, in which manner, how often, how many at once; who logs in, which
    roots are trusted besides, and the lowest version of TLS."""

    target: Target
    acting: Acting
    login: Login | None = None
    times: int = 1
    parallel: int = 1
    trust: tuple[Path, ...] = ()
    tls_min: str = ""


class Played(NamedTuple):
    """What came of one time: the new session, where and why it stopped before the record's end (empty where it did
    not), what was done otherwise than recorded, and how it differs."""

    session: Session
    stopped: str
    remarks: tuple[str, ...]
    comparison: Comparison

    @property
    def equal(self) -> bool:
        """Whether it went as recorded."""
        return self.comparison.equal and not self.stopped


class Tally(NamedTuple):
    """What came of all times, in the order in which they ended; `stopped` where SIGINT or SIGTERM came before the last
    one had. `cut_off` are the sessions that went on then."""

    recording: Recording
    each: tuple[Played, ...]
    stopped: bool = False
    cut_off: tuple[int, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all went as recorded."""
        return not self.stopped and all(played.equal for played in self.each)

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """How often there was which outcome, the most frequent first."""
        return Counter(played.session.outcome for played in self.each).most_common()


def target(recording: Recording, upstream: str | None) -> Target:
    """The server that is meant: by its URL, else the recorded one. Raises RouteError and NotPlayable."""
    session = recording.session
    playable(session)
    wanted = upstream or session.upstream or _recorded(session)
    route = make(wanted)
    if route.protocol != session.protocol and {route.protocol, session.protocol} != {"smtp", "lmtp"}:
        raise RouteError(f"{wanted}: {named(session)} speaks {session.protocol}, which is not spoken there")
    return Target(route.host, route.port, route.protocol, True, route.server)


def _recorded(session: Session) -> str:
    server = session.server
    if not (server.host or server.address) or not server.port:
        raise RouteError(
            f"{named(session)} does not tell its server and port: name it, as in smtp://mail.example.org:25"
        )
    return f"{session.protocol}://{place(server.host or server.address, server.port)}"


def login(recording: Recording, user: str | None, ask: Callable[[str], str]) -> Login | None:
    """Who logs in, where the record has a login whose secret is masked; None where nobody does, or nobody tells the
    password: then it goes as far as the login.

    Raises ValueError where a name or a password cannot be said, and where a `user` is named whose password is unknown.
    """
    script = ClientPlayer(recording).script
    if not user and not script.masked:
        return None
    name = user or script.user or recording.session.user
    secret = password(name, ask) if name else ""
    if user and not secret:
        raise ValueError("no password is given: put it into MAILPROXY_PASSWORD")
    return Login(name, secret) if secret else None


async def play(recording: Recording, wish: Wish, db: str, done: Callable[[int], None] = lambda number: None) -> Tally:
    """Play as often as is wished, or until SIGINT or SIGTERM; `done` is told how many times are over.

    Raises ValueError where the wished recipient is no address, StoreError, RecordingStopped, and TrustError where a
    file holds no root.
    """
    ClientPlayer(recording, wish.acting)  # a wish that cannot be fulfilled leaves no session behind
    engine = make_library(db)
    try:
        return await _Stage(recording, wish, engine, done).run()
    finally:
        engine.dispose()


class _Stage:
    """Where all times are played."""

    def __init__(self, recording: Recording, wish: Wish, engine: Engine, done: Callable[[int], None]) -> None:
        self._recording = recording
        self._wish = wish
        self._engine = engine
        self._done = done
        self._recorder = Recorder(engine, journal_of(engine))
        self._office = Office(lambda: Authority(settings.authority()), lambda: Trust((*_own_root(), *wish.trust)))
        self._played: list[Played] = []
        self._going: set[int] = set()  # sessions that are not over
        self._stopped = False
        number = recording.session.id
        self._then = self._looked(number) if number else Looked(recording)
        self._limit = trio.CapacityLimiter(wish.parallel)

    async def run(self) -> Tally:
        """Play, and give what came of each time."""
        try:
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._stop_at, signals, nursery.cancel_scope)
                    await self._all()
                    nursery.cancel_scope.cancel()
        finally:
            self._recorder.close()
        return Tally(self._recording, tuple(self._played), self._stopped, tuple(sorted(self._going)))

    async def _stop_at(self, signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
        await anext(signals)
        self._stopped = True
        scope.cancel()

    async def _all(self) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(self._wish.times):
                await self._limit.acquire_on_behalf_of(holder := object())
                nursery.start_soon(self._one, holder)

    async def _one(self, holder: object) -> None:
        try:
            await self._play()
        finally:
            self._limit.release_on_behalf_of(holder)
            self._done(len(self._played))

    async def _play(self) -> None:
        wish = self._wish
        player = ClientPlayer(self._recording, wish.acting, wish.login, wish.target.security)
        notebook = Notebook(self._recorder, wish.target, NAME, CLIENT + title(self._recording.session))
        securing = Securing(self._office, Terms(tls_min=wish.tls_min), wish.target.host, ())
        self._going.add(number := notebook.session.id)
        await Talk(_begun(wish.target), player, securing, notebook).run()
        self._going.discard(number)
        new = self._looked(notebook.session.id)
        session = replace(notebook.session, duration=new.recording.session.duration)
        elsewhere = wish.target.url != self._recording.session.upstream
        found = as_meant(compare(self._then, new), player.otherwise, elsewhere)
        self._played.append(Played(session, player.stopped, tuple(player.remarks), found))

    def _looked(self, number: int) -> Looked:
        """A session of the database; large messages of it stay there."""
        engine = self._engine
        return Looked(abridged.load(engine, number), lambda span: abridged.digest(engine, number, span))


def _begun(wanted: Target) -> Target:
    """The server as it is connected with: STARTTLS begins in clear."""
    return wanted._replace(security=Security.NONE) if wanted.security is Security.STARTTLS else wanted


def _own_root() -> tuple[Path, ...]:
    """mailproxy's own root, by which `mailproxy replay server` is trusted; none where there is no authority yet."""
    folder = settings.authority()
    return (Authority(folder).path,) if (folder / "authority.pem").exists() else ()


def document(tally: Tally) -> str:
    """What came of it, as JSON."""
    return json.dumps(
        {
            "version": VERSION,
            "equal": tally.equal,
            "stopped": tally.stopped,
            "cut_off": list(tally.cut_off),
            "outcomes": [{"outcome": outcome, "times": times} for outcome, times in tally.outcomes],
            "sessions": [
                {
                    "id": played.session.id,
                    "replays": played.session.replays,
                    "outcome": played.session.outcome,
                    "failed": played.session.failed,
                    "stopped": played.stopped,
                    "remarks": list(played.remarks),
                    "comparison": diff_document.as_object(Compared(played.comparison)),
                }
                for played in tally.each
            ],
        },
        indent=2,
    )
