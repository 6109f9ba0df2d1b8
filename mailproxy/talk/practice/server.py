"""What the servers have in common: how they speak, and how they fall silent."""

from mailproxy.talk.practice.accounts import Account, Break
from mailproxy.talk.practice.conversation import Close, Reset, Send, Talk, Wait
from mailproxy.talk.practice.office import PostOffice
from mailproxy.talk.practice.unread import Unread


def is_number(text: str) -> bool:
    """Whether a text is made of the digits 0 to 9, and of no other script's."""
    return text.isascii() and text.isdecimal()


class Server:
    """One connection's server. `pause` is in seconds, before each reply."""

    pause = 0.0

    def __init__(self, unread: Unread, office: PostOffice) -> None:
        self.unread = unread
        self.office = office

    def say(self, octets: bytes) -> Talk[None]:
        """Send octets, after the pause."""
        if self.pause:
            yield Wait(self.pause)
        yield Send(octets)

    def heed(self, account: Account) -> None:
        """From now on the account is in play, and its pace is the server's."""
        self.pause = max(self.pause, account.pause)

    def break_off(self, account: Account) -> Talk[None]:
        """Spoil the connection here, if that is how the account behaves."""
        match account.breaks:
            case Break.CLOSE:
                yield Close()
            case Break.RESET:
                yield Reset()
            case Break.SILENCE:
                yield from self.unread.for_ever()
