"""Each recorded server before its own client, all of the corpus over sockets: the session is the same once more.

Two mailproxies record what is said: the one that plays the server, which has both connections of the session as the
recorded one had, and the one that plays the client. What the first has recorded is compared with the recording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import trio

from mailproxy.analysis.diff import Looked, compare
from mailproxy.app.library import open_library
from mailproxy.app.plan import Plan, TlsPlan
from mailproxy.app.record import recording
from mailproxy.app.replay import client, server
from mailproxy.app.routes import Route, place, scheme
from mailproxy.app.screen import Listening
from mailproxy.model.difference import Comparison
from mailproxy.model.octets import Frame, Note
from mailproxy.model.session import Recording, Session
from mailproxy.model.tls import Security
from mailproxy.protocols import BLIND
from mailproxy.store import abridged
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.manner import AS_RECORDED
from tests.talk.play.client_stage import login_of
from tests.talk.play.server_stage import REPLAY, corpus

LIMIT: Final = 20.0
"""Seconds that a session may take."""
FULLY: Final = Acting(deliver=True, delete=True, clear_ok=True)
BY_CLIENT: Final = frozenset({"smtp-starttls-by-mailproxy-not-offered"})
"""Where mailproxy itself left the server: so does the one that plays the client, and the other one sees a client go."""


def _recorded(name: str) -> Recording:
    """A session of the corpus, which is called by its name."""
    found = corpus(name)
    return replace(found, session=replace(found.session, source=name))


def _route(name: str, listen: str = "0") -> Route:
    return server.route([SESSIONS[name]], listen, AS_RECORDED, lambda _: None)


def _in_clear(name: str) -> bool:
    """Whether TLS would be something new to it."""
    found = SESSIONS[name]
    told = any(isinstance(entry, Note) and "TLS" in entry.text for entry in found.entries)
    return found.session.protocol in {"smtp", "pop3"} and not told and _route(name).client is Security.NONE


NAMES: Final = [path.stem for path in sorted(REPLAY.glob("*.talk")) if corpus(path.stem).session.protocol != BLIND.name]
SESSIONS: Final = {name: _recorded(name) for name in NAMES}
IN_CLEAR: Final = [name for name in NAMES if _in_clear(name)]


class Watching:
    """Sees sessions end, and nothing else."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.over = trio.Event()

    def listening(self, where: Sequence[Listening]) -> None: ...

    def waiting(self, where: Sequence[Listening]) -> None: ...

    def began(self, session: Session) -> None: ...

    def said(self, number: int, lines: Sequence[object]) -> None: ...

    def ended(self, session: Session, verdict: object, remembered: object) -> None:
        self.sessions.append(session)
        self.over.set()

    def trouble(self, text: str) -> None:
        raise AssertionError(text)


class Stage:
    """Where sessions are played, and what both mailproxies make of them."""

    def __init__(self, folder: Path) -> None:
        self._server = f"sqlite:///{folder / 'server.sqlite'}"
        self._client = f"sqlite:///{folder / 'client.sqlite'}"
        self._tls = TlsPlan(authority=folder / "ca")
        self._watching = Watching()

    def play(self, routes: Mapping[str, Route]) -> dict[str, Comparison]:
        """Play these sessions on their routes; how each differs then."""
        by_client = trio.run(self._all, routes)
        return self._by_server() | {name: by_client[name] for name in BY_CLIENT & by_client.keys()}

    async def _all(self, routes: Mapping[str, Route]) -> dict[str, Comparison]:
        found: dict[str, Comparison] = {}
        plan = Plan(tuple(routes.values()), self._server, live=False, tls=self._tls)
        async with recording(plan, self._watching) as studio:
            for name, listening in zip(routes, studio.open, strict=True):
                with trio.fail_after(LIMIT):
                    found[name] = await self._one(SESSIONS[name], listening)
                    await self._watching.over.wait()
                self._watching.over = trio.Event()
        return found

    async def _one(self, recorded: Recording, listening: Listening) -> Comparison:
        route, host, port = listening
        url = f"{scheme(route.protocol, route.client)}://{place(host, port)}"
        wish = client.Wish(client.target(recorded, url), FULLY, login_of(recorded))
        tally = await client.play(recorded, wish, self._client)
        return tally.each[0].comparison

    def _by_server(self) -> dict[str, Comparison]:
        """What the mailproxy that played the servers has recorded, compared."""
        engine = open_library(self._server)
        try:
            return {
                session.replays.removeprefix("server of "): compare(
                    Looked(SESSIONS[session.replays.removeprefix("server of ")]),
                    Looked(abridged.load(engine, session.id), partial(abridged.digest, engine, session.id)),
                )
                for session in self._watching.sessions
            }
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Comparison]:
    """All of the corpus, played as it was recorded."""
    return _played(tmp_path_factory.mktemp("again"), {name: _route(name) for name in NAMES})


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Comparison]:
    """What was in clear, under TLS."""
    listens = {name: f"{SESSIONS[name].session.protocol}s://127.0.0.1:0" for name in IN_CLEAR}
    return _played(tmp_path_factory.mktemp("secured"), {name: _route(name, at) for name, at in listens.items()})


def _played(folder: Path, routes: Mapping[str, Route]) -> Mapping[str, Comparison]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILPROXY_CA", str(folder / "ca"))
        return Stage(folder).play(routes)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_session(name: str, again: Mapping[str, Comparison]) -> None:
    assert [each.told for each in again[name].differences] == []


@pytest.mark.parametrize("name", IN_CLEAR)
def test_it_is_the_same_session_under_tls(name: str, secured: Mapping[str, Comparison]) -> None:
    assert [each.told for each in secured[name].differences] == []
    played = secured[name].bad
    said = any(isinstance(entry, Frame) for entry in played.entries)
    assert said == (played.session.client.tls is not None)
