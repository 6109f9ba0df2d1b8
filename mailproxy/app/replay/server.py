"""Play recorded servers: a route each, on which a stand-in answers as the recorded server did. Nobody is dialled."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mailproxy.analysis.view import View
from mailproxy.app.plan import Plan, TlsPlan
from mailproxy.app.record import record
from mailproxy.app.replay.part import SERVER, NotPlayable, playable, title
from mailproxy.app.routes import Playing, Route, make, place, scheme
from mailproxy.app.screen import Screen
from mailproxy.app.settings import authority
from mailproxy.model.octets import Frame, Kind, Note, Side
from mailproxy.model.session import Recording
from mailproxy.model.tls import Security, Verify
from mailproxy.protocols import named
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.play import recorded_tls
from mailproxy.talk.play.edit import GREETING, Edit, EditError
from mailproxy.talk.play.edit import parse as edit
from mailproxy.talk.play.manner import Manner
from mailproxy.talk.play.repertoire import Repertoire

__all__ = ["EditError", "Manner", "NotPlayable", "edit", "may_use_tls", "play", "route"]

NOBODY: Final = "recorded.invalid"
"""Stands for a server whose name is not in the record (RFC 6761 section 6.4)."""

HANDSHAKE: Final = ("TLS with the ", "TLS failed with the ")
OFFERED: Final = "mailproxy offers the client "
IN_CLEAR: Final = "TLS failed with the server: it speaks in clear"


def route(recordings: Sequence[Recording], listen: str, manner: Manner, remark: Callable[[str], None]) -> Route:
    """A route on which these recordings are played in turn, one to a connection, the last one from then on.

    Each thing that the record does not hold is told to `remark`. Raises NotPlayable where they are not of one protocol
    or of none, EditError where a rule is about a verb that it does not know, and RouteError where `listen` cannot be
    understood.
    """
    first = recordings[0]
    spoken = {recording.session.protocol for recording in recordings}
    for recording in recordings:
        playable(recording.session)
    if len(spoken) > 1:
        raise NotPlayable(f"these are of {' and '.join(sorted(spoken))}: play each protocol by itself")
    _check(manner.edits, first.session.protocol)
    part = SERVER + ", ".join(title(recording.session) for recording in recordings)
    found = make(_upstream(first), listen)
    client = found.client if "://" in listen else _offered(first) or _security(first)
    repertoire = Repertoire(recordings, manner, remark, client is Security.TLS)
    found = found._replace(client=client, playing=Playing(part, repertoire.next))
    if _begun_in_vain(first):
        return found._replace(apart=False)
    return found._replace(verify=Verify.STRICT) if recorded_tls.refused(first) else found


def may_use_tls(route: Route, recordings: Sequence[Recording]) -> bool:
    """Whether a client of this route may come to use TLS: from the start, or because a recorded one was granted it."""
    begun = named(route.protocol).dialogue.upgrade
    asked = (each for recording in recordings for each in recording.exchanges if each.verb == begun)
    return route.client is not Security.NONE or any(each.reply and each.reply.positive for each in asked)


async def play(
    route: Route,
    db: str,
    screen: Screen,
    ready_file: Path | None = None,
    live: bool = True,
    faults: Faults | None = None,
) -> None:
    """Play until SIGINT or SIGTERM, and record each session. Raises as `record` does."""
    tls = TlsPlan(authority=authority())
    await record(Plan((route,), db, ready_file=ready_file, live=live, tls=tls, faults=faults), screen)


def _check(edits: Sequence[Edit], protocol: str) -> None:
    verbs = {verb.decode() for verb in named(protocol).dialogue.known}
    for each in edits:
        if each.verb not in {"", GREETING, *verbs}:
            raise EditError(f"{protocol} knows no {each.verb}: write one of {' '.join(sorted(verbs))}, or {GREETING}")


def _upstream(recording: Recording) -> str:
    """The recorded server, by a URL."""
    session = recording.session
    server = session.server
    where = place(server.host or server.address or NOBODY, server.port or named(session.protocol).port)
    return f"{scheme(session.protocol, _security(recording))}://{where}"


def _offered(recording: Recording) -> Security | None:
    """STARTTLS, where it was mailproxy that offered and granted it: the server's part has no word of it."""
    notes = (entry.text for entry in recording.entries if isinstance(entry, Note))
    return Security.STARTTLS if any(text.startswith(OFFERED) for text in notes) else None


def _security(recording: Recording) -> Security:
    """How the client's connection was secured from its start."""
    view = View(recording)
    begun = named(recording.session.protocol).dialogue.upgrade
    asked = any(step.verb == begun for step in view.steps)
    first = view.secure_from == 0 or _shook_hands_first(recording)
    return Security.TLS if first and not asked else Security.NONE


def _begun_in_vain(recording: Recording) -> bool:
    """Whether the client began TLS, which passed through to a server that speaks in clear."""
    opaque = {entry.side for entry in recording.entries if isinstance(entry, Frame) and entry.kind is Kind.OPAQUE}
    spoken = any(isinstance(entry, Frame) and entry.side is Side.SERVER for entry in recording.entries)
    return spoken and opaque == {Side.CLIENT}


def _shook_hands_first(recording: Recording) -> bool:
    """Whether there was TLS, or was to be, before the server said a word that could be read."""
    spoken = any(isinstance(entry, Frame) and entry.side is Side.SERVER for entry in recording.entries)
    told = tuple(entry.text for entry in recording.entries if isinstance(entry, Note))
    if spoken:
        return any(text.startswith(IN_CLEAR) for text in told)
    return any(text.startswith(HANDSHAKE) for text in told)
