"""Whose part is played, as a session that was recorded so tells it."""

from typing import Final

from mailproxy.model.session import Session

CLIENT: Final = "client of "
SERVER: Final = "server of "


def title(session: Session) -> str:
    """How a session is called: by its number, or by the file that holds it."""
    return str(session.id) if session.id else session.source or "a session"
