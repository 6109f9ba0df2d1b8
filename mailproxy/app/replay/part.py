"""Whose part is played, as a session that was recorded so tells it."""

from typing import Final

from mailproxy.model.session import Session
from mailproxy.protocols import BLIND

CLIENT: Final = "client of "
SERVER: Final = "server of "


class NotPlayable(Exception):
    """A recording that cannot be played; the message is one line."""


def title(session: Session) -> str:
    """How a session is called by the one that replays it: by its number, or by the file that holds it."""
    return str(session.id) if session.id else session.source or "a session"


def named(session: Session) -> str:
    """The same in a sentence."""
    return f"session {session.id}" if session.id else title(session)


def playable(session: Session) -> None:
    """Raises NotPlayable where nobody read what was said."""
    if session.protocol == BLIND.name:
        raise NotPlayable(f"{named(session)} is no mail: nothing of it was read")
