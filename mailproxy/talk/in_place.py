"""What mailproxy does in the server's place, as its own."""

from typing import Final

from mailproxy.model.octets import Entry, Mark, Note, Side
from mailproxy.model.session import How
from mailproxy.talk.actions import Action, Record
from mailproxy.talk.relay import Relay

IN_PLACE: Final = ", by mailproxy in its place"
"""Stands behind the words by which a record tells that the server has ended its connection."""
_SERVER: Final = Side.SERVER


def ended(relay: Relay, how: How, at: int, notified: bool | None = None) -> list[Action]:
    """End the server's connection: in order, under TLS with a close_notify or without, or not."""
    actions = relay.ended(_SERVER, at, notified) if how is How.CLOSED else relay.broke(_SERVER, how, at)
    relay.endings[_SERVER] = relay.endings[_SERVER]._replace(by=None)
    return [Record(list(map(_told, each.entries))) if isinstance(each, Record) else each for each in actions]


def _told(entry: Entry) -> Entry:
    match entry:
        case Note(Mark.TROUBLE, text):
            return entry._replace(text=text + IN_PLACE)
        case _:
            return entry
