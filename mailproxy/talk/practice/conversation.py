"""A conversation as a generator: it yields what is to be done, and None where it waits for octets."""

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar

from mailproxy.talk.practice.unread import Unread


class Send(NamedTuple):
    """Put these octets on the wire."""

    octets: bytes


class Wait(NamedTuple):
    """Let so many seconds pass; with `or_heard` no longer than until the client says something."""

    seconds: float
    or_heard: bool = False


class Close(NamedTuple):
    """End the connection in order (FIN)."""


class Reset(NamedTuple):
    """Break the connection (RST)."""


Action = Send | Wait | Close | Reset
T = TypeVar("T")
Talk = Generator[Action | None, None, T]


class Party:
    """One side of a connection: octets in, actions out. It raises on nothing that it is fed."""

    def __init__(self, conversation: Callable[[Unread], Talk[None]]) -> None:
        self._unread = Unread()
        self._talk = conversation(self._unread)

    def receive(self, octets: bytes = b"") -> list[Action]:
        """What to do now that these octets have come. The first call, with none, earns the greeting.

        The actions are to be done in their order; Close or Reset is the last of all.
        """
        self._unread.feed(octets)
        actions: list[Action] = []
        for action in self._talk:
            if action is None:
                return actions
            actions.append(action)
            if isinstance(action, Close | Reset):
                break
        else:
            actions.append(Close())
        self.leave()
        return actions

    def leave(self) -> None:
        """The peer is gone: give back what was held for it."""
        self._talk.close()
