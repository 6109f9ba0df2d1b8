"""What the notes of a transcript tell about its session."""

import re
from dataclasses import replace
from typing import Final

from mailproxy.model.octets import Mark, Note, Side
from mailproxy.model.session import Ending, How, Leg, Session

_IPV6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"
_HOST = rf"(\[[^]]+\]|{_IPV6}|[^\s():]+)(?::([0-9]{{1,5}}))?"
_CONNECTED = re.compile(rf"connected(?: to {_HOST}(?: \(([^\s()]+)\))?)?(?!\w)", re.IGNORECASE)

# How the text begins, the leg that ended, and how: by its peer.
_TROUBLE: Final = (
    ("no such host", Side.SERVER, How.NO_NAME),
    ("connection refused", Side.SERVER, How.REFUSED),
    ("connection timed out", Side.SERVER, How.TIMED_OUT),
    ("connection failed", Side.SERVER, How.FAILED),
    ("no route to host", Side.SERVER, How.NO_ROUTE),
    ("closed by the server", Side.SERVER, How.CLOSED),
    ("closed by the client", Side.CLIENT, How.CLOSED),
    ("reset by the server", Side.SERVER, How.RESET),
    ("reset by the client", Side.CLIENT, How.RESET),
    ("timed out waiting for the server", Side.SERVER, How.TIMED_OUT),
    ("timed out waiting for the client", Side.CLIENT, How.TIMED_OUT),
    ("tls failed with the server", Side.SERVER, How.FAILED),
    ("tls failed with the client", Side.CLIENT, How.FAILED),
)


def learn(session: Session, note: Note) -> Session:
    """The session with what this note adds to it; trouble that is not understood adds nothing."""
    words = note.text.lower()
    match note.mark:
        case Mark.FACT if found := _CONNECTED.match(note.text):
            return _connected(session, found, note.at)
        case Mark.TROUBLE if words.startswith("cut off"):
            return _cut(session, note.at)
        case Mark.FACT | Mark.TROUBLE:
            ends = [(side, how) for start, side, how in _TROUBLE if words.startswith(start)]
            return _ended(session, ends[0][0], Ending(*ends[0], note.at)) if ends else session
        case _:
            return session


def answered(session: Session, at: int) -> Session:
    """The session once its server has spoken, which it cannot without a connection."""
    if session.server.connected is not None:
        return session
    return replace(session, server=replace(session.server, connected=at))


def again(session: Session) -> Session:
    """The next session of the same client with the same server."""
    server = Leg(Side.SERVER, session.server.host, session.server.address, session.server.port)
    return Session(
        0, session.protocol, session.started, session.upstream, _accepted(session), server, source=session.source
    )


def _accepted(session: Session) -> Leg:
    return Leg(Side.CLIENT, session.client.host, connected=0)


def _connected(session: Session, found: re.Match[str], at: int) -> Session:
    host = (found[1] or "").rstrip(".").strip("[]") or session.server.host
    port = int(found[2] or session.server.port)
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    upstream = f"{session.protocol}://{where}" if host else session.upstream
    address = (found[3] or "").strip("[]") or session.server.address
    server = replace(session.server, host=host, address=address, port=port, connected=at)
    return replace(session, server=server, upstream=upstream)


def _cut(session: Session, at: int) -> Session:
    """Both legs of a session that the proxy broke off."""
    cut = Ending(None, How.CUT, at)
    return _ended(_ended(session, Side.CLIENT, cut), Side.SERVER, cut)


def _ended(session: Session, side: Side, ending: Ending) -> Session:
    """A leg ends once: what is told later of its ending is what followed from it."""
    leg = session.client if side is Side.CLIENT else session.server
    leg = replace(leg, ending=leg.ending or ending)
    return replace(session, client=leg) if side is Side.CLIENT else replace(session, server=leg)
