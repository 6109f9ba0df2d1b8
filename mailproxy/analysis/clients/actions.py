"""Which sessions belong to one click of a user: retries, and connections beside one another."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from mailproxy.model.session import Recording, Session

GAP: Final = timedelta(seconds=30)
"""How long after a failure another try is still of the same click: programs try again at once, or after seconds."""


class Envelope(NamedTuple):
    """Who a session's first message is from and to (RFC 5321 section 3.3); empty where none was begun."""

    sender: str = ""
    recipients: frozenset[str] = frozenset()

    def may_be(self, other: "Envelope") -> bool:
        """Whether both can be of one message: what is known of either is not contradicted by the other."""
        senders = not self.sender or not other.sender or self.sender == other.sender
        few, many = sorted((self.recipients, other.recipients), key=len)
        return senders and few <= many


class Action(NamedTuple):
    """The sessions of one click, the oldest first; at least one."""

    sessions: tuple[Session, ...]

    @property
    def last(self) -> Session:
        """The one that decided."""
        return self.sessions[-1]


UNKNOWN: Final = Envelope()


def envelope(recording: Recording) -> Envelope:
    """The envelope of the first message of a session."""
    sender, recipients = "", set()
    for each in sorted(recording.exchanges, key=lambda each: each.number):
        match each.verb:
            case "MAIL" if not sender:
                sender = _path(each.argument)
            case "RCPT":
                recipients.add(_path(each.argument))
            case "MAIL" | "DATA" | "BDAT":
                break
    return Envelope(sender, frozenset(recipients))


def actions(
    sessions: Iterable[Session], envelopes: Mapping[int, Envelope] | None = None, gap: timedelta = GAP
) -> list[Action]:
    """The sessions grouped by click, the oldest first, however they were given.

    Two are of one click when client, protocol and server are the same, their envelopes (by the session's number) can be
    of one message, and either both went on at once, or the earlier failed and the later began within `gap` of its end.
    """
    known = envelopes or {}
    groups: list[list[Session]] = []
    for session in sorted(sessions, key=lambda each: (each.started, each.id)):
        group = next((each for each in reversed(groups) if _joins(session, each, known, gap)), None)
        if group is None:
            groups.append([session])
        else:
            group.append(session)
    return [Action(tuple(group)) for group in groups]


def _joins(session: Session, group: list[Session], known: Mapping[int, Envelope], gap: timedelta) -> bool:
    own = known.get(session.id, UNKNOWN)
    return (
        _parties(session) == _parties(group[0])
        and all(own.may_be(known.get(each.id, UNKNOWN)) for each in group)
        and (
            any(session.started < _end(each) for each in group)
            or (group[-1].failed and session.started <= _end(group[-1]) + gap)
        )
    )


def _parties(session: Session) -> tuple[str, str, str]:
    """Client, protocol and server, without ports: a program that looks for its way tries several."""
    client, server = session.client, session.server
    return client.host or client.address, session.protocol, server.host or server.address or session.upstream


def _end(session: Session) -> datetime:
    """When a session ended; one that goes on has done nothing yet."""
    return session.started + timedelta(microseconds=session.duration or 0)


def _path(argument: str) -> str:
    """The address in `FROM:<alice@example.org> SIZE=17`, in lower case."""
    return argument.partition(":")[2].strip().split(">")[0].split(" ")[0].lstrip("<").lower()
