"""TLS that a server offers elsewhere, and not here: something on the way may take the offer out.

`mailproxy probe` from another network, or at another time, is the other half of the comparison: its session is in the
database as well.
"""

from typing import Final

from sqlalchemy import Engine

from mailproxy.analysis.step import HELLOS, accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.app.library import open_library
from mailproxy.model.finding import Finding, Verdict
from mailproxy.model.session import Recording
from mailproxy.protocols import named
from mailproxy.store.library import outline
from mailproxy.store.search import Query, find

RULE: Final = "offer-missing"
KNOWS: Final = "STARTTLS or STLS that the same server offered in another session of the database"
TRIED: Final = 20  # sessions with the same server that are looked at, the newest first


def with_offers(told: Verdict, db: str, recording: Recording) -> Verdict:
    """A verdict with that finding, for a session that was recorded in this database. Raises StoreError."""
    session = recording.session
    view = View(recording)
    index = _answered(view)
    if not session.id or session.source or not session.server.host or index is None:
        return told
    if view.offers(index + 1, _verb(recording)) is not False:
        return told
    engine = open_library(db)
    try:
        other = _elsewhere(engine, recording)
    finally:
        engine.dispose()
    if other is None:
        return told
    verb = _verb(recording)
    summary = f"The server offers no {verb} here, and did in session {other}: something on the way may take it out."
    proof = evidence(view.steps[index])
    return told._replace(findings=(*told.findings, Finding(RULE, summary, proof)))


def _verb(recording: Recording) -> str:
    upgrading = named(recording.session.protocol).upgrading
    return upgrading.verb if upgrading else ""


def _answered(view: View) -> int | None:
    """The first answer, in clear, to what the server can do; None where there is none or the protocol knows no TLS."""
    if not _verb(view.recording):
        return None
    asks = (HELLOS - {"HELO"}) | {"CAPA"}
    asked = (index for index, each in enumerate(view.steps) if each.verb in asks and accepted(each))
    return next((index for index in asked if not view.secure(index)), None)


def _elsewhere(engine: Engine, recording: Recording) -> int | None:
    """The newest session with the same server and port in which TLS was offered."""
    session = recording.session
    asked = Query(protocol=session.protocol, server=session.server.host, limit=TRIED)
    for each in find(engine, asked):
        same = (each.server.host, each.server.port) == (session.server.host, session.server.port)
        if not same or each.id == session.id:
            continue
        view = View(outline(engine, each.id))
        index = _answered(view)
        if index is not None and view.offers(index + 1, _verb(recording)):
            return each.id
    return None
