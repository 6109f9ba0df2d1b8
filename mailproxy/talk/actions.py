"""What a party between two peers wants done, in the order in which it is to be done."""

from typing import NamedTuple

from mailproxy.model.octets import Entry, Side


class Record(NamedTuple):
    """Note these entries."""

    entries: list[Entry]


class Send(NamedTuple):
    """Hand octets to the peer `to`."""

    to: Side
    octets: bytes


class StartTls(NamedTuple):
    """Begin TLS with the peer `side`: with the client as its server, with the server as its client.

    Nothing is read from the other peer until that has come to an end.
    """

    side: Side


class Listen(NamedTuple):
    """Read what the peer `side` says, or do not for now."""

    side: Side
    on: bool


class Finish(NamedTuple):
    """End the stream towards the peer `to`; what it still says is heard.

    Under TLS that is said with a close_notify, unless `notify` is false: the other peer went without one.
    """

    to: Side
    notify: bool = True


class Reset(NamedTuple):
    """Break the connection with the peer `to` off."""

    to: Side


class Close(NamedTuple):
    """The session is over: close both connections once everything has been handed over."""


Action = Record | Send | StartTls | Listen | Finish | Reset | Close
