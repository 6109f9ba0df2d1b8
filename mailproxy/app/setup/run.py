"""Set up an account, from what was found to what is written."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from mailproxy.app import settings
from mailproxy.app.routes import Route, RouteError, socks
from mailproxy.app.setup import address, from_thunderbird, lookup, toml
from mailproxy.app.setup.ask_ports import Tell
from mailproxy.app.setup.error import SetupError, WordsError
from mailproxy.app.setup.lookup import Found
from mailproxy.app.setup.programs import PROGRAMS, Advice, advice
from mailproxy.app.setup.server import Server
from mailproxy.app.setup.table import Entry, Ways, ways


@dataclass(frozen=True, slots=True)
class SetUp:
    """An account that is set up, or would be: what was found, the settings file's text, and what to enter."""

    found: Found
    path: Path
    plan: toml.Plan
    ways: Ways

    def advice(self, name: str) -> Advice:
        """What to enter in the mail program of this name."""
        return advice(name, self.ways)


def program_names() -> tuple[str, ...]:
    """The mail programs that are known."""
    return tuple(PROGRAMS)


def find(what: str | None, thunderbird: bool, tell: Tell) -> Found:
    """The servers of an e-mail address or of a Thunderbird profile; raises SetupError.

    `what` is an address, or with `thunderbird` a profile by its path or name, or the address of an account in it.
    Without either the only profile of the user is taken.
    """
    if not (what or thunderbird):
        profile = from_thunderbird.only()
        if profile is None:
            raise WordsError("whose servers? write mailproxy setup alice@example.org, or --thunderbird PROFILE")
        tell(f"reading {profile}")
        return from_thunderbird.found(profile)
    if not thunderbird:
        return trio.run(partial(lookup.lookup, address.parse(what or ""), tell))
    is_account = bool(what) and "@" in (what or "") and not Path(what or "").exists()
    profile = from_thunderbird.choose(None if is_account else what)
    tell(f"reading {profile}")
    return from_thunderbird.found(profile, what if is_account else None)


def plan(found: Found, config: Path | None) -> SetUp:
    """What the settings file is to say; raises SetupError, also where the file cannot be understood."""
    path = config or settings.FILE
    text = toml.read(path)
    there = _routes(path) if text else ()
    own = [server for server in found.chosen if toml.reads_itself(server, there)]
    chosen = tuple(server for server in found.chosen if server not in own)
    notes = tuple(f"{server.upstream} is mailproxy itself: first put the old server back" for server in own)
    planned = toml.plan(text, there, chosen, path)
    return SetUp(replace(found, chosen=chosen, notes=found.notes + notes), path, planned, ways(planned.routes))


def _routes(path: Path) -> tuple[Route, ...]:
    """The routes of a settings file, with its SOCKS port, which is taken as well."""
    try:
        said = settings.read(path)
        return (*said.routes, *([socks(said.socks)] if said.socks else ()))
    except (settings.SettingsError, RouteError) as error:
        raise SetupError(str(error)) from error


def write(setup: SetUp) -> bool:
    """Write the file where anything is new, and tell whether it was; raises SetupError."""
    if setup.plan.changed:
        toml.write(setup.path, setup.plan.text)
    return setup.plan.changed


def document(setup: SetUp, written: bool, names: tuple[str, ...]) -> dict[str, Any]:
    """All of it for programs."""
    known = [(server, True) for server in setup.found.chosen] + [(server, False) for server in setup.found.others]
    return {
        "version": 1,
        "found": [{**_server(server), "chosen": chosen} for server, chosen in known],
        "notes": list(setup.found.notes),
        "config": str(setup.path),
        "written": written,
        "routes": [
            {"upstream": route.server.upstream, "listen": route.listen, "new": route.new}
            for route in {route.listen: route for route in reversed(setup.plan.routes)}.values()
        ][::-1],
        "enter": {
            "simple": [_entry(entry) for entry in setup.ways.simple],
            "faithful": [_entry(entry) for entry in setup.ways.faithful],
        },
        "programs": {name: _advice(setup.advice(name)) for name in names},
    }


def _server(server: Server) -> dict[str, Any]:
    return {
        "protocol": server.protocol,
        "host": server.host,
        "port": server.port,
        "security": str(server.security),
        "user": server.user,
        "source": server.source,
        "note": server.note,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "instead_of": entry.server.upstream,
        "host": entry.host,
        "port": entry.port,
        "security": str(entry.security),
        "user": entry.server.user,
    }


def _advice(said: Advice) -> dict[str, Any]:
    return {"title": said.title, "file": said.file, "simple": list(said.simple), "faithful": list(said.faithful)}
